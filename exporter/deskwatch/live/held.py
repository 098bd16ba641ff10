"""What a client holds: a fold over the stream's messages, whichever road they came by. No I/O and no clock."""

from __future__ import annotations

from collections.abc import Iterable

from deskwatch.live.bot import BotState
from deskwatch.live.change import Change, Road
from deskwatch.live.messages import Cursor, Dropped, Entry, Events, Heartbeat, Message, Other, Resumed, Snapshot, State

NO_RESUME = "the sidecar does not go on from where this client was"


class Held:
    """The state after all messages so far.

    Attributes:
        bots: Each bot's newest state.
        cursor: How far events were taken in; None as long as no place is known.
        position: The sidecar's own count of events; starts anew with `epoch`.
        repeated: Events that came again and were passed over.
    """

    def __init__(self, cursor: Cursor | None = None, bots: Iterable[str] = ()) -> None:
        self.bots: dict[str, BotState] = {}
        self.cursor = None if cursor is None else dict(cursor)
        self.position = 0
        self.epoch: str | int | None = None
        self.repeated = 0
        self._wanted = frozenset(bots)
        self._began = cursor is not None

    def take(self, message: Message | Other, road: Road) -> Change | None:
        """Fold a message in; what is new by it."""
        match message:
            case Snapshot():
                return self._snapshot(message, road)
            case Resumed():
                self.epoch, self.position = message.epoch, message.position
                self._replace(message.bots)
                return Change(road=road, bots=tuple(self.bots), replayed=True)
            case Events():
                return self._events(message, road)
            case State():
                self.position = message.position or self.position
                ahead = self._move(message.cursor)
                return Change(road=road, bots=self._update(message.bots), cursor=ahead)
            case Heartbeat():
                self.position = message.position or self.position
            case Dropped() | Other():
                pass
        return None

    def _snapshot(self, message: Snapshot, road: Road) -> Change:
        reset = message.reset or (NO_RESUME if self._began else None)
        self._began = True
        self.epoch, self.position = message.epoch, message.position
        self.cursor = None if message.cursor is None else dict(message.cursor)
        self._replace(message.bots)
        return Change(road=road, bots=tuple(self.bots), reset=reset, cursor=message.cursor, is_whole=True)

    def _move(self, cursor: Cursor) -> Cursor:
        """Move on, never back: what was taken in once is not to be taken in again. The part that moved."""
        ahead: Cursor = {}
        for writer, text in cursor.items():
            now, then = _place((self.cursor or {}).get(writer)), _place(text)
            if now is None or then is None or then >= now:
                ahead[writer] = text
        if ahead:
            self.cursor = {**(self.cursor or {}), **ahead}
        return ahead

    def _events(self, message: Events, road: Road) -> Change | None:
        fresh = tuple(entry for entry in message.events if not is_before(entry, self.cursor))
        self.repeated += len(message.events) - len(fresh)
        self.position = message.position or self.position
        ahead = self._move(message.cursor)
        if not fresh and not ahead:
            return None
        return Change(road=road, events=fresh, replayed=message.replayed, cursor=ahead)

    def _replace(self, bots: list[BotState]) -> None:
        self.bots.clear()
        self._update(bots)

    def _update(self, bots: list[BotState]) -> tuple[str, ...]:
        wanted = [one for one in bots if not self._wanted or one.bot in self._wanted]
        self.bots |= {one.bot: one for one in wanted}
        return tuple(one.bot for one in wanted)


def is_before(entry: Entry, cursor: Cursor | None) -> bool:
    """Whether an event surely is from before a cursor: who holds that cursor has taken it in already."""
    writer, place = place_of(entry.id)
    held = None if writer is None else _place((cursor or {}).get(writer))
    return place is not None and held is not None and place < held


def place_of(entry_id: str | None) -> tuple[str | None, tuple[int, int] | None]:
    """Writer (`<bot>/<writer>`) and place (segment, offset) of an event's id; None where it has none."""
    if entry_id is None:
        return None, None
    writer, _, place = entry_id.rpartition("/")
    return writer or None, _place(place)


def _place(text: str | None) -> tuple[int, int] | None:
    segment, offset, *_ = [*(text or "").split("."), ""]
    if not (segment.isdecimal() and offset.isdecimal()):
        return None
    return int(segment), int(offset)
