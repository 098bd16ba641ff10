"""The page itself."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from deskwatch.projections.metrics import Histogram
from tests.reference.catalogue import Entry, entries
from tests.reference.examples import example
from tests.reference.questions import QUESTIONS

PATH = Path(__file__).parents[2] / "docs" / "reference" / "metrics.md"
_COLUMNS = ("name", "type", "unit", "labels", "what it says", "fed by", "example")
_HEAD = """\
# The metrics

Made from the code by `make docs`; do not edit. How events become metrics, how long they are shown and what bounds them
is in [the explanation](../explanation/metrics.md).

A histogram `x` is scraped as `x_bucket` (with the label `le`), `x_count`, `x_sum`. Names are those of Prometheus text;
in OpenMetrics and OTLP the family of a counter is called the same without `_total`. A gauge that is shown for a time
only is left out when it was not fed for so long; other series of a bot that is gone stay, beside their age. An empty
label is one that the event left open.
"""


def page() -> str:
    """The whole page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield _HEAD
    yield "## Common questions\n"
    for question in QUESTIONS:
        yield f"{question.asks}\n```promql\n{question.promql}\n```"
    for module, group in groupby(entries_by_module(), key=lambda entry: entry.module):
        some = list(group)
        title, words = _title(module, some[0].source)
        yield f"\n## {title}\n\n{words}\n"
        yield f"| {' | '.join(_COLUMNS)} |"
        yield f"|{' --- |' * len(_COLUMNS)}"
        yield from map(_row, some)
    yield "\n## Bounds of the histograms\n"
    yield "| bounds | of |"
    yield "| --- | --- |"
    yield from _bounds()


def documented() -> dict[str, tuple[str, set[str]]]:
    """What the page says as it lies there: the name of each family → its type and labels."""
    rows = [line.split(" | ") for line in PATH.read_text().splitlines() if line.startswith("| `")]
    return {
        cells[0].strip("| `"): (cells[1], set(cells[3].replace("`", "").split()))
        for cells in rows
        if len(cells) == len(_COLUMNS)
    }


def entries_by_module() -> list[Entry]:
    """The entries, those of one module together, in the order in which the modules come first."""
    modules = list(dict.fromkeys(entry.module for entry in entries()))
    return sorted(entries(), key=lambda entry: modules.index(entry.module))


def _title(module: str, docstring: str) -> tuple[str, str]:
    """Heading and words of a section, from its module's docstring."""
    words = inspect.cleandoc(docstring)
    name = module.removeprefix("deskwatch.").rpartition(".")[2].replace("_", " ").capitalize()
    head, colon, rest = words.partition(": ")
    if colon and head.lower() == name.lower():
        words = rest[0].upper() + rest[1:]
    return name, words


def _row(entry: Entry) -> str:
    family = entry.family
    says = family.documentation
    if family.lifetime is not None:
        says += f" Shown for {_time(family.lifetime)}."
    labels = " ".join(f"`{label}`" for label in family.labels)
    cells = [f"`{entry.name}`", family.type, family.unit, labels, says, entry.fed, f"`{example(family)}`"]
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _time(seconds: float) -> str:
    return f"{seconds / 60:g} min" if seconds < 3600 else f"{seconds / 3600:g} h"


def _bounds() -> Iterator[str]:
    found: dict[tuple[float, ...], list[str]] = {}
    for entry in entries():
        if isinstance(entry.family, Histogram):
            found.setdefault(entry.family.buckets, []).append(f"`{entry.name}`")
    for bounds, names in found.items():
        yield f"| {', '.join(f'{bound:g}' for bound in bounds)} | {', '.join(names)} |"
