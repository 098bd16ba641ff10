"""All families as the reference shows them: what a sidecar serves, in its order, with the file that makes each."""

from __future__ import annotations

import importlib
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

from deskwatch.projections.metrics import Family
from tests.reference import feeding, served

_MAKERS = ("deskwatch.projections.metrics.family", "deskwatch.projections.metrics.registry")
"""Modules that make families for others."""
_OURS = "deskwatch."
AT_SCRAPE = "read at each scrape"
NOT_BY_EVENTS = {
    "deskwatch_invalid_lines": "lines that are no event",
    "deskwatch_journal_faults": "what the follower finds of segments",
    "deskwatch_journal_missing_events": "gaps in `seq`",
    "deskwatch_fold_failures": "events that an error of deskwatch kept from being folded",
    "deskwatch_series_folded": "updates at the limit",
    "deskwatch_series_evicted": "updates at the limit",
    "deskwatch_refused_values": "values of any event",
}
"""Families of the bots' metrics that no type of event feeds."""
MANY = 30
"""An event's type is not named where this many feed a family."""


class Entry(NamedTuple):
    """A family, and what is told of it."""

    family: Family[Any]
    module: str
    """The module that makes it."""
    fed: str
    """What feeds it."""

    @property
    def name(self) -> str:
        """As a Prometheus knows it that scrapes text."""
        return served.scraped_name(self.family)

    @property
    def source(self) -> str:
        """First words of the module's docstring, its paragraphs behind."""
        return importlib.import_module(self.module).__doc__ or ""


@cache
def entries() -> tuple[Entry, ...]:
    """Every family, in the order in which it is served."""
    _, fed = feeding.fold()
    with _remembered() as modules, tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        home.mkdir(mode=0o700)
        families = served.families(home)
    return tuple(Entry(family, modules[family.name], _words(family.name, fed.get(family.name))) for family in families)


def _words(name: str, types: set[str] | None) -> str:
    if types is None:
        return AT_SCRAPE
    if name in NOT_BY_EVENTS:
        return NOT_BY_EVENTS[name]
    if len(types) >= MANY:
        return "every event"
    return ", ".join(f"`{kind}`" for kind in sorted(types))


@contextmanager
def _remembered() -> Iterator[dict[str, str]]:
    """Within, the module is remembered that makes a family of each name."""
    modules: dict[str, str] = {}
    make = Family.__init__

    def remember(self: Family[Any], name: str, *arguments: Any, **named: Any) -> None:
        depth = 1
        while (module := str(sys._getframe(depth).f_globals["__name__"])) in _MAKERS or not module.startswith(_OURS):
            depth += 1
        modules[name] = module
        make(self, name, *arguments, **named)

    with mock.patch.object(Family, "__init__", remember):
        yield modules
