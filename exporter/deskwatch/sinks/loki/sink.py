"""The Loki sink: follows all journals with a cursor of its own and pushes what it reads.

It runs in a thread, so that neither a slow Loki nor compressing holds up the sidecar's event loop. The disk is the
buffer: one batch is in memory at a time. Only Loki's 204, or a quarantine that was written, moves the cursor.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Self

from deskwatch.errors import InvalidLine
from deskwatch.journal import Batch, Follower
from deskwatch.sinks.backoff import Backoff
from deskwatch.sinks.cursor import Cursor
from deskwatch.sinks.loki.entries import Entry, as_entry
from deskwatch.sinks.loki.push import Push
from deskwatch.sinks.loki.quarantine import Quarantine

logger = logging.getLogger(__name__)

BATCH_BYTES = 256 * 1024
"""Journal bytes read from one writer for one push."""
MAX_PUSH_BYTES = 1024 * 1024
"""Journal bytes in one push, over all writers, about."""
LINGER_SECONDS = 0.2
"""Least time between pushes, so that a trickle is sent in batches."""
STOP_SECONDS = 3.0
"""How long the last push may take when the sidecar stops."""


class LokiSink:
    """Delivers every journal line to Loki, once as far as Loki tells repeats apart. An async context manager.

    Attributes:
        name: `loki`, the label of its metrics.
        failures: Pushes that have to be tried again, by reason, since the start.
    """

    name = "loki"

    def __init__(self, home: Path, url: str, tenant: str | None = None) -> None:
        self._push = Push(url, tenant)
        self._cursor = Cursor(home, self.name)
        self._quarantine = Quarantine(home, self.name)
        self._home = home
        self._follower = Follower(home)
        self._backoff = Backoff()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="loki", daemon=True)
        self.failures: Counter[str] = Counter()
        self._told = -60.0

    @property
    def delivered(self) -> int:
        """Lines that Loki has, ever."""
        return self._cursor.delivered

    @property
    def quarantined(self) -> int:
        """Lines that went to quarantine, ever."""
        return self._cursor.quarantined

    def backlog_bytes(self) -> int:
        """Journal bytes that are not delivered yet."""
        return self._follower.backlog_bytes()

    async def __aenter__(self) -> Self:
        self._cursor.load()
        self._follower = Follower(self._home, self._cursor.positions).open()
        self._follower.discover()
        self._thread.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Try one last push, for STOP_SECONDS at most. What is left is delivered by the next start."""
        self._stop.set()
        self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                if not self._deliver():
                    self._follower.notifier.wait(LINGER_SECONDS)
                else:
                    self._stop.wait(LINGER_SECONDS)
            except Exception as error:  # whatever it is, the thread goes on: nothing is delivered without it
                self._trouble(type(error).__name__, str(error))
                self._stop.wait(self._backoff.next_seconds())
        with contextlib.suppress(Exception):
            self._deliver()
        self._follower.close()
        self._push.close()

    def _deliver(self) -> bool:
        """Deliver what the journals have got, up to one push; False if there was nothing."""
        self._follower.discover()
        batches: list[Batch] = []
        size = 0
        for batch in self._follower.read(BATCH_BYTES):
            batches.append(batch)
            size += sum(map(len, batch.lines))
            if size >= MAX_PUSH_BYTES:
                break
        if not batches:
            return False
        try:
            sent = self._send_batches(batches)
        except OSError:
            self._go_back(batches)
            raise
        if sent is None:
            self._go_back(batches)
            return True
        self._cursor.delivered += sent
        for batch in batches:
            self._cursor.positions[batch.bot, batch.writer] = batch.position
        self._cursor.save()
        return True

    def _send_batches(self, batches: list[Batch]) -> int | None:
        """Send all lines; how many Loki took, the others being in quarantine. None when the sink is stopping.

        Raises:
            OSError: A line could not be put in quarantine.
        """
        entries: list[Entry] = []
        sources: list[tuple[str, str]] = []
        for batch in batches:
            for line in batch.lines:
                try:
                    entries.append(as_entry(line, batch.bot, batch.writer))
                    sources.append((batch.bot, batch.writer))
                except InvalidLine as error:
                    self._put_aside(batch.bot, batch.writer, line, error.reason)
        before = self._cursor.quarantined
        if not self._send(entries, sources):
            return None
        return len(entries) - (self._cursor.quarantined - before)

    def _send(self, entries: list[Entry], sources: list[tuple[str, str]]) -> bool:
        """Push until Loki has the entries, halving what it refuses down to the lines it won't take.

        Returns False only when the sink is stopping.
        """
        while entries:
            answer = self._push.send(entries)
            if answer.outcome == "stored":
                self._backoff.reset()
                return True
            if answer.outcome == "refused":
                if len(entries) == 1:
                    self._put_aside(*sources[0], entries[0].line.encode(), f"{answer.reason} {answer.detail}")
                    return True
                half = len(entries) // 2
                return self._send(entries[:half], sources[:half]) and self._send(entries[half:], sources[half:])
            self._trouble(answer.reason, answer.detail)
            if self._stop.wait(self._backoff.next_seconds(answer.retry_after)):
                return False
        return True

    def _go_back(self, batches: list[Batch]) -> None:
        """Read again, next time, what was not delivered."""
        for batch in batches:
            self._follower.rewind(batch.bot, batch.writer, batch.start)

    def _put_aside(self, bot: str, writer: str, line: bytes, reason: str) -> None:
        self._quarantine.put(bot, writer, line, reason)
        self._cursor.quarantined += 1
        logger.warning("a line was quarantined", extra={"sink": self.name, "bot": bot, "reason": reason[:200]})

    def _trouble(self, reason: str, detail: str) -> None:
        """Count trouble, and log it when it begins and once a minute while it lasts."""
        self.failures[reason] += 1
        now = time.monotonic()
        if now - self._told >= 60.0:
            self._told = now
            logger.warning("Loki did not take a push, trying again", extra={"reason": reason, "detail": detail})
