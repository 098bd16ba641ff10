"""Recent activity: the newest events, filtered the way people look for them.

Observations that come many times a second (blocks, pools, prices, heartbeats, requests) are state, not activity; they
are left out of what is kept here and are found in the journal and in Loki.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

import msgspec

from deskwatch import events as ev
from deskwatch.journal import Record

KEPT = 1000
"""Events that are kept in memory."""
KEPT_BYTES = 2 * 1024 * 1024
"""And the most that their lines may come to."""

LEVELS = ("debug", "info", "warning", "error", "critical")
_NOT_ACTIVITY = frozenset(
    {
        "heartbeat_sent",
        "price_observed",
        "book_observed",
        "pool_observed",
        "gas_price_observed",
        "block_observed",
        "balance_observed",
        "equity_observed",
        "request_completed",
        "pool_usage_observed",
        "position_updated",
        "wallet_observed",
    }
)
_ASK_EVENT = "ask"
_LEVEL_OF_TYPE = {
    "order_rejected": "warning",
    "order_expired": "warning",
    "transaction_reverted": "warning",
    "reorg_observed": "warning",
    "transaction_dropped": "warning",
    "command_failed": "error",
    "command_expired": "warning",
    "command_refused": "warning",
    "command_unconfirmed": "warning",
    "sign_in_refused": "warning",
    "risk_alert_raised": _ASK_EVENT,
    "connection_changed": _ASK_EVENT,
    "log_recorded": _ASK_EVENT,
    "error_occurred": _ASK_EVENT,
    "watch_stopped": _ASK_EVENT,
}


def level_of(record: Record) -> str:
    """How serious a record's event is: one of LEVELS."""
    return level_of_event(record.type, record.event)


def level_of_event(name: str, event: ev.Event | ev.Unknown) -> str:
    """How serious an event of this type is: one of LEVELS."""
    level = _LEVEL_OF_TYPE.get(name, "info")
    if level != _ASK_EVENT:
        return level
    if isinstance(event, ev.RiskAlertRaised):
        return event.severity if event.severity in LEVELS else "warning"
    if isinstance(event, ev.ConnectionChanged):
        return "info" if event.up or event.gone else "warning"
    if isinstance(event, ev.WatchStopped):
        return "info" if event.reason == "closed" else "warning"
    level = getattr(event, "levelname", "").lower()
    return level if level in LEVELS else "info"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One event in the activity, with what it is filtered by."""

    id: str
    """`<bot>/<writer>/<segment>.<offset>`: where its line begins. The same wherever and whenever it is shown."""
    number: int | None
    """Grows by one with each record that the sidecar folds; None where that is not known: it was read from disk."""
    bot: str
    kind: str
    type: str
    level: str
    ts: int
    provider: str | None
    symbol: str | None
    raw: msgspec.Raw
    """The journal's line: JSON."""


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries are wanted; None means any. `level` means this one or a more serious one."""

    bot: str | None = None
    kind: str | None = None
    type: str | None = None
    provider: str | None = None
    symbol: str | None = None
    level: str | None = None
    since_ts: int | None = None
    """Nanoseconds since 1970; this time is within."""
    until_ts: int | None = None
    """Nanoseconds since 1970; this time is not."""

    def accepts(self, entry: Entry) -> bool:
        """Whether an entry is wanted."""
        return (
            (self.bot is None or entry.bot == self.bot)
            and (self.kind is None or entry.kind == self.kind)
            and (self.type is None or entry.type == self.type)
            and (self.provider is None or entry.provider == self.provider)
            and (self.symbol is None or entry.symbol == self.symbol)
            and (self.level is None or LEVELS.index(entry.level) >= LEVELS.index(self.level))
            and (self.since_ts is None or entry.ts >= self.since_ts)
            and (self.until_ts is None or entry.ts < self.until_ts)
        )


def entry_of(record: Record, segment: int, offset: int, number: int | None = None) -> Entry | None:
    """A record's entry in the activity, if it has one.

    Args:
        record: What was read.
        segment: First `seq` of the segment that holds it.
        offset: Bytes of the segment before its line.
        number: Its number, where it is known.
    """
    if record.type in _NOT_ACTIVITY:
        return None
    event = record.event
    return Entry(
        id=f"{record.bot}/{record.writer}/{segment}.{offset}",
        number=number,
        bot=record.bot,
        kind=record.kind,
        type=record.type,
        level=level_of(record),
        ts=record.ts,
        provider=getattr(event, "provider", None),
        symbol=getattr(event, "symbol", None),
        raw=msgspec.Raw(record.raw),
    )


class Activity:
    """The projection: `apply` records, read with `newest` and `since`."""

    def __init__(self) -> None:
        self.number = 0
        """Number of the newest record folded, activity or not."""
        self._entries: deque[Entry] = deque()
        self._bytes = 0

    def apply(self, record: Record, segment: int = 0, offset: int = 0) -> Entry | None:
        """Fold one record in; its entry, if it is activity. Its line begins at this place of its journal."""
        self.number += 1
        entry = entry_of(record, segment, offset, self.number)
        if entry is not None:
            self._keep(entry)
        return entry

    def _keep(self, entry: Entry) -> None:
        self._entries.append(entry)
        self._bytes += len(entry.raw)
        while len(self._entries) > KEPT or self._bytes > KEPT_BYTES:
            self._bytes -= len(self._entries.popleft().raw)

    def __reversed__(self) -> Iterator[Entry]:
        """What is kept, newest first."""
        return reversed(self._entries)

    def newest(self, wanted: Filter, limit: int) -> list[Entry]:
        """The newest entries that are wanted, newest first."""
        found: list[Entry] = []
        for entry in reversed(self._entries):
            if len(found) == limit:
                break
            if wanted.accepts(entry):
                found.append(entry)
        return found

    def since(self, number: int, wanted: Filter) -> Iterator[Entry]:
        """Entries after a number that are wanted, oldest first."""
        return (entry for entry in self._entries if (entry.number or 0) > number and wanted.accepts(entry))

    def dump(self) -> Any:
        """The state as JSON-able values, for the checkpoint."""
        return {"number": self.number, "entries": [_row(entry) for entry in self._entries]}

    def load(self, state: Any) -> None:
        """Take the state back from a checkpoint. Entries of a version that gave them no id are left out."""
        self.number = state["number"]
        rows = (row for row in state["entries"] if "id" in row)
        entries = (Entry(**{**row, "raw": msgspec.Raw(row["raw"].encode())}) for row in rows)
        self._entries, self._bytes = deque(), 0
        for entry in entries:
            self._keep(entry)


def _row(entry: Entry) -> dict[str, Any]:
    """An entry for the checkpoint, its line as text: it comes back byte for byte."""
    return {**msgspec.structs.asdict(entry), "raw": bytes(entry.raw).decode()}
