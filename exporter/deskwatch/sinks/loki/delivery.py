"""Getting one planned push to its end: every line of it is with Loki, or in quarantine.

What Loki refuses is halved down to the lines that it won't take. A line that it refuses for its time is not poison: it
goes to the late lane, and that is written down before it is pushed there.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from deskwatch.backoff import Backoff
from deskwatch.sinks.answer import Answer
from deskwatch.sinks.cursor import Cursor
from deskwatch.sinks.loki.entries import LATE, LIVE, Entry, as_late
from deskwatch.sinks.loki.lanes import Lanes, find_order_cutoff, is_about_time
from deskwatch.sinks.loki.push import Push
from deskwatch.sinks.loki.reading import Item
from deskwatch.sinks.quarantine import Quarantine, row_of
from deskwatch.sinks.trouble import MAX_REASON, Poison, Stopping, Trouble

MANY = 1000
"""Lines from which on a push is sent in two requests at the same time."""


class Delivery:
    """Delivers planned lines.

    Attributes:
        too_large: Set when Loki found a push of several lines too large (413).
    """

    def __init__(
        self,
        push: Push,
        lanes: Lanes,
        cursor: Cursor,
        quarantine: Quarantine,
        *,
        backoff: Backoff,
        trouble: Trouble,
        stop: threading.Event,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> None:
        self._push = push
        self._lanes = lanes
        self._cursor = cursor
        self._quarantine = quarantine
        self._backoff = backoff
        self._trouble = trouble
        self._poison = Poison("loki")
        self._stop = stop
        self._meanwhile = meanwhile
        self.too_large = False
        self.is_abandoned = False
        """Set by whoever gave up waiting for the stop: nothing on disk may be touched any more."""

    def deliver(self, items: Sequence[Item]) -> None:
        """Return once all are delivered or in quarantine. Called again, it goes on where it was.

        Raises:
            Stopping: The sink is stopping.
            OSError: The quarantine or the cursor could not be written.
        """
        waiting: list[Item] = []
        faulty: list[tuple[Item, str]] = []
        for item in items:
            if item.is_done:
                continue
            if self._quarantine.has((item.part.bot, item.part.writer), item.at, item.line):  # before a crash
                item.is_done, item.entry = True, None
            elif item.entry is None:
                faulty.append((item, item.fault))
            else:
                waiting.append(item)
        self._put_aside(faulty)
        refused: list[tuple[Item, str]] = []
        chunks = self._send_first(waiting)
        while chunks:
            chunk, answer = chunks.pop()
            answer = answer or self._send(chunk)
            if answer.outcome == "stored":
                self._backoff.reset()
                for item in chunk:
                    item.is_done = True
            elif answer.outcome == "later":
                self._put_aside(refused)  # what was found out is kept, however long this lasts
                self._pause(answer.reason, answer.detail, answer.retry_after)
                chunks.append((chunk, None))
            elif len(chunk) > 1:
                self.too_large = self.too_large or answer.reason == "413"
                if self._move_refused(chunk, answer):
                    chunks.append((chunk, None))
                else:
                    half = len(chunk) // 2
                    chunks += [(chunk[half:], None), (chunk[:half], None)]
            elif is_about_time(answer.detail):
                self._move_one(chunk[0], answer, [one for other, known in chunks if known is None for one in other])
                chunks.append((chunk, None))
            else:
                refused.append((chunk[0], f"{answer.reason} {answer.detail}"[:MAX_REASON]))
        self._put_aside(refused)

    def _send_first(self, waiting: list[Item]) -> list[tuple[list[Item], Answer | None]]:
        """The first try: a long push goes in halves at the same time, while the lines after it are read.

        That takes nothing from the order: all of a push is within the window that Loki orders by.
        """
        if len(waiting) < MANY:
            return [(waiting, None)] if waiting else []
        self._check_going_on()
        half = (len(waiting) + 1) // 2
        chunks = [waiting[:half], waiting[half:]]
        answers: dict[int, Answer] = {}

        def send(number: int) -> None:
            answers[number] = self._push.send([item.entry for item in chunks[number] if item.entry is not None])

        threads = [threading.Thread(target=send, args=(number,), daemon=True) for number in range(2)]
        for thread in threads:
            thread.start()
        try:
            self._meanwhile()
        finally:
            for thread in threads:
                thread.join()
        self._check_going_on()
        return [(chunk, answers.get(number)) for number, chunk in enumerate(chunks)]

    def _send(self, chunk: Sequence[Item]) -> Answer:
        self._check_going_on()
        answer = self._push.send([item.entry for item in chunk if item.entry is not None])
        if self.is_abandoned:
            raise Stopping
        return answer

    def _check_going_on(self) -> None:
        if self.is_abandoned:
            raise Stopping

    def _pause(self, reason: str, detail: str, at_least: float = 0.0) -> None:
        self._trouble.tell(reason, detail)
        if self._stop.wait(self._backoff.next_seconds(at_least)):
            raise Stopping

    def _move_refused(self, chunk: Sequence[Item], answer: Answer) -> bool:
        """Move to the late lane what was refused by its age for certain; False where that can't be told."""
        entries = [item.entry for item in chunk if item.entry is not None]
        refused, oldest = self._lanes.find_refused(answer.detail, entries)
        if not refused:
            return False
        for index in refused:
            self._lanes.learn(answer.detail, entries[index])
        self._move([chunk[index] for index in refused], oldest)
        return True

    def _move_one(self, item: Item, answer: Answer, waiting: Sequence[Item]) -> None:
        """Move one line that was refused for its time, and with it those of its stream that were for the same reason.

        A push spans less than the window that Loki orders by. So where a line is too far behind, that is not because of
        others of its push, and all that lie behind the same cutoff were refused whenever they were pushed.
        """
        entry = item.entry
        assert entry is not None  # noqa: S101  a line without an entry is never pushed
        _, oldest = self._lanes.find_refused(answer.detail, [entry])
        self._lanes.learn(answer.detail, entry)
        if entry.stream[2] != LIVE:  # neither lane takes it now: a clock is wrong, and will be right again
            self._pause("time", answer.detail)
        cutoff = find_order_cutoff(answer.detail)
        alike = [one for one in waiting if one.entry and one.entry.stream == entry.stream and one.entry.ts < cutoff]
        self._move([item, *alike], oldest)

    def _move(self, items: Iterable[Item], oldest: int) -> None:
        """Decide lines anew, for the late lane, and write that down."""
        moved: dict[int, dict[int, Entry]] = defaultdict(dict)
        parts = {}
        for item in items:
            if item.entry is not None:
                item.entry = as_late(item.entry, self._lanes.next_late_ts(oldest))
                moved[id(item.part)][item.index] = item.entry
                parts[id(item.part)] = item.part
        for number, part in parts.items():
            part.set_late(part.late_times() | {index: entry.ts for index, entry in moved[number].items()})
        self._cursor.is_changed = True
        self._cursor.save()

    def _put_aside(self, lines: list[tuple[Item, str]]) -> None:
        """Put lines in quarantine, each with its reason, in one go; the list is empty then."""
        if not lines:
            return
        self._check_going_on()
        rows = [row_of((item.part.bot, item.part.writer), item.at, item.line, reason) for item, reason in lines]
        self._quarantine.put(rows)
        for item, _ in lines:
            item.is_done, item.entry = True, None
        lines.clear()
        self._poison.tell(rows)


def count(items: Iterable[Item]) -> tuple[int, int, int]:
    """Lines that Loki has, lines in quarantine, and how many of the first are in the late lane."""
    delivered = quarantined = late = 0
    for item in items:
        if item.entry is None:
            quarantined += 1
        else:
            delivered += 1
            late += item.entry.stream[2] == LATE
    return delivered, quarantined, late
