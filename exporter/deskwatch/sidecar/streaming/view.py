"""What there is now: every bot's state, encoded once for all who ask, and the place in the journals where it holds."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable

import msgspec

from deskwatch.projections.state import BotState
from deskwatch.sidecar.feed import Feed
from deskwatch.sidecar.streaming import cursor
from deskwatch.sidecar.streaming.cursor import Places
from deskwatch.sidecar.streaming.topic import EVERYTHING, Topic

_encoder = msgspec.json.Encoder()


class View:
    """The feed's projections as they are shown. Read it between awaits.

    Args:
        feed: Folds the journals.
        supervised: Bots whose process the sidecar runs; such a one is shown before its first line.

    Attributes:
        epoch: Tells this sidecar's run from all others.
    """

    def __init__(self, feed: Feed, supervised: Iterable[str] = ()) -> None:
        self._feed = feed
        self._supervised = frozenset(supervised)
        self.epoch = uuid.uuid4().hex[:16]
        self._encoded: dict[str, msgspec.Raw] = {}

    @property
    def position(self) -> int:
        """The number of the newest record that was folded."""
        return self._feed.projections.activity.number

    @property
    def places(self) -> Places:
        """Up to where each journal is folded in."""
        return self._feed.places

    def take_changed(self) -> set[str]:
        """Bots whose state changed since the last call."""
        state = self._feed.projections.state
        changed, state.changed = state.changed, set()
        for bot in changed:
            self._encoded.pop(bot, None)
        return changed

    def bots(self, topic: Topic = EVERYTHING) -> set[str]:
        """Bots that there are, of those that are wanted."""
        return {bot for bot in {*self._feed.projections.state.bots, *self._supervised} if topic.has(bot)}

    def state(self, bot: str) -> BotState | None:
        """A bot's state as it is served; None where there is no such bot."""
        state = self._feed.projections.state.bots.get(bot)
        if bot not in self._supervised:
            return state
        return msgspec.structs.replace(state or BotState(bot=bot), supervised=True)

    def state_of(self, bot: str) -> msgspec.Raw:
        """The same, encoded."""
        encoded = self._encoded.get(bot)
        if encoded is None:
            encoded = self._encoded[bot] = msgspec.Raw(_encoder.encode(self.state(bot)))
        return encoded

    def snapshot(self, topic: Topic = EVERYTHING, places: Places | None = None) -> dict[str, object]:
        """The state of all bots that are wanted, and where that is.

        Args:
            topic: What is wanted.
            places: The cursor that goes with it, if it is not that of now.
        """
        return {
            "epoch": self.epoch,
            "position": self.position,
            "cursor": cursor.shown(topic.of(self.places) if places is None else places),
            "now": time.time(),
            "bots": [self.state_of(bot) for bot in sorted(self.bots(topic))],
        }
