"""The parts that send OTLP, where an endpoint is named. OpenTelemetry is imported here, and only then."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from deskwatch.config import Settings
from deskwatch.sidecar.own_metrics import collect
from deskwatch.sidecar.parts import Parts
from deskwatch.sinks import otlp

if TYPE_CHECKING:
    from deskwatch.sinks.otlp.push import MetricsPush
    from deskwatch.sinks.otlp.start import OtlpSinks

_CARRIED_ON = frozenset(
    {
        "deskwatch_sink_delivered",
        "deskwatch_sink_quarantined",
        "deskwatch_sink_late",
        "deskwatch_retention_removed_segments",
        "deskwatch_retention_overflow_lines",
    }
)
"""The sidecar's own counters that go on from what cursors and the base say: a new start would count it all twice."""


def sinks(settings: Settings) -> OtlpSinks | None:
    """The sinks for logs and traces; None where neither is asked for.

    Raises:
        ConfigError: A setting is wrong, or what sends OTLP isn't installed.
    """
    destinations = otlp.resolve(settings.otlp_endpoint, os.environ)
    if not destinations.keys() & {"logs", "traces"}:
        return None
    otlp.check_installed(destinations)
    from deskwatch.sinks.otlp import start  # noqa: PLC0415  30 MB that a sidecar without an endpoint does without

    return start.OtlpSinks(settings.home, destinations)


def push(settings: Settings, parts: Parts) -> MetricsPush | None:
    """What pushes the metrics; None where it is not asked for.

    Raises:
        ConfigError: A setting is wrong, or what sends OTLP isn't installed.
        OSError: Since when the metrics count can't be kept.
    """
    destinations = otlp.resolve(settings.otlp_endpoint, os.environ)
    if "metrics" not in destinations:
        return None
    otlp.check_installed(destinations)
    from deskwatch.sinks.otlp import start  # noqa: PLC0415  as above

    return start.metrics_push(
        settings.home,
        destinations["metrics"],
        lambda: collect(parts),
        parts.feed.caught_up,
        parts.samples.take,
        kept=_CARRIED_ON | {family.name for family in parts.feed.projections.metrics.families},
        anew=not parts.feed.base_is_whole,
    )
