"""Pure folds over events: metrics, live state, activity, commands. No I/O and no clock."""

from __future__ import annotations

import logging
from typing import Any

from deskwatch.errors import InvalidLine
from deskwatch.journal import Batch, Record, read
from deskwatch.projections.activity import Activity, Entry
from deskwatch.projections.commands import Commands
from deskwatch.projections.metrics import Metrics
from deskwatch.projections.state import State

MAX_TOLD = 1000
logger = logging.getLogger(__name__)

FORMAT = 4
"""Version of what `dump` gives. A checkpoint of another version is not loaded: the journal is replayed."""


class Projections:
    """All projections, fed together so that they agree."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget everything, as before the first record."""
        self.metrics = Metrics()
        self.state = State()
        self.activity = Activity()
        self.commands = Commands()
        self._told: set[tuple[str, str, str, str]] = set()

    def apply(self, record: Record) -> Entry | None:
        """Fold one record into all; its entry in the activity, if it has one."""
        self.metrics.apply(record)
        self.state.apply(record)
        self.commands.apply(record)
        return self.activity.apply(record)

    def apply_batch(self, batch: Batch) -> list[Entry]:
        """Fold a batch of lines in. A line that is no event is counted and passed over."""
        entries = []
        for line in batch.lines:
            try:
                record = read(line, batch.bot, batch.writer)
            except InvalidLine as error:
                self.metrics.invalid(batch.bot, batch.writer, error.reason)
                self._tell(batch, error)
                continue
            try:
                entry = self.apply(record)
            except Exception:  # a fault of ours costs one line, told and counted, and not all that follow it
                logger.exception("a record could not be folded", extra={"bot": batch.bot, "type": record.type})
                self.metrics.invalid(batch.bot, batch.writer, "internal")
                continue
            if entry is not None:
                entries.append(entry)
        return entries

    def _tell(self, batch: Batch, error: InvalidLine) -> None:
        """Log the first invalid line of each kind, so that whoever wrote it can be found."""
        key = (batch.bot, batch.writer, error.reason, error.detail.partition(":")[0])
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
        }

    def load(self, state: dict[str, Any]) -> None:
        """Take the state back from a checkpoint."""
        self.metrics.load(state["metrics"])
        self.state.load(state["state"])
        self.activity.load(state["activity"])
        self.commands.load(state["commands"])


__all__ = ["Activity", "Commands", "Metrics", "Projections", "Record", "State"]
