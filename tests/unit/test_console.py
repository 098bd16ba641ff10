"""Tables, bars and colours: on a terminal, and into a pipe."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from deskwatch import console

_SCRIPT = """
from deskwatch import console
with console.quiet_end():
    for number in range(100_000):
        print("line", number)
"""


def test_a_table_in_a_pipe_is_plain_and_neither_wrapped_nor_cut(capsys: pytest.CaptureFixture[str]) -> None:
    console.print_table(
        [("name", False), ("count", True)], [[("x" * 300, "error"), ("1", "")], [("\x1b[2J", ""), ("23", "")]]
    )
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["name", "count"]
    assert lines[1] == "x" * 300 + "      1"
    assert lines[2] == r"\x1b[2J".ljust(300) + "     23"
    assert console.coloured("text", "error") == "text"
    assert console.width() is None


def test_a_terminal_gets_colours_unless_it_is_asked_not_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert console.coloured("text", "error") == "\x1b[31mtext\x1b[0m"
    assert console.coloured("text", "no such level") == "text"
    monkeypatch.setenv("NO_COLOR", "1")
    assert console.coloured("text", "error") == "text"


def test_bars_show_only_where_somebody_watches(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with console.progress() as bars:
        bars.begin("work", 10)(5)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with console.progress() as bars:
        bars.begin("[red]work\x1b", 10)(5)
    assert r"[red]work\x1b" in capsys.readouterr().err


def test_a_reader_that_goes_away_ends_the_command_without_a_word() -> None:
    reading, writing = os.pipe()
    child = subprocess.Popen([sys.executable, "-c", _SCRIPT], stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert os.read(reading, 4) == b"line"
    os.close(reading)
    _, said = child.communicate(timeout=30)
    assert (child.returncode, said) == (0, b"")
