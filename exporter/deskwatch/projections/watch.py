"""Who watches a bot that writes no journal itself, or beside its own: a source for each of its writers."""

from __future__ import annotations

import msgspec

from deskwatch import events as ev
from deskwatch.journal import Record
from deskwatch.journal.names import MAIN

MAX_WATCHES = 20
"""Sources of one bot that are kept."""


class Watch(msgspec.Struct, kw_only=True):
    """A source that watches the bot, or did. Times are Unix seconds."""

    source: str
    """What kind: `freqtrade`, `evm`, `hummingbot`."""
    peer: str
    """What it watches, for people."""
    since: float
    until: float | None = None
    """When it ceased in good order; null while it watches."""


def began(watches: dict[str, Watch], record: Record, event: ev.WatchStarted) -> None:
    """A source began to watch."""
    if record.writer in watches or len(watches) < MAX_WATCHES:
        watches[record.writer] = Watch(source=event.source, peer=event.peer, since=record.seconds)


def ended(watches: dict[str, Watch], record: Record) -> None:
    """A source ceased to watch."""
    if record.writer in watches:
        watches[record.writer].until = record.seconds


def is_over(watches: dict[str, Watch], record: Record) -> None:
    """A bot started that nobody watches under this writer's name any more: it journals itself now."""
    if record.writer in watches and watches[record.writer].until is not None:
        del watches[record.writer]


def is_onlooker(watches: dict[str, Watch], record: Record, speaker: str | None) -> bool:
    """Whether a source wrote this beside the journal of the bot, which `speaker` writes: no sign of the bot's life."""
    return record.writer != MAIN and record.writer in watches and speaker not in (None, record.writer)
