"""Readings as OpenTelemetry's metrics."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.sdk.metrics.export import Metric, MetricsData

from deskwatch.projections.metrics import Counter, Family, Gauge, Histogram, readings
from deskwatch.sinks.otlp import metrics
from deskwatch.sinks.otlp.resources import Resources

TRACE = "0af7651916cd43dd8448eb211c80319c"
START, NOW = 10**18, 2 * 10**18
_resource = Resources("instance-1").of_sidecar()


def requests(*families: Family[Any]) -> list[MetricsData]:
    return list(metrics.requests(readings(families, NOW / 1e9), _resource, lambda _: START, NOW))


def sent(family: Family[Any]) -> Metric:
    (request,) = requests(family)
    (resource,) = request.resource_metrics
    (scope,) = resource.scope_metrics
    (metric,) = scope.metrics
    return metric


def encoded(family: Family[Any]) -> Any:
    (request,) = requests(family)
    return encode_metrics(request).resource_metrics[0].scope_metrics[0].metrics[0]


def test_a_counter_is_a_sum_that_only_grows_since_its_start() -> None:
    counter = Counter("tradebot_fills", "Fills.", ("bot", "side"))
    counter.inc(("arb-1", "buy"), 3)
    metric = encoded(counter)
    assert (metric.name, metric.description, metric.unit) == ("tradebot_fills", "Fills.", "")
    assert metric.sum.is_monotonic
    assert metric.sum.aggregation_temporality == 2  # cumulative
    (point,) = metric.sum.data_points
    assert (point.as_double, point.start_time_unix_nano, point.time_unix_nano) == (3.0, START, NOW)
    assert {one.key: one.value.string_value for one in point.attributes} == {"bot": "arb-1", "side": "buy"}


def test_a_label_that_is_empty_is_absent() -> None:
    gauge = Gauge("g", "A gauge.", ("bot", "strategy"))
    gauge.set(("arb-1", ""), 1)
    (point,) = sent(gauge).data.data_points
    assert point.attributes == {"bot": "arb-1"}


def test_a_histogram_has_its_bounds_its_buckets_and_its_exemplars() -> None:
    histogram = Histogram("x_seconds", "Latency.", ("bot",), (0.5, 1.0))
    for value in (0.1, 0.7, 0.8, 5.0):
        histogram.observe(("arb-1",), value, TRACE if value > 0.75 else None)
    metric = encoded(histogram)
    assert metric.unit == "s"
    (point,) = metric.histogram.data_points
    assert list(point.explicit_bounds) == [0.5, 1.0]
    assert list(point.bucket_counts) == [1, 2, 1]
    assert (point.count, point.sum) == (4, pytest.approx(6.6))
    assert not point.HasField("min")
    assert {(one.as_double, one.trace_id.hex()) for one in point.exemplars} == {(0.8, TRACE), (5.0, TRACE)}


@pytest.mark.parametrize(
    ("name", "unit"),
    [("x_seconds", "s"), ("x_bytes", "By"), ("x_ratio", "1"), ("x_wei", ""), ("x", ""), ("seconds_of_x", "")],
)
def test_a_unit_is_given_only_where_the_name_ends_in_it(name: str, unit: str) -> None:
    gauge = Gauge(name, "A gauge.", ())
    gauge.set((), 1)
    assert sent(gauge).unit == unit


def test_families_without_series_are_left_out() -> None:
    assert requests(Gauge("g", "A gauge.", ())) == []


def test_the_sidecar_tells_who_it_is() -> None:
    gauge = Gauge("g", "A gauge.", ())
    gauge.set((), 1)
    (request,) = requests(gauge)
    attributes = request.resource_metrics[0].resource.attributes
    assert attributes["service.name"] == "deskwatch"
    assert attributes["service.instance.id"] == "instance-1"
    assert {"service.version", "host.name"} <= attributes.keys()
    assert "service.namespace" not in attributes  # Prometheus would put it into `job`


@given(st.lists(st.integers(1, 2500), min_size=1, max_size=4))
def test_requests_are_bounded_and_hold_every_point_once(sizes: list[int]) -> None:
    families = []
    for number, size in enumerate(sizes):
        family = Gauge(f"g{number}", "A gauge.", ("bot", "n"))
        for n in range(size):
            family.set((f"bot-{n // 500}", str(n)), float(n))
        families.append(family)
    found: dict[str, list[float]] = {}
    for request in requests(*families):
        points = 0
        for metric in request.resource_metrics[0].scope_metrics[0].metrics:
            found.setdefault(metric.name, []).extend(point.value for point in metric.data.data_points)  # type: ignore[union-attr]  # gauges
            points += len(metric.data.data_points)
        assert 0 < points <= metrics.MAX_POINTS
    assert found == {family.name: list(family.series.values()) for family in families}
