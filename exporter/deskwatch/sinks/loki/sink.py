"""The Loki sink: follows all journals with a cursor of its own and pushes what it reads.

It runs in a thread, so that neither a slow Loki nor compressing holds up the sidecar's event loop. The disk is the
buffer: one push is in memory at a time. Only Loki's 204, or a quarantine that was written, moves the cursor.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import msgspec

from deskwatch.backoff import FIRST_SECONDS, MOST_SECONDS, Backoff
from deskwatch.journal import Position
from deskwatch.sinks.cursor import Cursor, Key
from deskwatch.sinks.loki.access import Access
from deskwatch.sinks.loki.delivery import Delivery, count
from deskwatch.sinks.loki.lanes import Lanes, Limits
from deskwatch.sinks.loki.plan import MAX_PUSH_BYTES, MIN_PUSH_BYTES, Planner
from deskwatch.sinks.loki.push import READ_SECONDS, Push
from deskwatch.sinks.loki.reading import Item
from deskwatch.sinks.quarantine import Quarantine
from deskwatch.sinks.trouble import Stopping, Trouble

logger = logging.getLogger(__name__)

LOCAL_TROUBLE_SECONDS = 2.0
"""Longest wait after trouble with this machine's disk, which is not made better by leaving it alone."""


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How fast the sink goes, and how long it waits; seconds and bytes."""

    linger_seconds: float = 0.2
    """Least time between pushes, so that a trickle is sent in batches. None while there is a backlog."""
    settle_seconds: float = 1.0
    """How long nothing must have come until the last push is written down as done."""
    first_seconds: float = FIRST_SECONDS
    """Bound of the first wait of a backoff."""
    most_seconds: float = MOST_SECONDS
    """Bound of every wait of a backoff, but for what Loki asks for (ten times that)."""
    stop_seconds: float = 3.0
    """How long the last push may take when the sidecar stops."""
    read_seconds: float = READ_SECONDS
    """How long an answer may take."""
    push_bytes: int = MAX_PUSH_BYTES
    """Journal bytes in one push, about."""


class LokiSink:
    """Delivers every journal line to Loki, once as far as Loki tells repeats apart. An async context manager.

    Attributes:
        name: `loki`, the label of its metrics.
    """

    name = "loki"

    def __init__(
        self,
        home: Path,
        url: str,
        tenant: str | None = None,
        *,
        access: Access | None = None,
        pace: Pace | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._pace = pace or Pace()
        self._access = access or Access(tenant=tenant)
        self._stop = threading.Event()
        self._trouble = Trouble(self.name)
        self._local = Backoff(
            min(FIRST_SECONDS, self._pace.most_seconds), min(LOCAL_TROUBLE_SECONDS, self._pace.most_seconds)
        )
        self._push = Push(url, access=self._access, read_seconds=self._pace.read_seconds)
        self._cursor = Cursor(home, self.name)
        self._quarantine = Quarantine(home, self.name)
        lanes = Lanes(self._cursor, self._push.clock, limits)
        self._planner = Planner(home, self._cursor, lanes, self._pace.push_bytes)
        self._delivery = Delivery(
            self._push,
            lanes,
            self._cursor,
            self._quarantine,
            backoff=Backoff(self._pace.first_seconds, self._pace.most_seconds),
            trouble=self._trouble,
            stop=self._stop,
            meanwhile=self._planner.prefetch,
        )
        self._items: list[Item] = []
        self._oldest_ns: int | None = None
        self._pushed = 0.0
        self._most_bytes = 2 * self._pace.push_bytes
        self._thread = threading.Thread(target=self._run, name="loki", daemon=True)

    @property
    def failures(self) -> Counter[str]:
        """Pushes that have to be tried again, by reason, since the start."""
        return self._trouble.failures

    @property
    def delivered(self) -> int:
        """Lines that Loki has, ever; as written down, so that a crash takes nothing back."""
        return self._cursor.saved_counts[0]

    @property
    def quarantined(self) -> int:
        """Lines that went to quarantine, ever; as written down."""
        return self._cursor.saved_counts[1]

    @property
    def late(self) -> int:
        """Lines that Loki has in the late lane, ever; as written down."""
        return self._cursor.saved_counts[2]

    @property
    def rereads(self) -> int:
        """How often a journal was not what was read, and part of it was read again, since the start."""
        return self._planner.rereads

    def backlog_bytes(self) -> int:
        """Journal bytes that are not delivered yet."""
        return self._planner.backlog_bytes()

    def lag_seconds(self) -> float:
        """Age of the oldest line of the push under way, by its own time; 0 when there is none."""
        oldest = self._oldest_ns
        return 0.0 if oldest is None else max(0.0, time.time() - oldest / 1e9)

    def saved_positions(self) -> Mapping[Key, Position]:
        """Behind what is delivered and written down as such, by bot and writer. May be asked from another thread."""
        return self._cursor.saved_positions()

    async def __aenter__(self) -> Self:
        """Start.

        Raises:
            ConfigError: A file that the access names can't be used.
        """
        self._access.check()
        self._cursor.load()
        self._planner.follower.open()
        self._thread.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Try one last push, for `stop_seconds` at most. What is left is delivered by the next start."""
        self._stop.set()
        self._planner.follower.notifier.wake()
        self._thread.join(self._pace.stop_seconds)
        self._delivery.is_abandoned = True

    def _run(self) -> None:
        is_loaded = False
        while not self._stop.is_set():
            try:
                if not is_loaded:
                    self._quarantine.load(self._cursor.positions)
                    self._take_up(self._planner.items_of_plan())
                    is_loaded = True
                if not self._deliver_next():
                    self._planner.follower.notifier.wait(self._pace.linger_seconds)
                elif not self._planner.is_full:
                    self._stop.wait(self._pace.linger_seconds)
                self._local.reset()
            except Stopping:
                is_loaded = False
            except Exception as error:  # whatever it is, the thread goes on: nothing is delivered without it
                if not isinstance(error, OSError):
                    logger.exception("a push could not be made")
                self._trouble.tell(type(error).__name__, str(error))
                self._stop.wait(self._local.next_seconds())
        with contextlib.suppress(Exception):
            if is_loaded:  # and not stopped in the middle of trouble, which one more try would not end
                self._deliver_next()
                self._save()
        self._planner.close()
        self._push.close()

    def _deliver_next(self) -> bool:
        """Deliver what the journals have got, up to one push; False if there was nothing.

        Raises:
            Stopping: The sink is stopping.
            OSError: A disk refused; the next call goes on where this one was.
        """
        if not self._cursor.plan:
            self._take_up(self._planner.next_items())
        if not self._cursor.plan:
            if time.monotonic() - self._pushed >= self._pace.settle_seconds:
                self._save()
            return False
        self._save()
        failures = self._trouble.failures.total()
        self._delivery.deliver(self._items)
        delivered, quarantined, late = count(self._items)
        self._cursor.settle(delivered=delivered, quarantined=quarantined, late=late)
        self._items = []
        self._oldest_ns = None
        self._pushed = time.monotonic()
        self._size_next_push(is_smooth=self._trouble.failures.total() == failures)
        return True

    def _take_up(self, items: list[Item]) -> None:
        self._items = items
        heads = (item.entry for item in items if item.index == 0)
        self._oldest_ns = min((entry.event_ts for entry in heads if entry), default=None)

    def _size_next_push(self, *, is_smooth: bool) -> None:
        """Twice the usual while a backlog is worked off smoothly; less where Loki finds that too large."""
        usual = self._pace.push_bytes
        if self._delivery.too_large:
            self._delivery.too_large = False
            self._most_bytes = max(self._planner.push_bytes // 2, MIN_PUSH_BYTES)
        wanted = 2 * usual if is_smooth and self._planner.is_full else usual
        self._planner.push_bytes = min(wanted, self._most_bytes)

    def _save(self) -> None:
        if self._cursor.is_changed and not self._delivery.is_abandoned:
            self._cursor.save()
