"""A channel: the live clients that want the same. What they get is encoded once."""

from __future__ import annotations

from deskwatch.projections.activity import Entry
from deskwatch.sidecar.streaming import cursor
from deskwatch.sidecar.streaming.cursor import Key, Place, Places
from deskwatch.sidecar.streaming.message import Message
from deskwatch.sidecar.streaming.reader import Reader
from deskwatch.sidecar.streaming.topic import Topic


class Channel:
    """One topic's clients, and what they will be sent next.

    Attributes:
        readers: The clients.
    """

    def __init__(self, topic: Topic) -> None:
        self.topic = topic
        self.readers: set[Reader] = set()
        self._entries: list[Entry] = []
        self._moved: dict[Key, Place] = {}  # since the last message with events
        self._state: tuple[int, frozenset[str], Message] | None = None

    @property
    def has_events(self) -> bool:
        """Whether there are events to send."""
        return bool(self._entries)

    def take_in(self, entries: list[Entry], moved: Places) -> None:
        """Have what was folded sent with the next message."""
        accepts = self.topic.accepts
        self._entries += [entry for entry in entries if accepts(entry)]
        self._moved |= self.topic.of(moved)

    def events(self, position: int, places: Places) -> Message:
        """The message with all that was taken in."""
        fields = {
            "type": "events",
            "position": position,
            "cursor": cursor.shown(self._moved),
            "events": self._entries,
            "replayed": False,
        }
        self._entries, self._moved = [], {}
        return Message(fields, self.topic.of(places))

    def state(self, position: int, places: Places, names: set[str], bots: list[object]) -> Message:
        """The message with the states of some bots, once there are no events to send before it."""
        wanted = frozenset(names)
        if self._state is None or self._state[:2] != (position, wanted):
            fields = {"type": "state", "position": position, "cursor": cursor.shown(self._moved), "bots": bots}
            self._state = (position, wanted, Message(fields, self.topic.of(places)))
        return self._state[2]
