"""The metrics as Prometheus text and as OpenMetrics, and as a prometheus-client collector.

Formats: Prometheus text 0.0.4 and OpenMetrics 1.0.0. `render` writes what prometheus-client's `generate_latest` would
write for `FamilyCollector`; a test holds the two equal.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from typing import Any

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from deskwatch.projections.metrics import Counter, Family, Histogram

TEXT = "text/plain; version=0.0.4; charset=utf-8"
KEPT_SERIES = 50_000
"""Series whose names and labels are kept as text between scrapes."""
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


def _go_float(value: float) -> str:
    """A number as Go prints it, which is how prometheus-client does."""
    if -1e300 < value < 1e6:
        return repr(float(value))  # as Go would, and ten times as fast
    return str(floatToGoString(value))  # type: ignore[no-untyped-call]  # prometheus-client leaves it untyped


def negotiate(accept: str) -> str:
    """The content type to answer an Accept header with: OpenMetrics where it is asked for, else text."""
    return OPENMETRICS if "application/openmetrics-text" in accept else TEXT


def render(families: Iterable[Family[Any]], content_type: str = TEXT) -> bytes:
    """All series of all families that have any, in the order of declaration."""
    openmetrics = content_type == OPENMETRICS
    lines: list[str] = []
    for family in families:
        if family.series:
            total = "_total" if isinstance(family, Counter) else ""
            header = family.name + ("" if openmetrics else total)
            lines.append(f"# HELP {header} {_escape_help(family.documentation, openmetrics)}\n")
            lines.append(f"# TYPE {header} {family.type}\n")
            lines.extend(_histogram(family) if isinstance(family, Histogram) else _plain(family, family.name + total))
    if openmetrics:
        lines.append("# EOF\n")
    return "".join(lines).encode()


class FamilyCollector(Collector):
    """The same series for a prometheus-client registry: to serve beside own metrics, to push, or to write to a file."""

    def __init__(self, families: Iterable[Family[Any]]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        """Each family that has series, as prometheus-client's own."""
        for family in self._families:
            if not family.series:
                continue
            if isinstance(family, Histogram):
                histogram = HistogramMetricFamily(family.name, family.documentation, labels=family.labels)
                for labels, series in family.series.items():
                    buckets = [(_go_float(bound), count) for bound, count in _cumulative(family, series)]
                    histogram.add_metric(labels, buckets, series[-1])
                yield histogram
                continue
            kind = CounterMetricFamily if isinstance(family, Counter) else GaugeMetricFamily
            metric = kind(family.name, family.documentation, labels=family.labels)
            for labels, value in family.series.items():
                metric.add_metric(labels, value)
            yield metric


def _plain(family: Family[Any], name: str) -> Iterator[str]:
    for labels, value in family.series.items():
        yield f"{_series(name, family.labels, labels)}{_go_float(value)}\n"


def _histogram(family: Histogram) -> Iterator[str]:
    for labels, series in family.series.items():
        names = (*family.labels, "le")
        for bound, count in _cumulative(family, series):
            yield f"{_series(f'{family.name}_bucket', names, (*labels, _go_float(bound)))}{_go_float(count)}\n"
        yield f"{_series(f'{family.name}_count', family.labels, labels)}{_go_float(sum(series[:-1]))}\n"
        yield f"{_series(f'{family.name}_sum', family.labels, labels)}{_go_float(series[-1])}\n"


def _cumulative(family: Histogram, series: list[float]) -> Iterator[tuple[float, float]]:
    total = 0.0
    for bound, count in zip((*family.buckets, float("inf")), series, strict=False):
        total += count
        yield bound, total


@functools.lru_cache(KEPT_SERIES)
def _series(name: str, label_names: tuple[str, ...], labels: tuple[str, ...]) -> str:
    """A series' line up to its value. It is the same at each scrape, so it is made once."""
    if not label_names:
        return f"{name} "
    pairs = sorted(zip(label_names, labels, strict=True))  # by name, as prometheus-client does
    return name + "{" + ",".join(f'{one}="{_escape(value)}"' for one, value in pairs) + "} "


def _escape(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def _escape_help(text: str, openmetrics: bool) -> str:
    text = text.replace("\\", r"\\").replace("\n", r"\n")
    return text.replace('"', r"\"") if openmetrics else text
