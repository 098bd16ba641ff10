"""The metrics of a home's journals without a sidecar: for a registry of one's own, a Pushgateway, or a text file."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from prometheus_client import Metric
from prometheus_client.registry import Collector

from deskwatch import atomic, base
from deskwatch.errors import ConfigError
from deskwatch.exposition import OPENMETRICS, TEXT, FamilyCollector, render
from deskwatch.journal import Follower
from deskwatch.journal.names import default_home, journal_root
from deskwatch.projections import Projections
from deskwatch.projections.metrics import Family, readings
from deskwatch.projections.metrics.guard import MAX_SERIES


class JournalCollector(Collector):
    """A prometheus-client collector that folds what the journals have got since the last collection.

    The first collection reads all that the journals hold, onto what retention removed: some 100,000 events a second.
    The figures are those that a sidecar has; process and host figures are not among them. Threads may share one.

    Args:
        home: Folder of all journals; None for `DESKWATCH_HOME`, or else `.deskwatch`.
        max_series: Label sets that a family holds of one bot.
    """

    def __init__(self, home: Path | str | None = None, max_series: int = MAX_SERIES) -> None:
        self._home = default_home() if home is None else Path(home)
        self._projections = Projections(max_series)
        self._follower: Follower | None = None
        self._lock = threading.Lock()

    def collect(self) -> Iterator[Metric]:
        """Each family that has series now."""
        with self._lock:
            yield from FamilyCollector(self.families, time.time).collect()

    def describe(self) -> list[Metric]:
        """Nothing: so a registry does not read the journals when this is registered."""
        return []

    def families(self) -> list[Family[Any]]:
        """All families, after folding what the journals have got by now, however much bots write meanwhile."""
        follower = self._follower or self._open()
        follower.discover()
        ends = follower.ends()
        while batches := list(follower.read()):
            for batch in batches:
                self._projections.apply_batch(batch)
            reached = follower.positions()
            if all(reached[writer] >= end for writer, end in ends.items()):
                break
        return self._projections.metrics.current()

    def close(self) -> None:
        """Close the journals' files. A later collection opens them again, where it was."""
        with self._lock:
            if self._follower is not None:
                self._follower.close()

    def _open(self) -> Follower:
        self._projections.reset()
        removed = base.load(self._home)
        removed.restore(self._projections)
        self._follower = Follower(self._home, removed.positions, memory=self._projections.continuity)
        return self._follower


def show(home: Path, *, openmetrics: bool, output: Path | None, max_series: int = MAX_SERIES) -> None:
    """Print the metrics of a home's journals as they are now, or write them to a file that is replaced in one go.

    Raises:
        ConfigError: There are no journals.
        OSError: The file can't be written.
    """
    if not journal_root(home).is_dir():
        raise ConfigError(
            f"expected journals in {journal_root(home)}, but there is no such folder; name another --home"
        )
    collector = JournalCollector(home, max_series)
    form = OPENMETRICS if openmetrics else TEXT
    text = render(readings(collector.families(), time.time()), form)
    collector.close()
    if output is None:
        sys.stdout.buffer.write(text)
    else:
        atomic.write(output, text, mode=0o644)
