"""A source whose memory is lost, where retention has removed the beginning of its journal."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec
import pytest

from deskwatch.events import Event, LogRecorded
from deskwatch.journal import names
from deskwatch.sources.memory import Memory
from deskwatch.sources.watched import Watched
from tests.sources.watching import BOT, journaled


class Messages(Memory, kw_only=True):
    """What was logged."""

    told: list[str] = msgspec.field(default_factory=list)

    def fold(self, event: Event) -> None:
        if isinstance(event, LogRecorded):
            self.told.append(event.message)


class LaterMessages(Messages, kw_only=True):
    """As a later version keeps them."""

    version: int = 2


def note(message: str, happened: float | None = None) -> LogRecorded:
    return LogRecorded(message=message, levelname="INFO", name="peer", happened_timestamp_seconds=happened)


async def tell(home: Path, memory: Messages, *events: LogRecorded) -> list[str]:
    """In one run of a source; what it remembers then."""
    one = Watched(home, BOT, names.MAIN, kind="example", peer="http://peer", memory=memory).open()
    for event in events:
        assert one.emit(event)
    one.close()
    assert isinstance(one.memory, Messages)
    return one.memory.told


@pytest.mark.parametrize("has_another_version", [True, False])
async def test_what_happened_before_the_rest_of_the_journal_is_not_told_again(
    home: Path, has_another_version: bool
) -> None:
    """A later version has no use for the memory, or it is gone. All that is told from then on is told once."""
    folder, checkpoint = names.writer_folder(home, BOT, names.MAIN), home / "sources" / f"{BOT}@main.json"
    long_ago = time.time() - 3600
    await tell(home, Messages(), note("old", long_ago))
    first = folder / names.segment_name(1)
    lines = first.read_bytes().splitlines(keepends=True)
    kept = checkpoint.read_bytes()
    await tell(home, Messages())
    rest = first.read_bytes()[sum(map(len, lines)) :]
    (folder / names.segment_name(len(lines) + 1)).write_bytes(rest)
    first.unlink()  # as retention does
    checkpoint.unlink()
    if has_another_version:
        checkpoint.write_bytes(kept)
    assert await tell(home, LaterMessages(), note("old", long_ago), note("late", time.time() - 1e-3)) == ["old", "late"]
    assert await tell(home, LaterMessages(), note("older", long_ago - 60), note("new")) == [
        "old",
        "late",
        "older",
        "new",
    ]
    assert [event.message for event in journaled(home) if isinstance(event, LogRecorded)] == ["late", "new"]


async def test_a_whole_journal_has_all_told_that_is_not_in_it(home: Path) -> None:
    """However long ago it happened: it is history that nobody told."""
    long_ago = time.time() - 3600
    await tell(home, Messages(), note("a"))
    (home / "sources" / f"{BOT}@main.json").unlink()
    await tell(home, Messages(), note("b", long_ago))
    assert [event.message for event in journaled(home) if isinstance(event, LogRecorded)] == ["a", "b"]
