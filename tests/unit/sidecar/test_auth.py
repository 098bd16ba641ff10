"""Who may."""

from __future__ import annotations

from pathlib import Path

import pytest

from deskwatch.config import Settings
from deskwatch.errors import ConfigError
from deskwatch.sidecar.auth import Denied, Gate, load_tokens
from deskwatch.tokens import Scope, Token, digest

OPERATOR, READER, EXPIRED, GOOD = "o" * 20, "r" * 20, "x" * 20, "g" * 20
NOW = 1000.0
TOKENS = [
    Token(name="operator", hash=digest(OPERATOR), scopes=frozenset({"read", "operate", "trade"})),
    Token(name="reader", hash=digest(READER), scopes=frozenset({"read"})),
    Token(name="late", hash=digest(EXPIRED), scopes=frozenset({"read", "operate"}), expires=NOW),
    Token(name="early", hash=digest(GOOD), scopes=frozenset({"read"}), expires=NOW + 1),
]


def gate(host: str = "127.0.0.1", *allowed: str) -> Gate:
    return Gate(Settings(home=Path("h"), host=host, allowed_hosts=allowed), TOKENS, lambda: NOW)


LOOPBACK, BEYOND = "127.0.0.1", "0.0.0.0"
NONE, EMPTY, WRONG = None, "", "Bearer wrong"
OPERATE, READ = f"Bearer {OPERATOR}", f"Bearer {READER}"


@pytest.mark.parametrize(
    ("host", "authorization", "scope", "answer"),
    [
        (LOOPBACK, NONE, "read", "anonymous"),
        (LOOPBACK, EMPTY, "read", "anonymous"),
        (LOOPBACK, NONE, "operate", "missing"),
        (LOOPBACK, WRONG, "read", "wrong"),
        (LOOPBACK, WRONG, "operate", "wrong"),
        (LOOPBACK, READ, "read", "reader"),
        (LOOPBACK, READ, "operate", "scope"),
        (LOOPBACK, OPERATE, "read", "operator"),
        (LOOPBACK, OPERATE, "operate", "operator"),
        (BEYOND, NONE, "read", "missing"),
        (BEYOND, NONE, "operate", "missing"),
        (BEYOND, WRONG, "read", "wrong"),
        (BEYOND, READ, "read", "reader"),
        (BEYOND, READ, "operate", "scope"),
        (BEYOND, OPERATE, "operate", "operator"),
        (BEYOND, f"bearer  {OPERATOR} ", "operate", "operator"),
        (BEYOND, f"Basic {OPERATOR}", "operate", "wrong"),
        (BEYOND, OPERATOR, "operate", "wrong"),
        (BEYOND, "Bearer", "read", "wrong"),
        (BEYOND, f"Bearer {OPERATOR}x", "operate", "wrong"),
        (BEYOND, "Bearer \xe9", "operate", "wrong"),
        (BEYOND, f"Bearer {EXPIRED}", "read", "expired"),
        (LOOPBACK, f"Bearer {EXPIRED}", "trade", "expired"),
        (BEYOND, f"Bearer {GOOD}", "read", "early"),
    ],
)
def test_the_gate_admits_by_token_scope_and_where_it_listens(
    host: str, authorization: str | None, scope: Scope, answer: str
) -> None:
    if answer in ("missing", "wrong", "scope", "expired"):
        with pytest.raises(Denied) as denied:
            gate(host).identify(authorization, scope)
        assert denied.value.problem == answer
    else:
        assert gate(host).identify(authorization, scope).name == answer


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:9464", "127.0.0.1", "localhost:1", "LOCALHOST", "[::1]:9464", "[::1]", "desk.local:9464", "Desk.Local"],
)
def test_names_of_this_machine_and_allowed_ones_are_known(host: str) -> None:
    assert gate(LOOPBACK, "Desk.local").knows_host(host)


@pytest.mark.parametrize(
    "host", ["", "evil.example:9464", "127.0.0.1.evil.example", "localhost.evil", "desk.local.evil"]
)
def test_other_hosts_are_not_known_where_reading_is_open(host: str) -> None:
    assert not gate(LOOPBACK, "desk.local").knows_host(host)
    assert gate(BEYOND).knows_host(host)


def test_the_operators_token_is_made_once_for_its_owner_only(home: Path) -> None:
    (first,) = load_tokens(Settings(home=home))
    for name in ("token", "tokens.json", "tokens.lock"):
        assert (home / name).stat().st_mode & 0o777 == 0o600
    secret = (home / "token").read_text().strip()
    assert len(secret) >= 32
    assert first.hash == digest(secret)
    assert secret not in (home / "tokens.json").read_text()
    assert load_tokens(Settings(home=home)) == [first]
    assert first.scopes == {"read", "operate", "trade"}


def test_two_homes_have_different_tokens(home: Path, tmp_path: Path) -> None:
    assert load_tokens(Settings(home=home)) != load_tokens(Settings(home=tmp_path))


def test_a_read_token_may_only_read(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "reader"
    file.write_text(f" {READER}\n")
    _, reader = load_tokens(Settings(home=home, read_token_file=file))
    assert reader == Token(name="reader", hash=digest(READER), scopes=frozenset({"read"}))


@pytest.mark.parametrize("content", ["", "short", "\n" * 30], ids=["empty", "short", "blank"])
def test_a_token_that_could_be_guessed_is_refused(content: str, home: Path, tmp_path: Path) -> None:
    (tmp_path / "reader").write_text(content)
    with pytest.raises(ConfigError, match="16 or more characters"):
        load_tokens(Settings(home=home, read_token_file=tmp_path / "reader"))
    (home / "token").write_text(content)
    with pytest.raises(ConfigError, match="delete it to have one made"):
        load_tokens(Settings(home=home))


def test_a_read_token_that_is_not_there_is_told(home: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load_tokens(Settings(home=home, read_token_file=home / "none"))
