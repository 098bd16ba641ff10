"""The OTLP sinks: each follows all journals with a cursor of its own, and hands what it makes of them to an exporter.

Logs and traces are two sinks, because their endpoints fail apart: each has its thread, its cursor and its quarantine.
The disk is the buffer: one batch is in memory at a time, and only the endpoint's yes, or a quarantine that was written,
moves the cursor. OTLP has no way to tell a repeat, so the cursor is written after each batch and before the next:
what a crash can double is the last batch.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol, Self

import msgspec

from deskwatch.backoff import FIRST_SECONDS, MOST_SECONDS, Backoff
from deskwatch.errors import InvalidLine
from deskwatch.journal import Position, read_envelope
from deskwatch.sinks.answer import Answer
from deskwatch.sinks.cursor import Cursor, Key
from deskwatch.sinks.otlp.reading import BATCH_BYTES, Line, Reader
from deskwatch.sinks.quarantine import Quarantine, row_of
from deskwatch.sinks.trouble import MAX_REASON, Poison, Stopping, Trouble

logger = logging.getLogger(__name__)

LOCAL_TROUBLE_SECONDS = 2.0
"""Longest wait after trouble with this machine's disk, which is not made better by leaving it alone."""


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How fast a sink goes, and how long it waits; seconds and bytes."""

    linger_seconds: float = 1.0
    """Least time between batches, so that a trickle is sent in batches. None while there is a backlog."""
    first_seconds: float = FIRST_SECONDS
    """Bound of the first wait of a backoff."""
    most_seconds: float = MOST_SECONDS
    """Bound of every wait of a backoff, but for what the endpoint asks for (ten times that)."""
    stop_seconds: float = 3.0
    """How long the last batch may take when the sidecar stops."""
    batch_bytes: int = BATCH_BYTES
    """Journal bytes in one batch, about."""


class Item(NamedTuple):
    """What is sent for a line: a log record, or a span that ended there."""

    line: Line
    payload: Any  # each signal has a type of its own


class Translation(Protocol):
    """What a signal makes of the journal's lines."""

    def translate(self, line: Line) -> Sequence[Any]:
        """What is to be sent for a line."""

    def memory(self) -> msgspec.Raw:
        """What must be known of the lines so far, as JSON."""

    def remember(self, memory: msgspec.Raw) -> None:
        """Know that again, after a restart."""


class Sending(Protocol):
    """A way to the endpoint (`exporters.Exporter`)."""

    def send(self, batch: Any, /) -> Answer:
        """Hand over a batch."""

    def close(self) -> None:
        """Close the connection."""


