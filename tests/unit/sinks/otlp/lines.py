"""Lines as the sinks read them, made by hand."""

from __future__ import annotations

from deskwatch.events import Event
from deskwatch.journal import Position
from deskwatch.sinks.otlp.reading import Line
from tests.lines import BOT, START_NS, line_of, writer_of

SECOND = 10**9


def line(event: Event, *, seq: int = 1, seconds: float | None = None, bot: str = BOT) -> Line:
    """An event's line, so many seconds after the first."""
    ts = START_NS + round((seq if seconds is None else seconds) * SECOND)
    return raw(line_of(event, seq=seq, ts=ts), bot=bot, writer=writer_of(event), offset=seq)


def raw(text: bytes, *, bot: str = BOT, writer: str = "main", offset: int = 0) -> Line:
    """Any line."""
    return Line((bot, writer), Position(1, offset), text)
