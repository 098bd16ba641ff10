"""The trail itself: the newest entries of the control journals, and the state of their chains, read in one walk."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from deskwatch import base
from deskwatch.audit.chain import Break, Chain
from deskwatch.errors import ConfigError
from deskwatch.journal import START, Position, names
from deskwatch.journal.line import Envelope
from deskwatch.journal.walk import Line, Walk, select

BREATH_LINES = 200
"""Lines between two pauses, so that who shares this process's lock on the interpreter is not held up."""
_ENVELOPE = frozenset({"v", "ts", "seq", "run", "crc", "prev", "cut", "type"})
_WHO = ("actor", "remote")
"""Fields that say who did it, the first that is there."""
_BY_ITSELF = "sidecar"


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of a control journal: who did what when and why."""

    bot: str
    ts: int
    """Nanoseconds since 1970."""
    seq: int | None
    type: str
    actor: str
    """Name of the token; for refused sign-ins the address; `sidecar` for what it did by itself."""
    reason: str | None
    """The operator's words."""
    details: dict[str, Any]
    """Whatever else the line says."""

    @property
    def key(self) -> Key:
        """Its place in the order of all entries."""
        return Key(self.ts, self.seq or 0, self.bot)


class Key(NamedTuple):
    """A place in the order of all entries; as text, a page's token."""

    ts: int
    seq: int
    bot: str

    def __str__(self) -> str:
        return f"{self.ts}.{self.seq}.{self.bot}"

    @classmethod
    def parse(cls, text: str) -> Key:
        """A page's token read back.

        Raises:
            ConfigError: It is none.
        """
        ts, _, rest = text.partition(".")
        seq, _, bot = rest.partition(".")
        if not (ts.isdecimal() and seq.isdecimal() and bot and len(ts) < 20 and len(seq) < 20):
            raise ConfigError(f"expected the `next` of an earlier page, was {text[:80]!r}")
        return cls(int(ts), int(seq), bot)


class Trail(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for of the trail.

    Attributes:
        entries: The newest first.
        has_more: Whether older ones were left out.
        breaks: Where the chains are broken.
        lines: Lines of all chains.
        unchained: Lines before a chain's first link.
        heads: Bot → hash of its newest line.
    """

    entries: list[Entry]
    has_more: bool
    breaks: list[Break]
    lines: int
    unchained: int
    heads: dict[str, str]


def read(
    home: Path,
    bots: Sequence[str] | None = None,
    *,
    limit: int | None = None,
    before: Key | None = None,
    breathe: Callable[[], None] = lambda: time.sleep(0),
) -> Trail:
    """Walk the control journals, from their first line to their last.

    Args:
        home: The home of all journals.
        bots: Only these; None for all, and the sidecar's own journal.
        limit: How many entries to keep, the newest; None for all.
        before: Keep only what is older.
        breathe: Called every BREATH_LINES lines.

    Raises:
        ConfigError: A bot's name is none.
    """
    newest: list[tuple[Key, int, Entry]] = []
    dropped = number = unchained = 0
    breaks: list[Break] = []
    heads: dict[str, str] = {}
    for bot in journals(home, bots):
        chain = Chain(bot, partial(_removed_to, home, bot))
        for line, envelope in _lines(home, bot, chain):
            number += 1
            if number % BREATH_LINES == 0:
                breathe()
            if envelope is None or (before is not None and Key(envelope.ts, envelope.seq or 0, bot) >= before):
                continue
            entry = _entry(bot, line, envelope)
            if limit is None or len(newest) < limit:
                heapq.heappush(newest, (entry.key, number, entry))
            else:
                heapq.heappushpop(newest, (entry.key, number, entry))
                dropped += 1
        breaks += chain.breaks
        unchained += chain.unchained
        if chain.head is not None:
            heads[bot] = chain.head
    entries = [entry for _, _, entry in sorted(newest, key=lambda one: one[:2], reverse=True)]
    return Trail(entries=entries, has_more=dropped > 0, breaks=breaks, lines=number, unchained=unchained, heads=heads)


def journals(home: Path, bots: Sequence[str] | None) -> list[str]:
    """The bots that are asked for and have a control journal.

    Raises:
        ConfigError: A bot's name is none.
    """
    asked = None if bots is None else {names.check_name("bot's name", bot) for bot in bots}
    try:
        found = [bot for bot, _ in select(home, None, names.CONTROL)]
    except ConfigError:  # nobody has done anything yet
        return []
    return [bot for bot in found if asked is None or bot in asked]


def _removed_to(home: Path, bot: str) -> Position:
    """Asked after a line was read: retention remembers first and removes then."""
    return base.load(home).positions.get((bot, names.CONTROL), START)


def _lines(home: Path, bot: str, chain: Chain) -> Iterator[tuple[Line, Envelope | None]]:
    for line in Walk(home, bot, names.CONTROL):
        yield line, chain.take(line)


def _entry(bot: str, line: Line, envelope: Envelope) -> Entry:
    try:
        fields: dict[str, Any] = msgspec.json.decode(line.text)  # Any: whatever a line of any version holds
    except msgspec.DecodeError:  # a figure beyond all bounds, which the envelope's reader passes over
        fields = {"unreadable": line.text.decode()}
    details = {name: value for name, value in fields.items() if name not in _ENVELOPE and name != "reason"}
    who = next((name for name in _WHO if isinstance(details.get(name), str)), None)
    reason = fields.get("reason")
    return Entry(
        bot=bot,
        ts=envelope.ts,
        seq=envelope.seq,
        type=envelope.type,
        actor=_BY_ITSELF if who is None else details.pop(who),
        reason=reason if isinstance(reason, str) else None,
        details=details,
    )
