"""Readings of the metrics as OpenTelemetry's data model, cumulative.

Names are those of the pulled road without a counter's `_total`, which Prometheus adds itself. It also adds the unit's
name unless the metric's has it, so a unit is given only where it is in the name: `s`, `By`, and `1` for ratios.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from opentelemetry.sdk.metrics import Exemplar
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.resources import Resource

from deskwatch.projections import metrics as families
from deskwatch.projections.metrics import Family, Reading
from deskwatch.projections.metrics.label import Labels
from deskwatch.sinks.otlp.identity import trace_id
from deskwatch.sinks.otlp.resources import SCOPE

MAX_POINTS = 1000
"""Points in one request: histograms take about 400 bytes each, and gRPC's usual limit is 4 MB."""
_UNITS = {"seconds": "s", "bytes": "By", "ratio": "1"}
_CUMULATIVE = AggregationTemporality.CUMULATIVE


def requests(
    readings: Iterable[Reading], resource: Resource, start_of: Callable[[Family[Any]], int], now: int
) -> Iterator[MetricsData]:
    """The readings of one moment, in as many requests as they take.

    Args:
        readings: What is shown.
        resource: Who tells.
        start_of: Since when a family counts, ns since 1970.
        now: When it was read, ns since 1970.
    """
    pending: list[Metric] = []
    count = 0
    for reading in readings:
        points = _points(reading, start_of(reading.family), now)
        while points:
            room = MAX_POINTS - count
            pending.append(_metric(reading.family, points[:room]))
            count += min(room, len(points))
            points = points[room:]
            if count == MAX_POINTS:
                yield _data(pending, resource)
                pending, count = [], 0
    if pending:
        yield _data(pending, resource)


def _data(metrics: list[Metric], resource: Resource) -> MetricsData:
    scope = ScopeMetrics(scope=SCOPE, metrics=metrics, schema_url="")
    return MetricsData([ResourceMetrics(resource=resource, scope_metrics=[scope], schema_url=resource.schema_url)])


def _metric(family: Family[Any], points: list[Any]) -> Metric:
    data: Sum | Gauge | Histogram
    if isinstance(family, families.Histogram):
        data = Histogram(data_points=points, aggregation_temporality=_CUMULATIVE)
    elif isinstance(family, families.Counter):
        data = Sum(data_points=points, aggregation_temporality=_CUMULATIVE, is_monotonic=True)
    else:
        data = Gauge(data_points=points)
    return Metric(name=family.name, description=family.documentation, unit=_UNITS.get(family.unit, ""), data=data)


def _points(reading: Reading, start: int, now: int) -> list[Any]:  # Any: a point of one of two classes
    family = reading.family
    pairs = zip(reading.keys, reading.values, strict=True)
    if isinstance(family, families.Histogram):
        return [
            HistogramDataPoint(
                attributes=_attributes(family, labels),
                start_time_unix_nano=start,
                time_unix_nano=now,
                count=int(sum(value[:-1])),
                sum=value[-1],
                bucket_counts=[int(one) for one in value[:-1]],
                explicit_bounds=family.buckets,
                min=None,  # type: ignore[arg-type]  # not known, and optional in the protocol
                max=None,  # type: ignore[arg-type]  # as min
                exemplars=_exemplars(reading, labels),
            )
            for labels, value in pairs
        ]
    return [
        NumberDataPoint(
            attributes=_attributes(family, labels), start_time_unix_nano=start, time_unix_nano=now, value=float(value)
        )
        for labels, value in pairs
    ]


def _attributes(family: Family[Any], labels: Labels) -> dict[str, str]:
    """A series' labels; an empty one is absent."""
    return {name: value for name, value in zip(family.labels, labels, strict=True) if value}


def _exemplars(reading: Reading, labels: Labels) -> list[Exemplar]:
    return [
        Exemplar(
            filtered_attributes={},
            value=float(one.value),
            time_unix_nano=round(one.seconds * 1e9),
            span_id=0,  # none: the exemplar points to the trace
            trace_id=trace_id(one.trace),
        )
        for one in reading.exemplars.get(labels, {}).values()
    ]
