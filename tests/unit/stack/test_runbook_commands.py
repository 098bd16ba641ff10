"""Commands in runbooks: what is typed at night must at least be understood (docs/how-to/operate.md's are run)."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from deskwatch import cli

RUNBOOKS = Path(__file__).parents[3] / "docs" / "runbooks"
_BLOCK = re.compile(r"^ *```\w*\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
_TYPED = re.compile(r"(?:docker compose exec (?:-T )?deskwatch )?(deskwatch (?!…).+)")


def commands(text: str) -> list[str]:
    """Each `deskwatch` command of a page, in its blocks and in its lines.

    Left out are those that are cut short by …, and within lines two words alone: they name a command.
    """
    blocks = "\n".join(_BLOCK.findall(text)).replace("\\\n", " ").splitlines()
    inline = [line for line in re.findall(r"`([^`\n]+)`", _BLOCK.sub("", text)) if len(line.split()) > 2]
    lines = [line.strip() for line in blocks] + inline
    return [typed[1] for line in lines if (typed := _TYPED.fullmatch(line)) and "…" not in line]


def understood(command: str) -> bool:
    """Whether the command line takes it: its words, its flags, and what they need."""
    words = shlex.split(command)[1:]
    try:
        cli._parser(words[0]).parse_args(words)
    except SystemExit as end:
        return end.code == 0
    return True


def test_commands_are_found_and_wrong_ones_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    """So that the test below can fail."""
    words = "Under `deskwatch run` do `deskwatch ctl status`, not `deskwatch ctl …`:"
    page = f"{words}\n\n```text\ndeskwatch ctl standby arb-1 --why x\n```\n"
    assert commands(page) == ["deskwatch ctl standby arb-1 --why x", "deskwatch ctl status"]
    assert [understood(command) for command in commands(page)] == [False, True]
    assert "unrecognized arguments: --why x" in capsys.readouterr().err


@pytest.mark.parametrize("path", sorted(RUNBOOKS.glob("*.md")), ids=lambda path: path.name)
def test_commands_of_runbooks_are_understood(path: Path) -> None:
    """Whoever mistypes one finds out here, not at night."""
    assert [command for command in commands(path.read_text()) if not understood(command)] == []
