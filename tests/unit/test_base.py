"""The remembered base: figures of what was removed come back, or it is told that they can't."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings

from deskwatch import base
from deskwatch.base import Base
from deskwatch.events import OrderFilled
from deskwatch.journal import Batch, Position, Record, names
from deskwatch.projections import FORMAT, Projections
from tests import strategies
from tests.lines import line_of, record_of

MAIN = ("arb-1", "main")
FILL = OrderFilled(order_id="o", venue="v", symbol="S", side="buy", quantity=1, price=2, final=True, asset="USD")


def made(home: Path, *records: Record) -> Projections:
    projections = Projections()
    for record in records:
        projections.apply(record)
    one = Base().with_more(projections, MAIN, Position(7, 0), is_whole=True)
    one.overflowed["arb-1", "loki"] = 5
    one.save(home)
    return projections


def dumped(projections: Projections) -> object:
    return msgspec.json.decode(msgspec.json.encode(projections.dump()))


@given(records=strategies.records(max_size=10))
@settings(max_examples=25)
def test_figures_and_state_come_back_as_they_were(
    records: list[Record], tmp_path_factory: pytest.TempPathFactory
) -> None:
    home = tmp_path_factory.mktemp("home")
    before, after = made(home, *records), Projections()
    found = base.load(home)
    assert found.restore(after)
    assert dumped(after) == dumped(before)
    assert (found.positions, found.removed) == ({MAIN: Position(7, 0)}, {"arb-1": 1})
    assert found.is_whole
    assert found.overflowed == {("arb-1", "loki"): 5}
    assert sum(found.events.values()) == len(records)


def test_without_a_file_there_is_nothing_to_remember(home: Path) -> None:
    found = base.load(home)
    assert (found.positions, found.events, found.is_lost) == ({}, {}, False)
    assert found.restore(Projections())


def test_positions_before_the_removed_are_not_within_it(home: Path) -> None:
    made(home)
    found = base.load(home)
    assert found.is_within({MAIN: Position(7, 0), ("arb-2", "main"): Position()})
    assert not found.is_within({MAIN: Position(6, 900)})
    assert not found.is_within({})


@pytest.mark.parametrize("content", [b"", b'{"version":1', b"\xff\xfe", b"[]"])
def test_a_file_that_cant_be_read_is_told_and_put_aside_when_the_next_is_written(content: bytes, home: Path) -> None:
    base.path_of(home).write_bytes(content)
    found = base.load(home)
    assert found.is_lost
    assert not found.restore(Projections())
    found.with_more(Projections(), MAIN, Position(3, 0), is_whole=False).save(home)
    assert (home / "base.json.unreadable").read_bytes() == content
    again = base.load(home)
    assert (again.is_lost, again.is_whole) == (False, False)
    assert not again.restore(Projections())  # what was lost stays lost, and that stays told


@pytest.mark.parametrize("how", ["another version", "a part is missing"])
def test_of_another_version_the_totals_come_back_and_that_is_told(how: str, home: Path) -> None:
    made(home, record_of(FILL), record_of(FILL, seq=2))
    file = json.loads(base.path_of(home).read_text())
    if how == "another version":
        file["format"] = FORMAT + 1
    del file["projections"]["state"]
    families = file["projections"]["metrics"]["families"]
    families["tradebot_fees"] = [["not a row"], [[1], 2], [["too", "few"], 1.0], None]
    families["tradebot_order_latency_seconds"] = [[["arb-1"], [1.0]]]
    base.path_of(home).write_text(json.dumps(file))
    after = Projections()
    found = base.load(home)
    assert not found.restore(after)
    assert found.events["arb-1", "main", "order_filled"] == 2
    assert after.metrics.event_counts()["arb-1", "main", "order_filled"] == 2
    totals = {family.name: family.series for family in after.metrics.families}
    assert sum(totals["tradebot_orders_filled"].values()) == 2
    assert totals["tradebot_fees"] == {}
    assert not after.state.bots
    after.apply_batch(
        Batch(bot="arb-1", writer="main", lines=[line_of(FILL, seq=7)], start=Position(7, 0), position=Position(8, 0))
    )
    assert not any(totals["deskwatch_journal_faults"].values())  # that the journal begins at 7 is known


def test_totals_of_format_4_whose_rows_have_no_time_come_back(home: Path) -> None:
    made(home, record_of(FILL), record_of(FILL, seq=2))
    file = json.loads(base.path_of(home).read_text())
    file["format"] = 4
    families = file["projections"]["metrics"]["families"]
    for name, rows in families.items():
        families[name] = [row[:2] for row in rows]
    base.path_of(home).write_text(json.dumps(file))
    after = Projections()
    base.load(home).restore(after)
    totals = {family.name: family.series for family in after.metrics.families}
    assert sum(totals["tradebot_orders_filled"].values()) == 2
    assert after.metrics.event_counts()["arb-1", "main", "order_filled"] == 2


def test_what_was_loaded_can_be_changed_without_changing_the_base(home: Path) -> None:
    """A fold that is given up half-way leaves the base as it was."""
    made(home, record_of(FILL))
    found = base.load(home)
    for _ in range(2):
        half_way = Projections()
        found.restore(half_way)
        assert half_way.metrics.event_counts()["arb-1", "main", "order_filled"] == 1
        half_way.apply(record_of(FILL, seq=2))


@pytest.mark.parametrize(("newest", "known"), [(3, False), (7, True), (None, True)])
def test_a_journal_that_began_anew_has_no_position(newest: int | None, known: bool, home: Path) -> None:
    made(home, record_of(FILL))
    if newest is not None:
        folder = names.writer_folder(home, *MAIN)
        folder.mkdir(parents=True)
        (folder / names.segment_name(newest)).write_bytes(b"")
    found = base.load(home)
    assert (MAIN in found.positions) is known
    assert found.events["arb-1", "main", "order_filled"] == 1
