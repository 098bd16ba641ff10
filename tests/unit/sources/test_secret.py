"""Secrets of sources: where they are, and what is said where they are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from deskwatch.errors import ConfigError
from deskwatch.sources.secret import Secret


def test_a_file_is_read_anew_each_time(tmp_path: Path) -> None:
    """So that a password that was changed is found."""
    path = tmp_path / "secret"
    secret = Secret("password", path, None)
    for text in ("one\n", " two "):
        path.write_text(text)
        assert secret.read() == text.strip()


def test_a_variable_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEER_PASSWORD", "hunter2")
    assert Secret("password", None, "PEER_PASSWORD").read() == "hunter2"


@pytest.mark.parametrize(
    ("content", "variable", "words"),
    [
        (None, None, "expected password_file or password_env to say where the password is"),
        ("missing", None, "No such file"),
        ("", None, "was nothing; write it there, alone"),
        (None, "SURELY_NOT_SET", "in the environment variable SURELY_NOT_SET, was nothing; set it"),
        (None, "hunter2!", "in the environment variable that password_env names, was nothing; set it"),
    ],
)
def test_one_that_is_not_there_is_told(tmp_path: Path, content: str | None, variable: str | None, words: str) -> None:
    path = tmp_path / "secret"
    if content == "":
        path.write_text("\n")
    secret = Secret("password", None if content is None else path, variable)
    assert secret.is_given() is (content is not None or variable is not None)
    with pytest.raises(ConfigError, match=words) as raised:
        secret.read()
    assert "hunter2" not in str(raised.value)
