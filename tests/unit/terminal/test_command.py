"""`deskwatch top` where it can't run."""

from __future__ import annotations

import sys

import pytest

from deskwatch import cli


def test_without_the_extra_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "deskwatch.terminal.app", raising=False)
    monkeypatch.setitem(sys.modules, "textual.app", None)
    assert cli.main(["top"]) == 2
    assert "pip install 'deskwatch[tui]'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--size", "big"], "expected --size such as 100x30"),
        (["--url", "desk"], "expected a sidecar's URL to start with http"),
        (
            ["--url", "http://a", "--url", "http://b", "--url", "http://c", "--token-file", "x", "--token-file", "y"],
            "one",
        ),
        (["--token-file", "/nowhere"], "expected a token in /nowhere"),
    ],
)
def test_a_wrong_flag_is_told_in_one_line(
    flags: list[str], words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DESKWATCH_URL", raising=False)
    assert cli.main(["top", *flags]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1
