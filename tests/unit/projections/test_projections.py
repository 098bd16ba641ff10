"""All projections, fed together."""

from __future__ import annotations

import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from deskwatch.events import BotStopped
from deskwatch.exposition import OPENMETRICS, render
from deskwatch.journal import Batch, Position, Record
from deskwatch.projections import Projections
from deskwatch.projections.activity import Filter
from tests import nonsense, strategies
from tests.lines import START_NS, line_of
from tests.unit.projections.folding import value


def nonsense_line(seed: int) -> bytes:
    """A line that a faulty or hostile bot may write."""
    return nonsense.line(random.Random(seed)).replace(b"\n", b" ")


def batch(lines: list[bytes], writer: str = "main") -> Batch:
    return Batch(bot="arb-1", writer=writer, lines=lines, start=Position(), position=Position(1, 1))


@given(lines=st.lists(strategies.lines | strategies.garbage, max_size=15), writer=st.sampled_from(("main", "control")))
def test_every_line_of_a_batch_counts_once_as_an_event_or_as_invalid(lines: list[bytes], writer: str) -> None:
    projections = Projections()
    entries = projections.apply_batch(batch(lines, writer))
    families = {family.name: family for family in projections.metrics.families}
    events = sum(families["deskwatch_events"].series.values())
    invalid = sum(families["deskwatch_invalid_lines"].series.values())
    assert events + invalid == len(lines)
    assert projections.activity.number == events
    assert entries == projections.activity.newest(Filter(), 100)[::-1]


@given(
    lines=st.lists(strategies.lines | strategies.garbage | st.integers().map(nonsense_line), max_size=15),
    writer=st.sampled_from(("main", "control")),
)
def test_any_lines_leave_the_exposition_valid(lines: list[bytes], writer: str) -> None:
    projections = Projections(max_series=3)
    projections.apply_batch(batch(lines, writer))
    projections.apply_batch(batch(lines[:5], "other"))
    readings = projections.metrics.readings(START_NS / 1e9)
    families = {family.name: family for family in parse_text(render(readings).decode())}
    list(parse_openmetrics(render(readings, OPENMETRICS).decode()))
    failures = families.get("deskwatch_fold_failures")
    assert failures is None or {one.value for one in failures.samples} == {0}
    assert msgspec.json.decode(dumped(projections))


def test_a_line_that_is_no_event_stops_nothing() -> None:
    projections = Projections()
    first, second = (line_of(BotStopped(reason="closed"), seq=seq) for seq in (1, 2))
    entries = projections.apply_batch(batch([first, b"garbage", second]))
    assert [entry.number for entry in entries] == [1, 2]
    assert value(projections.metrics, "deskwatch_invalid_lines_total", reason="json") == 1


def dumped(projections: Projections) -> bytes:
    return msgspec.json.encode(projections.dump())


@given(records=strategies.records(), cut=st.integers(0, 20))
@settings(max_examples=30)
def test_a_checkpoint_in_between_changes_nothing(records: list[Record], cut: int) -> None:
    whole, first, second = Projections(), Projections(), Projections()
    for record in records:
        whole.apply(record)
    for record in records[:cut]:
        first.apply(record)
    second.load(msgspec.json.decode(dumped(first)))
    for record in records[cut:]:
        second.apply(record)
    assert msgspec.json.decode(dumped(second)) == msgspec.json.decode(dumped(whole))


@given(records=strategies.records(max_size=5))
@settings(max_examples=10)
def test_reset_forgets_everything(records: list[Record]) -> None:
    projections = Projections()
    for record in records:
        projections.apply(record)
    projections.reset()
    assert dumped(projections) == dumped(Projections())


def test_a_fault_of_ours_costs_one_line_and_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fold that raises is told and counted; the line counts once, as an event, and what follows is folded."""
    projections = Projections()

    def broken(record: Record) -> None:
        if record.seq == 2:
            raise RuntimeError("a bug")

    monkeypatch.setattr(projections.commands, "apply", broken)
    lines = [line_of(BotStopped(reason="closed"), seq=seq) for seq in (1, 2, 3)]
    assert len(projections.apply_batch(batch(lines))) == 2
    assert value(projections.metrics, "deskwatch_fold_failures_total") == 1
    assert projections.metrics.event_counts() == {("arb-1", "main", "bot_stopped"): 3}
    assert projections.metrics.invalid_counts() == {}


def test_the_first_invalid_line_of_each_kind_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """Whoever writes nonsense is found by the log, which is not flooded."""
    wrong = b'{"ts":1,"type":"equity_observed","equity":"x","asset":"USDC"}'
    Projections().apply_batch(batch([wrong, wrong, wrong, b"garbage"]))
    assert len(caplog.records) == 2
    assert "equity_observed" in caplog.records[0].__dict__["detail"]
