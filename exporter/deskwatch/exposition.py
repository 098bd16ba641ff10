"""The metrics as Prometheus text and as OpenMetrics, and as a prometheus-client collector.

Formats: Prometheus text 0.0.4 and OpenMetrics 1.0.0. `render` writes what prometheus-client's `generate_latest` would
write for `FamilyCollector`; a test holds the two equal. What a series looked like is kept beside its value, so that
only those that changed since are written anew.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, Exemplar, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from deskwatch.projections.metrics import Counter, Family, Histogram, Reading, readings
from deskwatch.projections.metrics import Exemplar as Observed

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
SLICE_SERIES = 256
"""Series in one piece of `pieces`: what is written well within a millisecond."""


def render(some: Iterable[Reading], content_type: str = TEXT) -> bytes:
    """All series of all readings, in their order."""
    return b"".join(pieces(some, content_type))


def pieces(some: Iterable[Reading], content_type: str = TEXT) -> Iterator[bytes]:
    """The same in pieces of bounded work, for those who have something else to do in between."""
    openmetrics = content_type == OPENMETRICS
    for reading in some:
        family = reading.family
        total = "_total" if isinstance(family, Counter) else ""
        header = family.name + ("" if openmetrics else total)
        lines = [
            f"# HELP {header} {_escape_help(family.documentation, openmetrics)}\n",
            f"# TYPE {header} {family.type}\n",
        ]
        if openmetrics and family.unit:
            lines.append(f"# UNIT {header} {family.unit}\n")
        yield "".join(lines).encode()
        if isinstance(family, Histogram):
            step = max(SLICE_SERIES // (len(family.buckets) + 3), 1)
            for first in range(0, len(reading.cells), step):
                yield _histogram(family, reading, first, first + step, openmetrics).encode()
        else:
            for first in range(0, len(reading.cells), SLICE_SERIES):
                yield _plain(reading, first, first + SLICE_SERIES).encode()
    if openmetrics:
        yield b"# EOF\n"


class FamilyCollector(Collector):
    """The same series for a prometheus-client registry: to serve beside own metrics, to push, or to write to a file.

    Args:
        families: What to show; called at each collection.
        clock: Unix time of now.
    """

    def __init__(self, families: Callable[[], Iterable[Family[Any]]], clock: Callable[[], float] = time.time) -> None:
        self._families = families
        self._clock = clock

    def collect(self) -> Iterator[Metric]:
        """Each family that has series, as prometheus-client's own."""
        for reading in readings(self._families(), self._clock()):
            family = reading.family
            if isinstance(family, Histogram):
                yield _client_histogram(family, reading)
                continue
            kind = CounterMetricFamily if isinstance(family, Counter) else GaugeMetricFamily
            metric = kind(family.name, family.documentation, labels=family.labels, unit=family.unit)
            for labels, value in zip(reading.keys, reading.values, strict=True):
                metric.add_metric(labels, value)
            yield metric


def _client_histogram(family: Histogram, reading: Reading) -> Metric:
    metric = HistogramMetricFamily(family.name, family.documentation, labels=family.labels, unit=family.unit)
    for labels, series in zip(reading.keys, reading.values, strict=True):
        observed = reading.exemplars.get(labels, {})
        buckets = [
            (bound, count, _client_exemplar(observed[index])) if index in observed else (bound, count)
            for index, (bound, count) in enumerate(_cumulative(family, series))
        ]
        metric.add_metric(labels, buckets, series[-1])
    return metric


def _client_exemplar(observed: Observed) -> Exemplar:
    return Exemplar({"trace_id": observed.trace}, observed.value, observed.seconds)


def _plain(reading: Reading, first: int, end: int) -> str:
    """Lines of a slice of counters or gauges."""
    lines = []
    family = reading.family
    name = family.name + ("_total" if isinstance(family, Counter) else "")
    for value, cell in zip(reading.values[first:end], reading.cells[first:end], strict=True):
        if cell.shown is not value:  # not `==`: 0 and -0 are written differently
            line = cell.text
            start = line[: line.rindex(" ")] if line else name + _pairs(family.labels, cell.labels)
            cell.text = f"{start} {_go_float(value)}\n"
            cell.shown = value
        lines.append(cell.text)
    return "".join(lines)


def _histogram(family: Histogram, reading: Reading, first: int, end: int, openmetrics: bool) -> str:
    """Lines of a slice of a histogram."""
    lines = []
    for index in range(first, min(end, len(reading.cells))):
        cell, value = reading.cells[index], reading.values[index]
        shown = (openmetrics, value)
        if cell.shown != shown:
            exemplars = reading.exemplars.get(cell.labels, {}) if openmetrics else {}
            cell.text = _buckets(family, cell.labels, value, exemplars)
            cell.shown = shown
        lines.append(cell.text)
    return "".join(lines)


def _buckets(family: Histogram, labels: tuple[str, ...], series: list[float], exemplars: dict[int, Observed]) -> str:
    start, end = _around_bound(family.labels, labels)
    start = f"{family.name}_bucket{{{start}"
    lines = []
    for index, (bound, count) in enumerate(_cumulative(family, series)):
        exemplar = _exemplar(exemplars[index]) if index in exemplars else ""
        lines.append(f'{start}le="{bound}"{end}}} {_go_float(count)}{exemplar}\n')
    pairs = _pairs(family.labels, labels)
    lines.append(f"{family.name}_count{pairs} {_go_float(sum(series[:-1]))}\n")
    lines.append(f"{family.name}_sum{pairs} {_go_float(series[-1])}\n")
    return "".join(lines)


def _exemplar(one: Observed) -> str:
    return f' # {{trace_id="{one.trace}"}} {_go_float(one.value)} {one.seconds}'


def _cumulative(family: Histogram, series: list[float]) -> Iterator[tuple[str, float]]:
    total = 0.0
    for bound, count in zip(_bounds(family.buckets), series, strict=False):
        total += count
        yield bound, total


@functools.lru_cache
def _bounds(buckets: tuple[float, ...]) -> tuple[str, ...]:
    return (*(_go_float(bound) for bound in buckets), "+Inf")


def _go_float(value: float) -> str:
    """A number as Go prints it, which is how prometheus-client does."""
    if -1e300 < value < 1e6:
        return repr(float(value))  # as Go would, and ten times as fast
    return str(floatToGoString(value))  # type: ignore[no-untyped-call]  # prometheus-client leaves it untyped


def _pairs(names: tuple[str, ...], labels: tuple[str, ...]) -> str:
    """A series' labels, in the order of their names, as prometheus-client writes them."""
    if not names:
        return ""
    pairs = sorted(zip(names, labels, strict=True))
    return "{" + ",".join(f'{one}="{_escape(value)}"' for one, value in pairs) + "}"


def _around_bound(names: tuple[str, ...], labels: tuple[str, ...]) -> tuple[str, str]:
    """What stands before and behind a bucket's `le` among its labels."""
    pairs = sorted(zip(names, labels, strict=True))
    before = "".join(f'{one}="{_escape(value)}",' for one, value in pairs if one < "le")
    behind = "".join(f',{one}="{_escape(value)}"' for one, value in pairs if one > "le")
    return before, behind


def _escape(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def _escape_help(text: str, openmetrics: bool) -> str:
    text = text.replace("\\", r"\\").replace("\n", r"\n")
    return text.replace('"', r"\"") if openmetrics else text
