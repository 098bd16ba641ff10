"""The file of tokens."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskwatch import atomic
from deskwatch.errors import ConfigError
from deskwatch.tokens import ALL_SCOPES, Token, TokenFile, digest, new_secret


def token(name: str, **more: object) -> Token:
    return Token(name=name, hash=digest(name), scopes=frozenset({"read"}), **more)  # type: ignore[arg-type]  # a test's


def names(file: TokenFile) -> list[str]:
    """All but the operator's first one."""
    operator, *others = [one.name for one in file.read()]
    assert operator == "operator"
    return others


TOKENS = st.builds(
    Token,
    name=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", fullmatch=True),
    hash=st.binary(min_size=1).map(lambda data: digest(data.hex())),
    scopes=st.frozensets(st.sampled_from(ALL_SCOPES)),
    bots=st.none() | st.frozensets(st.from_regex(r"[a-z]{1,9}", fullmatch=True)),
    expires=st.none() | st.floats(0, 4e9),
    made=st.floats(0, 4e9),
)


@given(TOKENS)
def test_a_token_is_read_as_it_was_written(one: Token) -> None:
    assert msgspec.json.decode(msgspec.json.encode(one), type=Token) == one


def test_what_was_added_is_there_until_it_is_revoked(home: Path) -> None:
    file = TokenFile(home)
    file.add(token("a", bots=frozenset({"arb-1"}), expires=5.0))
    file.add(token("b"))
    assert file.read()[1:] == [token("a", bots=frozenset({"arb-1"}), expires=5.0), token("b")]
    file.revoke("a")
    assert names(file) == ["b"]
    assert file.path.stat().st_mode & 0o777 == 0o600


def test_a_revocation_of_the_operator_that_breaks_off_never_lets_the_secret_count_again(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever was told of the failure tries again; whoever starts a sidecar in between makes a new secret."""
    file = TokenFile(home)
    file.prepare()
    hashed = digest(file.secret_path.read_text().strip())

    def refuse(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    for module, name in ((Path, "unlink"), (atomic, "write")):
        with monkeypatch.context() as broken:
            broken.setattr(module, name, refuse)
            with pytest.raises(OSError, match="No space"):
                file.revoke("operator")
        file.prepare()
    assert hashed not in {one.hash for one in file.read()}
    file.revoke("operator")
    file.prepare()
    assert file.read() == []
    assert not file.secret_path.exists()


def test_a_name_is_given_once_and_not_anothers(home: Path) -> None:
    file = TokenFile(home)
    file.add(token("a"))
    for name in ("a", "reader", "anonymous", "supervisor", "../x", "", "a b"):
        with pytest.raises(ConfigError):
            file.add(token(name))
    with pytest.raises(ConfigError, match="there are: operator, a"):
        file.revoke("c")
    assert names(file) == ["a"]


def test_tokens_added_at_once_are_all_there(home: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: TokenFile(home).add(token(f"t{number}")), range(40)))
    assert sorted(names(TokenFile(home))) == sorted(f"t{number}" for number in range(40))


def test_the_operators_token_that_was_revoked_is_not_made_again(home: Path) -> None:
    file = TokenFile(home)
    assert [one.name for one in file.prepare()] == ["operator"]
    file.revoke("operator")
    assert not file.secret_path.exists()
    assert file.prepare() == []


def test_a_secret_of_the_operators_own_counts_and_one_that_was_deleted_is_made_anew(home: Path) -> None:
    file = TokenFile(home)
    (first,) = file.prepare()
    file.secret_path.write_text("chosen by a person\n")
    (chosen,) = file.prepare()
    assert chosen.hash == digest("chosen by a person") != first.hash
    file.secret_path.unlink()
    (made,) = file.prepare()
    assert made.hash not in (chosen.hash, first.hash)
    assert file.secret_path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "text", ["", "{", '{"format":2,"tokens":[]}', '{"format":1,"tokens":[{"name":"a"}]}', '{"format":1}', "[]", "\xff"]
)
def test_a_file_that_is_not_what_it_should_be_is_told_with_its_path(text: str, home: Path) -> None:
    file = TokenFile(home)
    file.path.write_text(text, encoding="latin-1")
    with pytest.raises(ConfigError, match=r"tokens\.json"):
        file.read()


def test_secrets_are_32_random_bytes_and_recognisable() -> None:
    made = {new_secret() for _ in range(100)}
    assert len(made) == 100
    assert all(secret.startswith("dwt_") and len(secret) == 47 for secret in made)
