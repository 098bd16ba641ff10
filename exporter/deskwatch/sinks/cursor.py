"""How far a sink has delivered each journal, and what it is about to push, kept on disk.

A push is written down before it is made: after a crash the same lines go out again, in the same lanes and with the same
times, so that the destination can tell them for repeats. What is saved before the next push thus also says that the one
before it is done: one save for each push.

The file that a save replaces is kept beside it, and read where the file itself can't be: one push goes out again, and
only lines of the push after it that went to the late lane can be doubled. Where neither can be read, all that the
journals hold is delivered again; what is older than Loki's window is then doubled, in the late lane.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from deskwatch import atomic
from deskwatch.journal import START, Position
from deskwatch.sinks.marks import Last, Mark

logger = logging.getLogger(__name__)

Key = tuple[str, str]
"""Bot, writer."""


class Part(msgspec.Struct, kw_only=True):
    """Lines of one writer within a push.

    Attributes:
        bot: Whose journal.
        writer: Which writer of it.
        start: Position of the first line.
        end: Position behind the last.
        late: Runs of lines that go to the late lane: index of the first (0 is the part's first line), how many, and the
            first one's time there in ns; each further line is 1 ns later.
        is_ahead: It lies in the range that is read ahead of the backlog.
        last: Its last line.
    """

    bot: str
    writer: str
    start: Position
    end: Position
    late: list[tuple[int, int, int]] = []
    is_ahead: bool = False
    last: Last | None = None

    def late_times(self) -> dict[int, int]:
        """Index of each late line, and its time in the late lane."""
        return {first + n: ts + n for first, count, ts in self.late for n in range(count)}

    def set_late(self, times: Mapping[int, int]) -> None:
        """Keep late lines' times, as runs."""
        runs: list[tuple[int, int, int]] = []
        for index in sorted(times):
            if runs and index == runs[-1][0] + runs[-1][1] and times[index] == runs[-1][2] + runs[-1][1]:
                runs[-1] = (runs[-1][0], runs[-1][1] + 1, runs[-1][2])
            else:
                runs.append((index, 1, times[index]))
        self.late = runs


class CursorState(msgspec.Struct, kw_only=True):
    """The file's content."""

    positions: list[tuple[str, str, int, int]] = []
    """Bot, writer, segment, offset."""
    ahead: list[tuple[str, str, int, int, int, int]] = []
    """Bot, writer, start's segment and offset, end's segment and offset."""
    delivered: int = 0
    quarantined: int = 0
    late: int = 0
    plan: list[Part] = []
    newest: list[tuple[str, str, int]] = []
    """Bot, kind, ns."""
    late_ts: int = 0
    marks: list[tuple[str, str, Mark]] = []
    ahead_marks: list[tuple[str, str, Mark]] = []
    memory: msgspec.Raw = msgspec.Raw(b"null")


_states = msgspec.json.Decoder(CursorState)  # made here: a sink and retention may read cursors at the same time


class Cursor:
    """The cursor file of one sink: `<home>/sinks/<name>.json`; the one before it: `<name>.json.before`.

    Attributes:
        positions: Everything before it is delivered or quarantined.
        ahead: A further range that is, where live lines overtook a backlog: its start and its end.
        marks: What is known of the lines before each position.
        ahead_marks: What is known of the lines before the end of each range ahead.
        delivered: Lines delivered, ever.
        quarantined: Lines put aside, ever.
        late: Lines delivered to the late lane, ever; they are among the delivered.
        plan: The push under way; empty where there is none.
        newest: Newest time in each live stream (bot, kind), the plan's lines included; ns.
        late_ts: Newest time in the late lane; ns.
        memory: What the sink itself remembers of the lines before the positions, as JSON.
        is_changed: Whether the file is behind.
        saved_counts: `delivered`, `quarantined` and `late` as they are on disk: counters that no crash takes back.
    """

    def __init__(self, home: Path, name: str) -> None:
        self.path = home / "sinks" / f"{name}.json"
        self._before = self.path.with_name(f"{self.path.name}.before")
        self._is_sound = True  # the file that the next save replaces is worth keeping
        self.positions: dict[Key, Position] = {}
        self.ahead: dict[Key, tuple[Position, Position]] = {}
        self.marks: dict[Key, Mark] = {}
        self.ahead_marks: dict[Key, Mark] = {}
        self.delivered = 0
        self.quarantined = 0
        self.late = 0
        self.plan: list[Part] = []
        self.newest: dict[tuple[str, str], int] = {}
        self.late_ts = 0
        self.memory = msgspec.Raw(b"null")
        self.is_changed = False
        self.saved_counts = (0, 0, 0)
        self._saved: dict[Key, Position] = {}

    def saved_positions(self) -> Mapping[Key, Position]:
        """The positions that are on disk: a segment that ends behind one may still be read. From any thread."""
        return self._saved

    def load(self) -> None:
        """Read the file, or else the one before it. Without either everything is delivered again."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        state = self._read()
        if state is None:
            return
        self.positions = {(bot, writer): Position(segment, offset) for bot, writer, segment, offset in state.positions}
        self.ahead = {(bot, writer): (Position(a, b), Position(c, d)) for bot, writer, a, b, c, d in state.ahead}
        self.delivered, self.quarantined, self.late = state.delivered, state.quarantined, state.late
        self.plan = state.plan
        self.newest = {(bot, kind): ts for bot, kind, ts in state.newest}
        self.late_ts = state.late_ts
        self.marks = {(bot, writer): mark for bot, writer, mark in state.marks}
        self.ahead_marks = {(bot, writer): mark for bot, writer, mark in state.ahead_marks}
        self.memory = state.memory
        self._saved = dict(self.positions)
        self.saved_counts = (self.delivered, self.quarantined, self.late)

    def _read(self) -> CursorState | None:
        try:
            return _states.decode(self.path.read_bytes())
        except FileNotFoundError:
            return None  # a new home, or somebody wants all to be delivered again
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            self._is_sound = False
            try:
                state = _states.decode(self._before.read_bytes())
            except (OSError, msgspec.DecodeError, UnicodeDecodeError):
                logger.error("cursor can't be read, delivering from the start", extra={"error": str(error)})
                return None
            logger.warning("cursor can't be read, going on from the one before it", extra={"error": str(error)})
            return state

    def save(self) -> None:
        """Put the cursor on disk.

        Raises:
            OSError: The disk refused; the file is as it was.
        """
        saved = dict(self.positions)
        state = CursorState(
            positions=[(*key, at.segment, at.offset) for key, at in saved.items()],
            ahead=[(*key, a.segment, a.offset, b.segment, b.offset) for key, (a, b) in self.ahead.items()],
            delivered=self.delivered,
            quarantined=self.quarantined,
            late=self.late,
            plan=self.plan,
            newest=[(*stream, ts) for stream, ts in self.newest.items()],
            late_ts=self.late_ts,
            marks=[(*key, mark) for key, mark in self.marks.items()],
            ahead_marks=[(*key, mark) for key, mark in self.ahead_marks.items()],
            memory=self.memory,
        )
        if self._is_sound:
            self._keep()
        atomic.write(self.path, msgspec.json.encode(state))
        self._is_sound = True
        self._saved = saved
        self.saved_counts = (state.delivered, state.quarantined, state.late)
        self.is_changed = False

    def _keep(self) -> None:
        """Keep the file that is about to be replaced. A filesystem that can't link files keeps none."""
        with contextlib.suppress(OSError):
            self._before.unlink(missing_ok=True)
            os.link(self.path, self._before)

    def begin(self, plan: list[Part]) -> None:
        """Take up a push. It must be saved before it is made."""
        self.plan = plan
        self.is_changed = True

    def settle(self, *, delivered: int, quarantined: int, late: int) -> None:
        """The push is done: move behind its lines, and count them."""
        for part in self.plan:
            key = (part.bot, part.writer)
            if part.is_ahead:
                self.ahead[key] = (self.ahead[key][0] if key in self.ahead else part.start, part.end)
                self.ahead_marks[key] = self.ahead_marks.get(key, Mark()).followed_by(part.last)
            else:
                self.positions[key] = part.end
                self.marks[key] = self.marks.get(key, Mark()).followed_by(part.last)
            self.join(key)
        self.plan = []
        self.delivered += delivered
        self.quarantined += quarantined
        self.late += late
        self.is_changed = True

    def join(self, key: Key, position: Position | None = None) -> None:
        """Make one of both delivered ranges of a writer, once its backlog (read up to `position`) reached the other."""
        if key in self.ahead and (position or self.positions.get(key, START)) >= self.ahead[key][0]:
            self.positions[key] = self.ahead.pop(key)[1]
            ahead = self.ahead_marks.pop(key, Mark())
            mark = self.marks.get(key, Mark())
            for run, seq in ahead.runs:
                mark = mark.followed_by(Last(0, run, seq))
            self.marks[key] = Mark(ahead.crc, mark.runs)
            self.is_changed = True

    def go_back(self, key: Key, position: Position) -> None:
        """Deliver a writer again from a position on: its journal is not what it was."""
        self.positions[key] = position
        self.ahead.pop(key, None)
        self.ahead_marks.pop(key, None)
        self.is_changed = True
