"""The golden exposition: everything that the catalogue has, as `/metrics` says it."""

from __future__ import annotations

import subprocess
from collections import defaultdict
from typing import Any

import msgspec
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics

from deskwatch.events import EVENTS
from deskwatch.exposition import OPENMETRICS, render
from deskwatch.projections import Projections
from deskwatch.projections.metrics import Family, Histogram, Metrics
from tests.servers import require
from tests.unit.projections.metrics import golden

FED_BY_ALL = {"deskwatch_events", "tradebot_last_event_timestamp_seconds", "deskwatch_journal_missing_events"}
"""What any event may change: they tell that it came, and nothing of what it says."""
SILENT: dict[str, str] = {}
"""Types of events that feed nothing else → why."""


class Typed(msgspec.Struct):
    """A line's type."""

    type: str


@pytest.fixture(scope="module")
def metrics() -> Metrics:
    """The metrics after the whole journal."""
    return golden.folded()


@pytest.fixture(scope="module")
def feeds() -> dict[str, set[str]]:
    """Type of event → families that one of its lines changed."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    projections = Projections(golden.MAX_SERIES)
    before: dict[str, Any] = {}
    for batch in golden.batches():
        projections.apply_batch(batch)
        after = {family.name: family.series for family in projections.metrics.current()}
        tag = msgspec.json.decode(batch.lines[0], type=Typed).type
        found[tag] |= {name for name, series in after.items() if series != before.get(name, {})}
        before = after
    return found


def test_the_exposition_is_the_golden_one(metrics: Metrics) -> None:
    """What changes on purpose is renewed by `python -m tests.unit.projections.metrics.golden`."""
    assert render(metrics.readings(golden.NOW)).decode() == golden.METRICS.read_text()


def test_every_family_is_in_it_with_each_of_its_labels(metrics: Metrics) -> None:
    shown = {reading.family.name: reading for reading in metrics.readings(golden.NOW)}
    assert sorted(shown) == sorted(family.name for family in metrics.families)
    for name, reading in shown.items():
        used = {label for key in reading.keys for label, text in zip(reading.family.labels, key, strict=True) if text}
        assert used == set(reading.family.labels), name


@pytest.mark.parametrize("tag", EVENTS)
def test_every_type_of_event_feeds_more_than_its_count(tag: str, feeds: dict[str, set[str]]) -> None:
    assert bool(feeds[tag] - FED_BY_ALL) is (tag not in SILENT), feeds[tag]


def test_every_latency_can_be_looked_up(metrics: Metrics) -> None:
    """OpenMetrics shows an exemplar for each histogram of seconds."""
    text = render(metrics.readings(golden.NOW), OPENMETRICS).decode()
    with_exemplar = {
        family.name for family in parse_openmetrics(text) if any(sample.exemplar for sample in family.samples)
    }
    assert with_exemplar >= {family.name for family in metrics.families if is_latency(family)}


def is_latency(family: Family[Any]) -> bool:
    return isinstance(family, Histogram) and family.unit == "seconds"


def test_promtool_has_nothing_to_say_about_it() -> None:
    promtool = require("promtool")
    told = subprocess.run(
        [promtool, "check", "metrics"], input=golden.METRICS.read_bytes(), capture_output=True, check=False, timeout=60
    )
    assert (told.returncode, told.stdout, told.stderr) == (0, b"", b"")
