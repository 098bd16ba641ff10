"""The quarantine: each row once, whole, or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from deskwatch.journal import Position
from deskwatch.sinks.quarantine import Quarantine, row_of

KEY = ("arb-1", "main")


@pytest.fixture
def quarantine(home: Path) -> Quarantine:
    one = Quarantine(home, "loki")
    one.path.parent.mkdir()
    return one


def rows(quarantine: Quarantine) -> list[int]:
    return [json.loads(line)["offset"] for line in quarantine.path.read_text().splitlines()]


def test_rows_behind_the_cursor_are_known_after_a_crash(home: Path, quarantine: Quarantine) -> None:
    for offset in (10, 20, 30):
        quarantine.put([row_of(KEY, Position(1, offset), b"line", "why")])
    again = Quarantine(home, "loki")
    again.load({KEY: Position(1, 20)})
    assert [again.has(KEY, Position(1, offset), b"line") for offset in (10, 20, 30, 40)] == [False, True, True, False]
    assert not again.has(("arb-1", "other"), Position(1, 20), b"line")
    assert not again.has(KEY, Position(1, 20), b"another line")


def test_a_torn_row_is_taken_back(home: Path, quarantine: Quarantine) -> None:
    quarantine.put([row_of(KEY, Position(1, 10), b"line", "why")])
    with quarantine.path.open("ab") as file:
        file.write(b'{"bot":"arb-1","wri')
    again = Quarantine(home, "loki")
    again.load({})
    again.put([row_of(KEY, Position(1, 20), b"line", "why")])
    assert rows(again) == [10, 20]


def test_rows_of_older_versions_and_garbage_are_passed_over(home: Path, quarantine: Quarantine) -> None:
    quarantine.path.write_text('{"bot":"arb-1","writer":"main","reason":"json","line":"x"}\ngarbage\n')
    quarantine.load({})
    assert not quarantine.has(KEY, Position(-1, -1), b"x")
    quarantine.put([row_of(KEY, Position(1, 5), b"gar\xffbage", "json")])
    assert json.loads(quarantine.path.read_text().splitlines()[-1])["line"] == "gar\\xffbage"


@pytest.mark.parametrize("fault", ["short", "fsync"])
def test_a_row_that_cant_be_written_leaves_nothing_behind(
    fault: str, quarantine: Quarantine, monkeypatch: pytest.MonkeyPatch
) -> None:
    quarantine.put([row_of(KEY, Position(1, 10), b"line", "why")])
    with monkeypatch.context() as patch:
        if fault == "short":
            write = os.write
            patch.setattr(os, "write", lambda fd, data: write(fd, data[:7]))
        else:
            patch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(5, "Input/output error")))
        with pytest.raises(OSError, match=r"No space left|Input/output error"):
            quarantine.put([row_of(KEY, Position(1, 20), b"line", "why")])
    assert rows(quarantine) == [10]
    quarantine.put([row_of(KEY, Position(1, 20), b"line", "why")])
    assert rows(quarantine) == [10, 20]


def test_lines_that_are_put_aside_together_are_synced_once(
    quarantine: Quarantine, monkeypatch: pytest.MonkeyPatch
) -> None:
    quarantine.put([row_of(KEY, Position(1, 0), b"line", "why")])  # makes the file, and syncs its folder
    syncs: list[int] = []
    monkeypatch.setattr(os, "fsync", syncs.append)
    quarantine.put([row_of(KEY, Position(1, offset), b"line", "why") for offset in range(1, 500)])
    assert rows(quarantine) == list(range(500))
    assert len(syncs) == 1
