"""Credentials and CA at Loki: read from files, again when they change, and checked at the start."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deskwatch.config import Settings
from deskwatch.errors import ConfigError
from deskwatch.sinks.loki import Access
from deskwatch.sinks.loki.access import Credentials


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_text("open sesame\n")
    return path


def test_settings_become_an_access(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, loki_tenant="fund", loki_user="desk", loki_password_file=tmp_path / "p")
    assert Access.of(settings) == Access(tenant="fund", user="desk", password_file=tmp_path / "p")


def test_nobody_is_told_who_asks_unless_it_is_set() -> None:
    assert Credentials(Access()).headers() == {}
    assert Credentials(Access()).tls() is None


def test_tenant_and_basic_authentication_are_headers(secret: Path) -> None:
    access = Access(tenant="fund", user="desk", password_file=secret)
    access.check()
    assert Credentials(access).headers() == {
        "X-Scope-OrgID": "fund",
        "Authorization": "Basic ZGVzazpvcGVuIHNlc2FtZQ==",
    }


def test_a_token_is_read_again_when_its_file_changes_and_kept_while_it_is_gone(secret: Path) -> None:
    credentials = Credentials(Access(token_file=secret))
    assert credentials.headers() == {"Authorization": "Bearer open sesame"}
    secret.write_text("another")
    assert credentials.headers() == {"Authorization": "Bearer another"}
    secret.unlink()
    assert credentials.headers() == {"Authorization": "Bearer another"}
    secret.write_text("two\nlines")
    assert credentials.headers() == {"Authorization": "Bearer another"}
    os.replace(secret, secret.with_name("old"))
    secret.write_text("third\r\n")
    assert credentials.headers() == {"Authorization": "Bearer third"}


def test_a_secret_that_never_was_readable_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        Credentials(Access(token_file=tmp_path / "none")).headers()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"user": "desk"}, "--loki-user and --loki-password-file together"),
        ({"password_file": "secret"}, "--loki-user and --loki-password-file together"),
        ({"user": "desk", "password_file": "secret", "token_file": "secret"}, "a token or a user for Loki, was both"),
        ({"user": "de:sk", "password_file": "secret"}, "without ':'"),
        ({"token_file": "none"}, "No such file"),
        ({"token_file": "."}, "Is a directory"),
        ({"token_file": "empty"}, "one line of printable ASCII"),
        ({"token_file": "lines"}, "one line of printable ASCII"),
        ({"token_file": "umlaut"}, "not ASCII"),
        ({"token_file": "long"}, "one line of printable ASCII"),
        ({"ca_file": "none"}, "expected PEM certificates in"),
        ({"ca_file": "secret"}, "expected PEM certificates in"),
        ({"token_file": "none", "ca_file": "none"}, "; expected PEM certificates in"),
    ],
)
def test_what_cannot_be_is_told_without_the_secret(
    more: dict[str, str], words: str, secret: Path, tmp_path: Path
) -> None:
    for name, content in {"empty": b"\n", "lines": b"ab\ncd", "umlaut": "ü".encode(), "long": b"x" * 20_000}.items():
        (tmp_path / name).write_bytes(content)
    fields = {name: value if name == "user" else tmp_path / value for name, value in more.items()}
    with pytest.raises(ConfigError) as told:
        Access(**fields).check()  # type: ignore[arg-type]  # made of text above
    assert words in str(told.value)
    assert "sesame" not in str(told.value)
