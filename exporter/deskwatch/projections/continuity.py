"""Which lines of each writer were seen: so that none counts twice, and what is missing is known.

A line is known by its writer, its `seq` and its `run`. What was seen is kept as spans: lines of one run that follow
each other. Between two spans is a hole: lines that the journal should hold and that nobody has read. Lines without
`seq` or `run` (a foreign bot's) can't be told apart and are not tracked.

Of one writer, MAX_SPANS spans are remembered. The oldest beyond are merged: of what lies there it is only known that it
was seen by a certain time. A line from there that is no younger is taken for a duplicate, whatever its run and even if
it was in a hole; a younger one is from a writer that began again. Merged holes stay counted as missing.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Any, Final, Literal

import msgspec

from deskwatch.errors import InvalidLine
from deskwatch.journal import read_envelope

MAX_SPANS = 1000
"""Spans that are remembered of one writer; each restart and each hole begins one."""

Verdict = Literal["next", "gap", "reordered", "restarted", "duplicate"]
"""Where a line belongs: behind the last; behind a new hole; into a hole; where another run's was; or seen before."""

_NO_RUN: Final = 0  # equals no text


class Span(msgspec.Struct):
    """Lines of one run, from `first` to `last`."""

    first: int
    last: int
    run: str


def _first(span: Span) -> int:
    return span.first


class Seen:
    """What was seen of one writer.

    The fast path is its user's, to spare a call for each line: a line whose `seq` is `next` and whose `run` is `run` is
    the expected one, and `next` is moved on by 1. Any other that has both is given to `place`.

    Attributes:
        next: The `seq` that is expected.
        run: The run that is expected, or what equals none.
        missing: Lines in holes, at present.
    """

    def __init__(self, max_spans: int = MAX_SPANS) -> None:
        self.next = 1
        self.run: str | int = _NO_RUN
        self.missing = 0
        self._max_spans = max_spans
        self._spans: list[Span] = []
        self._former: dict[str, list[Span]] = {}  # by run: what a restart took the place of
        self._merged = 0  # up to this `seq`
        self._merged_ts = 0
        self._merged_missing = 0

    def place(self, seq: int, run: str, ts: int) -> Verdict:
        """Take in a line that may not be the expected one. A duplicate changes nothing."""
        if self.knows(seq, run, ts):
            return "duplicate"
        verdict: Verdict
        index = bisect_right(self._spans, seq, key=_first)
        if seq >= self.next:
            verdict = "next" if seq == self.next else "gap"
            self.missing += seq - self.next
            self.next = seq + 1
            self._join(len(self._spans), seq, run)
        elif seq <= self._merged or (index > 0 and seq <= self._spans[index - 1].last):
            verdict = "restarted"
            self._forget_from(index, seq)
            self._join(len(self._spans), seq, run)
        else:
            verdict = "reordered"
            self.missing -= 1
            self._join(index, seq, run)
        while len(self._spans) > self._max_spans:
            self._merge_oldest(ts)
        newest = self._spans[-1].run
        self.run = _NO_RUN if newest in self._former else newest  # its lines have to be looked up, each
        return verdict

    def knows(self, seq: int, run: str, ts: int) -> bool:
        """Whether the line was seen."""
        if self._spans:
            self._spans[-1].last = self.next - 1  # the fast path left it behind
        if any(span.first <= seq <= span.last for span in self._former.get(run, ())):
            return True
        if seq <= self._merged:
            return ts <= self._merged_ts
        index = bisect_right(self._spans, seq, key=_first) - 1
        return index >= 0 and seq <= self._spans[index].last and self._spans[index].run == run

    def _join(self, index: int, seq: int, run: str) -> None:
        """Put a line where no span has it: between the spans before `index` and from `index` on."""
        before = self._spans[index - 1] if index > 0 else None
        after = self._spans[index] if index < len(self._spans) else None
        if before is not None and before.run == run and before.last == seq - 1:
            before.last = seq
            if after is not None and after.run == run and after.first == seq + 1:
                before.last = after.last
                del self._spans[index]
        elif after is not None and after.run == run and after.first == seq + 1:
            after.first = seq
        else:
            self._spans.insert(index, Span(seq, seq, run))

    def _forget_from(self, index: int, seq: int) -> None:
        """The writer began again at `seq`: what was seen from there on is a former run's."""
        former = self._spans[index:]
        del self._spans[index:]
        if self._spans and self._spans[-1].last >= seq:
            cut = self._spans[-1]
            former.append(Span(max(seq, cut.first), cut.last, cut.run))
            cut.last = seq - 1
            if cut.last < cut.first:
                self._spans.pop()
        for span in former:
            self._former.setdefault(span.run, []).append(span)
        while sum(map(len, self._former.values())) > self._max_spans:
            del self._former[next(iter(self._former))]
        if seq <= self._merged:
            self._merged = seq - 1
            self._merged_missing = min(self._merged_missing, self._merged)
        self.next = seq + 1
        held = sum(span.last - span.first + 1 for span in self._spans)
        self.missing = self._merged_missing + (seq - 1 - self._merged) - held

    def _merge_oldest(self, ts: int) -> None:
        oldest = self._spans.pop(0)
        self._merged_missing += oldest.first - self._merged - 1
        self._merged = oldest.last
        self._merged_ts = max(self._merged_ts, ts)

    def dump(self) -> dict[str, Any]:
        """All of it as JSON-able values."""
        if self._spans:
            self._spans[-1].last = self.next - 1
        return {
            "next": self.next,
            "run": self.run,
            "missing": self.missing,
            "merged": [self._merged, self._merged_ts, self._merged_missing],
            "spans": [[span.first, span.last, span.run] for span in self._spans],
            "former": [[span.first, span.last, span.run] for spans in self._former.values() for span in spans],
        }

    def load(self, state: dict[str, Any]) -> None:
        """Take it back."""
        self.next, self.run, self.missing = state["next"], state["run"], state["missing"]
        self._merged, self._merged_ts, self._merged_missing = state["merged"]
        self._spans = [Span(*row) for row in state["spans"]]
        self._former = {}
        for row in state["former"]:
            self._former.setdefault(row[2], []).append(Span(*row))


class Continuity:
    """What was seen of every writer."""

    def __init__(self) -> None:
        self._writers: dict[tuple[str, str], Seen] = {}

    def of(self, bot: str, writer: str) -> Seen:
        """What was seen of a writer."""
        seen = self._writers.get((bot, writer))
        if seen is None:
            seen = self._writers[bot, writer] = Seen()
        return seen

    def knows(self, bot: str, writer: str, line: bytes) -> bool:
        """Whether a line was seen, or can't be told apart."""
        try:
            envelope = read_envelope(line)
        except InvalidLine:
            return True
        if envelope.seq is None or envelope.seq < 1 or envelope.run is None:
            return True
        return self.of(bot, writer).knows(envelope.seq, envelope.run, envelope.ts)

    def begin(self, bot: str, writer: str, seq: int) -> None:
        """Expect a writer's journal to begin at a `seq`: what came before is known to have been removed."""
        self.of(bot, writer).next = seq

    def next_seq(self, bot: str, writer: str) -> int:
        """The `seq` that is expected of a writer."""
        return self.of(bot, writer).next

    def dump(self) -> list[list[Any]]:
        """All of it as JSON-able values."""
        return [[bot, writer, seen.dump()] for (bot, writer), seen in self._writers.items()]

    def load(self, rows: list[list[Any]]) -> None:
        """Take it back from a checkpoint."""
        self._writers = {}
        for bot, writer, state in rows:
            self.of(bot, writer).load(state)
