"""The sources: whether their peers answer, how often they are asked, and how often a source had to be begun again."""

from __future__ import annotations

from typing import Any

from deskwatch.projections.metrics import Counter, Family, Gauge
from deskwatch.sidecar.parts import Parts

_LABELS = ("bot", "kind")


def families(parts: Parts) -> list[Family[Any]]:
    """By bot and kind of source; none where nothing is watched.

    Of several of one kind (one for each chain that a bot is on) the worst is shown, so that none hides behind another.
    """
    up = Gauge("deskwatch_source_up", "1 while what a source watches answers, 0 while it can't be reached.", _LABELS)
    answered = Gauge(
        "deskwatch_source_last_answer_timestamp_seconds",
        "Unix time at which what a source watches answered last. None before the first answer.",
        _LABELS,
    )
    latency = Gauge(
        "deskwatch_source_latency_seconds", "How long the last answer to a source took. None before the first.", _LABELS
    )
    requests = Counter("deskwatch_source_requests", "Requests that a source sent to what it watches.", _LABELS)
    failures = Counter(
        "deskwatch_source_request_failures",
        "Requests of a source that were not answered, or not well.",
        (*_LABELS, "reason"),
    )
    restarts = Counter(
        "deskwatch_source_restarts", "Times that a source failed or ended, and was begun again.", _LABELS
    )
    for health in parts.sources:
        key = (health.bot, health.kind)
        up.set(key, health.is_up and up.get(key, 1.0) == 1)
        if health.answered is not None:
            answered.set(key, min(health.answered, answered.get(key) or health.answered))
        if health.latency_seconds is not None:
            latency.set(key, max(health.latency_seconds, latency.get(key) or 0.0))
        requests.inc(key, health.requests)
        restarts.inc(key, health.restarts)
        for reason, count in list(health.failures.items()):
            failures.inc((*key, reason), count)
    return [up, answered, latency, requests, failures, restarts]
