"""Journal lines and records made by hand: what a writer would write, without a writer."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from deskwatch.encoding import encode
from deskwatch.events import Event
from deskwatch.journal import Record, Writer, names, read
from deskwatch.journal.line import _FROM_SIDECAR, frame

START_NS = 1_700_000_000_000_000_000
"""Time of the first line."""
BOT = "arb-1"
RUN = b"0123456789abcdef"


def type_of(event: Event) -> str:
    """The event's `type` on the wire."""
    return str(event.__struct_config__.tag)


def writer_of(event: Event) -> str:
    """Where the event counts: the sidecar's words in `control`, a bot's in `main`."""
    return names.CONTROL if type_of(event) in _FROM_SIDECAR else names.MAIN


def line_of(event: Event, *, seq: int = 1, ts: int | None = None, run: bytes = RUN) -> bytes:
    """The event's line, without its newline."""
    return frame(encode(event), ts=START_NS + seq if ts is None else ts, seq=seq, run=run)[:-1]


def record_of(event: Event, *, bot: str = BOT, writer: str | None = None, **more: Any) -> Record:
    """The event as a record, as a follower's reader sees it."""
    return read(line_of(event, **more), bot, writer or writer_of(event))


def write(home: Path, events: Iterable[Event], *, bot: str = BOT, writer: str = names.MAIN) -> None:
    """Append events to a bot's journal, as its writer does."""
    journal = Writer(names.writer_folder(home, bot, writer)).open()
    try:
        for event in events:
            journal.append(encode(event))
    finally:
        journal.close()


def segment_files(home: Path, *, bot: str = BOT, writer: str = names.MAIN) -> list[Path]:
    """A writer's segments, oldest first."""
    folder = names.writer_folder(home, bot, writer)
    return [folder / names.segment_name(first) for first in names.segments(folder)]


def lines_in(home: Path, *, bot: str = BOT, writer: str = names.MAIN) -> list[bytes]:
    """Every line of a writer, without newlines."""
    return [line for file in segment_files(home, bot=bot, writer=writer) for line in file.read_bytes().splitlines()]


def events_in(home: Path, *, bot: str = BOT, writer: str = names.MAIN) -> list[Any]:
    """Every event of a writer."""
    return [read(line, bot, writer).event for line in lines_in(home, bot=bot, writer=writer)]