class OtlpSink:
    """Delivers all journals as one signal, at least once. An async context manager.

    Args:
        name: The label of its metrics, and of its files under `<home>/sinks/`.
        home: Whose journals.
        translation: What it makes of lines.
        sending: The way to the endpoint.
        pace: How fast.
    """

    def __init__(
        self,
        name: str,
        home: Path,
        translation: Translation,
        sending: Sending,
        pace: Pace | None = None,
    ) -> None:
        self.name = name
        self._pace = pace or Pace()
        self._translation = translation
        self._sending = sending
        self._stop = threading.Event()
        self._is_abandoned = False
        self._trouble = Trouble(name)
        self._poison = Poison(name)
        self._backoff = Backoff(self._pace.first_seconds, self._pace.most_seconds)
        self._local = Backoff(
            min(FIRST_SECONDS, self._pace.most_seconds), min(LOCAL_TROUBLE_SECONDS, self._pace.most_seconds)
        )
        self._cursor = Cursor(home, name)
        self._quarantine = Quarantine(home, name)
        self._reader = Reader(home, self._cursor, self._pace.batch_bytes)
        self._faulty: list[tuple[Line, str]] = []
        """Lines of the batch under way that nothing could be made of, and why."""
        self._waiting: list[list[Item]] = []
        """What is not delivered of the batch under way, cut where the endpoint refused it."""
        self._counts = Counter[str]()
        self._oldest_ns: int | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def failures(self) -> Counter[str]:
        """Tries that have to be made again, by reason, since the start."""
        return self._trouble.failures

    @property
    def delivered(self) -> int:
        """Log records or spans that the endpoint took, ever; as written down, so that a crash takes nothing back."""
        return self._cursor.saved_counts[0]

    @property
    def quarantined(self) -> int:
        """Log records or spans that it did not, ever; as written down."""
        return self._cursor.saved_counts[1]

    @property
    def rereads(self) -> int:
        """How often a journal was not what was read, and part of it was read again, since the start."""
        return self._reader.rereads

    def backlog_bytes(self) -> int:
        """Journal bytes that are not delivered yet."""
        return self._reader.backlog_bytes()

    def lag_seconds(self) -> float:
        """Age of the oldest line of the batch under way, by its own time; 0 when there is none."""
        oldest = self._oldest_ns
        return 0.0 if oldest is None else max(0.0, time.time() - oldest / 1e9)

    def saved_positions(self) -> Mapping[Key, Position]:
        """Behind what is delivered and written down as such, by bot and writer. May be asked from another thread."""
        return self._cursor.saved_positions()

    async def __aenter__(self) -> Self:
        self._cursor.load()
        self._reader.follower.open()
        self._thread.start()
        return self

    def stop(self) -> None:
        """Begin to stop, without waiting for it."""
        self._stop.set()
        self._reader.follower.notifier.wake()

    async def __aexit__(self, *_: object) -> None:
        """Try one last batch, for `stop_seconds` at most. What is left is delivered by the next start."""
        self.stop()
        await asyncio.to_thread(self._thread.join, self._pace.stop_seconds)
        self._is_abandoned = True
        if not self._thread.is_alive():
            self._reader.close()

    def _run(self) -> None:
        is_loaded = False
        while not self._stop.is_set():
            try:
                if not is_loaded:
                    self._load()
                    is_loaded = True
                if not self._deliver_next():
                    self._reader.follower.notifier.wait(self._pace.linger_seconds)
                elif not self._reader.is_full:
                    self._stop.wait(self._pace.linger_seconds)
                self._local.reset()
            except Stopping:
                is_loaded = False
            except Exception as error:  # whatever it is, the thread goes on: nothing is delivered without it
                if not isinstance(error, OSError):
                    logger.exception("a batch could not be sent", extra={"sink": self.name})
                self._trouble.tell(type(error).__name__, str(error))
                self._stop.wait(self._local.next_seconds())
        with contextlib.suppress(Exception):
            if is_loaded:  # and not stopped in the middle of trouble, which one more try would not end
                self._deliver_next()
        self._sending.close()

    def _load(self) -> None:
        self._quarantine.load(self._cursor.positions)
        self._translation.remember(self._cursor.memory)

    def _deliver_next(self) -> bool:
        """Deliver what the journals have got, up to one batch; False if there was nothing.

        Raises:
            Stopping: The sink is stopping.
            OSError: A disk refused; the next call goes on where this one was.
        """
        self._save()
        if not self._cursor.plan:
            self._take_up(self._reader.next_lines())
            if not self._cursor.plan:
                self._save()
                return False
        if self._faulty:
            self._put_aside(self._faulty)
            self._counts["quarantined"] += len(self._faulty)
            self._faulty = []
        while self._waiting:
            self._send(self._waiting[-1])
        self._cursor.settle(delivered=self._counts["delivered"], quarantined=self._counts["quarantined"], late=0)
        self._cursor.memory = self._translation.memory()
        self._oldest_ns = None
        self._save()
        return True

    def _take_up(self, lines: Sequence[Line]) -> None:
        """Make of the batch's lines what is to be sent."""
        self._counts.clear()
        items: list[Item] = []
        for line in lines:
            try:
                payloads = self._translation.translate(line)
            except Exception as error:  # our fault; the line is kept, and holds up no other
                self._faulty.append((line, f"translation {type(error).__name__}: {error}"[:MAX_REASON]))
                continue
            if payloads and self._quarantine.has(line.key, line.at, line.raw):  # put aside before a crash
                self._counts["quarantined"] += len(payloads)
            else:
                items += [Item(line, payload) for payload in payloads]
        self._waiting = [items] if items else []
        heads = {item.line.key: item.line for item in reversed(items)}  # a writer's first is its oldest
        times = [time_ns for time_ns in map(_time_of, heads.values()) if time_ns is not None]
        self._oldest_ns = min(times, default=None)

    def _send(self, chunk: list[Item]) -> None:
        """Try what is next; it is left in `_waiting` where it has to be tried again, and halved where it is refused."""
        answer = self._sending.send([item.payload for item in chunk])
        if self._is_abandoned:
            raise Stopping
        if answer.outcome == "later":
            self._trouble.tell(answer.reason, answer.detail)
            if self._stop.wait(self._backoff.next_seconds(answer.retry_after)):
                raise Stopping
            return
        self._backoff.reset()
        if answer.outcome == "stored":
            self._count_stored(chunk, answer)
        elif len(chunk) == 1:
            self._put_aside([(chunk[0].line, f"{answer.reason} {answer.detail}"[:MAX_REASON])])
            self._counts["quarantined"] += 1
        else:
            half = len(chunk) // 2
            self._waiting[-1:] = [chunk[half:], chunk[:half]]
            return
        self._waiting.pop()

    def _count_stored(self, chunk: list[Item], answer: Answer) -> None:
        """Count what was taken. Of a partial success nothing may be sent again, nor is it said which were refused."""
        rejected = min(answer.rejected, len(chunk))
        if rejected:
            which = "" if rejected == len(chunk) else f", this may be one: {rejected} of {len(chunk)}"
            reason = f"rejected{which} {answer.detail}"[:MAX_REASON]
            self._put_aside([(item.line, reason) for item in chunk])
        self._counts["delivered"] += len(chunk) - rejected
        self._counts["quarantined"] += rejected

    def _put_aside(self, lines: Sequence[tuple[Line, str]]) -> None:
        rows = [row_of(line.key, line.at, line.raw, reason) for line, reason in lines]
        self._quarantine.put(rows)
        self._poison.tell(rows)

    def _save(self) -> None:
        if self._cursor.is_changed and not self._cursor.plan and not self._is_abandoned:
            self._cursor.save()


def _time_of(line: Line) -> int | None:
    """A line's own time, ns; None where it has none."""
    try:
        return read_envelope(line.raw).ts
    except InvalidLine:
        return None
