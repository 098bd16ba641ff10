"""`deskwatch top` where it can't run."""

from __future__ import annotations

import io
import sys

import pytest

from deskwatch import cli


class Stream(io.StringIO):
    """One that is a terminal, or not."""

    def __init__(self, *, at_terminal: bool) -> None:
        super().__init__()
        self._at_terminal = at_terminal

    def isatty(self) -> bool:
        """As given."""
        return self._at_terminal


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


@pytest.mark.parametrize("stream", ["__stdin__", "__stdout__", "__stderr__"])
def test_without_a_terminal_it_says_what_scripts_take_and_ends(
    stream: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("__stdin__", "__stdout__", "__stderr__"):
        monkeypatch.setattr(sys, name, Stream(at_terminal=name != stream))
    assert cli.main(["top"]) == 2
    assert "expected a terminal, was a pipe or a file; for scripts" in capsys.readouterr().err
