"""Metrics as a fold over events: a file for each family of metrics, joined here."""

from __future__ import annotations

from typing import Any

from deskwatch.journal import Record
from deskwatch.projections.metrics.access import Access
from deskwatch.projections.metrics.account import Account
from deskwatch.projections.metrics.blocks import Blocks
from deskwatch.projections.metrics.books import Books
from deskwatch.projections.metrics.connectivity import Connectivity
from deskwatch.projections.metrics.contracts import Contracts
from deskwatch.projections.metrics.control import Control
from deskwatch.projections.metrics.decisions import Decisions
from deskwatch.projections.metrics.errors import Errors
from deskwatch.projections.metrics.family import Counter, Exemplar, Family, Gauge, Histogram, Reading
from deskwatch.projections.metrics.funding import Funding
from deskwatch.projections.metrics.guard import MAX_SERIES, Guard
from deskwatch.projections.metrics.journal import Journal
from deskwatch.projections.metrics.lifecycle import Lifecycle
from deskwatch.projections.metrics.limits import Limits
from deskwatch.projections.metrics.market import Market
from deskwatch.projections.metrics.modes import Modes
from deskwatch.projections.metrics.opportunities import Opportunities
from deskwatch.projections.metrics.orders import Orders
from deskwatch.projections.metrics.positions import Positions
from deskwatch.projections.metrics.predictions import Predictions
from deskwatch.projections.metrics.processes import Processes
from deskwatch.projections.metrics.reading import readings
from deskwatch.projections.metrics.registry import Group, Registry
from deskwatch.projections.metrics.resources import Resources
from deskwatch.projections.metrics.risk import Risk
from deskwatch.projections.metrics.settings import Settings
from deskwatch.projections.metrics.signals import Signals
from deskwatch.projections.metrics.trades import Trades
from deskwatch.projections.metrics.transactions import Transactions
from deskwatch.projections.metrics.watches import Watches


class Metrics:
    """The projection: `apply` records, read `families`."""

    def __init__(self, max_series: int = MAX_SERIES) -> None:
        self.max_series = max_series
        self._guard = Guard(max_series)
        registry = Registry(self._guard)
        self._journal = Journal(registry)
        self._groups: tuple[Group, ...] = (
            Lifecycle(registry),
            Modes(registry),
            Orders(registry),
            Trades(registry),
            Positions(registry),
            Account(registry),
            Opportunities(registry),
            Decisions(registry),
            Predictions(registry),
            Signals(registry),
            Transactions(registry),
            Blocks(registry),
            Contracts(registry),
            Market(registry),
            Books(registry),
            Funding(registry),
            Connectivity(registry),
            Resources(registry),
            Errors(registry),
            Risk(registry),
            Control(registry),
            Settings(registry),
            Processes(registry),
            Watches(registry),
            Access(registry),
        )
        self._limits = Limits(registry)
        self._handlers = registry.handlers
        self._always = registry.always
        self.families: list[Family[Any]] = registry.families

    def apply(self, record: Record) -> None:
        """Fold one record in."""
        self._guard.begin(record.bot, record.seconds)
        for always in self._always:
            always(record)
        for handler in self._handlers.get(type(record.event), ()):  # type: ignore[arg-type]  # Unknown has none
            handler(record, record.event)

    def invalid(self, bot: str, writer: str, reason: str) -> None:
        """Count a line that is no event."""
        self._journal.invalid.inc((bot, writer, reason))

    def fault(self, bot: str, writer: str, reason: str) -> None:
        """Count something that is wrong with a journal."""
        self._journal.faults.inc((bot, writer, reason))

    def missing(self, bot: str, writer: str, lines: int) -> None:
        """Say how many lines a journal lacks."""
        self._journal.missing.set((bot, writer), lines)

    def readings(self, now: float) -> list[Reading]:
        """What is shown of each family at a Unix time."""
        return readings(self.current(), now)

    def current(self) -> list[Family[Any]]:
        """All families, with what their guard has counted."""
        self._limits.count()
        return self.families

    def fold_failed(self, bot: str) -> None:
        """Count an event that could not be folded in whole: our fault."""
        self._journal.fold_failures.inc((bot,))

    def event_counts(self) -> dict[tuple[str, str, str], int]:
        """(bot, writer, type) → events folded in."""
        return {(key[0], key[1], key[2]): int(value) for key, value in self._journal.events.series.items()}

    def invalid_counts(self) -> dict[tuple[str, str, str], int]:
        """(bot, writer, reason) → lines that were no event."""
        return {(key[0], key[1], key[2]): int(value) for key, value in self._journal.invalid.series.items() if value}

    def load_totals(self, families: dict[str, Any]) -> None:
        """Take counters and histograms back from another version's dump, as far as their form is still the same."""
        for family in self.families:
            if isinstance(family, Counter | Histogram):
                family.load([row for row in families.get(family.name, []) if family.fits(row)])
        self._limits.load()

    def dump(self) -> dict[str, Any]:
        """The state as JSON-able values, for the checkpoint."""
        self._limits.count()
        return {
            "families": {family.name: family.dump() for family in self.families},
            "memory": {type(group).__name__: group.memory for group in self._groups},
        }

    def load(self, state: dict[str, Any]) -> None:
        """Take the state back from a checkpoint."""
        for family in self.families:
            family.load(state["families"].get(family.name, []))
        self._limits.load()
        for group in self._groups:
            group.memory = state["memory"].get(type(group).__name__, {})


__all__ = ["Counter", "Exemplar", "Family", "Gauge", "Histogram", "Metrics", "Reading", "readings"]
