"""What a source remembers of what it told: its own part, and the part that every source needs."""

from __future__ import annotations

import msgspec

from deskwatch import events as ev
from deskwatch.events import Event, Mode


class Memory(msgspec.Struct, kw_only=True):
    """What a source has to know of what it told before, so that a restart tells nothing twice and misses nothing.

    It is folded from the source's own journal. A subclass has fields with defaults that JSON can hold, and `fold`. It
    is kept in a checkpoint; what was journaled after that is folded again at the next start. Give `version` another
    default whenever the fields or the folding change: then all that the journal still holds is folded anew, and what
    happened before that counts as told.
    """

    version: int = 1

    def fold(self, event: Event) -> None:
        """Take in an event that is in the journal now."""


class Told(Memory, kw_only=True):
    """What every source knows of what was told."""

    version: int = 2
    mode: Mode | None = None
    boot: str | None = None
    is_running: bool = False
    """From a BotStarted to a BotStopped."""
    connections: dict[str, bool] = {}
    """`venue connection` → whether it is up."""
    answered: float = 0.0
    """When the newest heartbeat was journaled, Unix time: the peer had just answered. 0 before the first."""
    before: float = 0.0
    """Unix time: what happened before counts as told. It stands in a part of the journal that retention removed, and
    the memory of it was lost."""

    def has(self, event: Event) -> bool:
        """Whether this counts as told, though no memory is left of it."""
        happened = event.happened_timestamp_seconds
        return happened is not None and happened < self.before

    def fold(self, event: Event, at: float = 0.0) -> None:
        """Take in an event that is in the journal now, since `at` (Unix time)."""
        match event:
            case ev.HeartbeatSent():
                self.answered = at
            case ev.BotStarted():
                self.boot, self.is_running, self.mode = event.boot, True, event.mode
            case ev.BotStopped():
                self.is_running = False
            case ev.ModeChanged():
                self.mode = event.mode
            case ev.ConnectionChanged(gone=True):
                self.connections.pop(f"{event.venue} {event.connection}", None)
            case ev.ConnectionChanged():
                self.connections[f"{event.venue} {event.connection}"] = event.up
