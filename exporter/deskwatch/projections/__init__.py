"""Pure folds over events: metrics, live state, activity, commands, continuity. No I/O and no clock."""

from __future__ import annotations

import logging
import re
from typing import Any

from deskwatch.errors import InvalidLine
from deskwatch.journal import Batch, Record, read, read_envelope
from deskwatch.projections.activity import Activity, Entry
from deskwatch.projections.commands import Commands
from deskwatch.projections.continuity import Continuity, Seen
from deskwatch.projections.metrics import Metrics
from deskwatch.projections.metrics.guard import MAX_SERIES
from deskwatch.projections.state import State

MAX_TOLD = 1000
_WHOLE = frozenset({"fields", "misplaced"})
_NUMBER = re.compile(r"\d+")
logger = logging.getLogger(__name__)

FORMAT = 6
"""Version of what `dump` gives. A checkpoint of another version is not loaded: the journal is replayed."""


class Projections:
    """All projections, fed together so that they agree.

    Args:
        max_series: Label sets that a family of metrics holds of one bot.
    """

    def __init__(self, max_series: int = MAX_SERIES) -> None:
        self.max_series = max_series
        self.reset()

    def reset(self) -> None:
        """Forget everything, as before the first record."""
        self.metrics = Metrics(self.max_series)
        self.state = State()
        self.activity = Activity()
        self.commands = Commands()
        self.continuity = Continuity()
        self._told: set[tuple[str, str, str, str]] = set()

    def apply(self, record: Record, segment: int = 0, offset: int = 0) -> Entry | None:
        """Fold one record, whose line begins at this place, into all; its entry in the activity, if it has one."""
        self.metrics.apply(record)
        self.state.apply(record)
        moved = self.commands.apply(record)
        if record.kind == "orders" or moved:
            self._show(record.bot, moved=moved)
        return self.activity.apply(record, segment, offset)

    def _show(self, bot: str, *, moved: bool) -> None:
        """Bring to a bot's state what other projections know of it."""
        state = self.state.bots.get(bot)
        if state is None:
            return  # the sidecar's own
        holding = self.commands.holdings.of.get(bot)
        state.open_orders = 0 if holding is None else len(holding.orders)
        if moved:
            state.commands = self.commands.latest(bot)

    def apply_batch(self, batch: Batch) -> list[Entry]:
        """Fold a batch of lines in, each line once: as an event, or as invalid with a reason.

        A line that was seen already (the same `seq` of the same run) is invalid, `duplicate`. In a batch that is read
        `again`, only a line that is new by its `seq` and run counts: the others were counted the first time.
        """
        entries = []
        seen = self.continuity.of(batch.bot, batch.writer)
        for reason in batch.faults:
            self.metrics.fault(batch.bot, batch.writer, reason)
        segment, following = batch.start.segment, batch.start.offset
        for line in batch.lines:
            offset, following = following, following + len(line) + 1
            try:
                record = read(line, batch.bot, batch.writer)
            except InvalidLine as error:
                self._refuse(batch, seen, line, error)
                continue
            if record.seq == seen.next and record.run == seen.run:
                seen.next += 1
            elif not self._is_new(batch, seen, record.seq, record.run, record.ts):
                if not batch.again:
                    duplicate = InvalidLine("duplicate", f"seen before: seq {record.seq} of run {record.run}")
                    self.metrics.invalid(batch.bot, batch.writer, duplicate.reason)
                    self._tell(batch, duplicate)
                continue
            try:
                entry = self.apply(record, segment, offset)
            except Exception:  # a fault of ours costs one line, told and counted, and not all that follow it
                logger.exception("a record could not be folded", extra={"bot": batch.bot, "type": record.type})
                self.metrics.fold_failed(batch.bot)
                continue
            if entry is not None:
                entries.append(entry)
        return entries

    def _is_new(self, batch: Batch, seen: Seen, seq: int | None, run: str | None, ts: int) -> bool:
        """Whether a line was not seen yet; it is from now on. What its place says of the journal is counted."""
        if seq is None or seq < 1 or run is None:
            return not batch.again
        verdict = seen.place(seq, run, ts)
        if verdict == "duplicate":
            return False
        if verdict != "next":
            self._fault(batch, verdict)
        self.metrics.missing(batch.bot, batch.writer, seen.missing)
        return True

    def _refuse(self, batch: Batch, seen: Seen, line: bytes, error: InvalidLine) -> None:
        """Count a line that is no event. One whose envelope is whole was written so: its `seq` is not missing."""
        reason = error.reason
        is_new = not batch.again
        if reason in _WHOLE:
            envelope = read_envelope(line)
            is_new = self._is_new(batch, seen, envelope.seq, envelope.run, envelope.ts)
            reason = reason if is_new else "duplicate"
        if is_new or not batch.again:
            self.metrics.invalid(batch.bot, batch.writer, reason)
            self._tell(batch, error)

    def _fault(self, batch: Batch, reason: str) -> None:
        """Count what is wrong with a journal, and log the first of each kind."""
        self.metrics.fault(batch.bot, batch.writer, reason)
        key = (batch.bot, batch.writer, reason, "")
        if key not in self._told and len(self._told) < MAX_TOLD:
            self._told.add(key)
            told = {"bot": batch.bot, "writer": batch.writer, "reason": reason, "segment": batch.start.segment}
            logger.warning("a journal is not as it was written (told once for each kind)", extra=told)

    def _tell(self, batch: Batch, error: InvalidLine) -> None:
        """Log the first invalid line of each kind, so that whoever wrote it can be found."""
        key = (batch.bot, batch.writer, error.reason, _NUMBER.sub("#", error.detail.partition(":")[0]))
        if key not in self._told and len(self._told) < MAX_TOLD:
            self._told.add(key)
            told = {"bot": batch.bot, "writer": batch.writer, "reason": error.reason, "detail": error.detail[:300]}
            logger.warning("a journal line is no event (told once for each kind)", extra=told)

    def dump(self) -> dict[str, Any]:
        """The state as JSON-able values, for the checkpoint."""
        return {
            "metrics": self.metrics.dump(),
            "state": self.state.dump(),
            "activity": self.activity.dump(),
            "commands": self.commands.dump(),
            "continuity": self.continuity.dump(),
        }

    def load(self, state: dict[str, Any]) -> None:
        """Take the state back from a checkpoint."""
        self.metrics.load(state["metrics"])
        self.state.load(state["state"])
        self.activity.load(state["activity"])
        self.commands.load(state["commands"])
        self.continuity.load(state["continuity"])


__all__ = ["Activity", "Commands", "Metrics", "Projections", "Record", "State"]
