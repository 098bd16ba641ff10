"""Metrics of journals without a sidecar."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest, write_to_textfile
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics

from deskwatch import cli
from deskwatch.collector import JournalCollector
from deskwatch.encoding import encode
from deskwatch.events import OrderFilled, OrderSubmitted
from deskwatch.journal import Batch, Writer, names
from deskwatch.journal.retention import Keep, Limits
from deskwatch.projections import Projections
from deskwatch.projections.activity import Entry
from deskwatch.sidecar.feed import Feed
from deskwatch.sidecar.retention import Retention
from tests.fakes import metrics
from tests.lines import segment_files, write
from tests.unit.projections.folding import Fields
from tests.waiting import eventually_async

PLACE: Fields = {"venue": "v", "symbol": "S", "side": "buy", "quantity": 1.0}


def trade(home: Path, orders: int, bot: str = "arb-1") -> None:
    for number in range(orders):
        order = f"{bot}-{number}"
        submitted = OrderSubmitted(order_id=order, trace="a" * 32, **PLACE)
        filled = OrderFilled(order_id=order, price=2, final=True, trace="a" * 32, **PLACE)
        write(home, [submitted, filled], bot=bot)


def registry_of(home: Path) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(JournalCollector(home))
    return registry


def test_it_says_what_a_sidecar_says_and_goes_on_from_there(tmp_path: Path) -> None:
    registry = registry_of(tmp_path)
    assert generate_latest(registry) == b""
    for orders in (3, 2):
        trade(tmp_path, orders)
        trade(tmp_path, 1, bot="arb-2")
        assert generate_latest(registry).decode() == metrics.of_journals(tmp_path, followed=False)
    exemplars = [
        sample.exemplar
        for family in parse_openmetrics(generate_openmetrics(registry).decode())
        for sample in family.samples
        if sample.exemplar
    ]
    assert exemplars[0].labels == {"trace_id": "a" * 32}


def test_it_stands_beside_others_in_a_registry_and_is_written_to_files(tmp_path: Path) -> None:
    trade(tmp_path, 1)
    write_to_textfile(str(tmp_path / "bots.prom"), registry_of(tmp_path))
    assert "tradebot_orders_filled_total{" in (tmp_path / "bots.prom").read_text()


def test_bots_that_write_without_a_pause_keep_no_collection_from_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trade(tmp_path, 1)
    apply_batch = Projections.apply_batch
    batches = 0

    def apply_and_write(projections: Projections, batch: Batch) -> list[Entry]:
        nonlocal batches
        batches += 1
        assert batches < 10, "it does not end"
        trade(tmp_path, 1)
        return apply_batch(projections, batch)

    monkeypatch.setattr(Projections, "apply_batch", apply_and_write)
    collector = JournalCollector(tmp_path)
    for orders in (1, 2):
        filled = {one.name: one for one in collector.collect()}["tradebot_orders_filled"].samples
        assert [sample.value for sample in filled] == [orders]


def test_closed_it_can_be_asked_again(tmp_path: Path) -> None:
    collector = JournalCollector(tmp_path)
    for orders in (1, 2):
        trade(tmp_path, 1)
        filled = {one.name: one for one in collector.collect()}["tradebot_orders_filled"].samples
        assert [sample.value for sample in filled] == [orders]
        collector.close()


async def test_what_retention_removed_is_in_it(tmp_path: Path) -> None:
    journal = Writer(names.writer_folder(tmp_path, "arb-1", names.MAIN), segment_bytes=2000).open()
    for number in range(100):
        journal.append(encode(OrderFilled(order_id=f"o-{number}", price=2, final=True, **PLACE)))
    journal.close()
    before = generate_latest(registry_of(tmp_path))
    segments = len(segment_files(tmp_path))
    keep = Keep(seconds=1e9, bytes=2000, budget_bytes=10**9)
    async with Feed(tmp_path, 3600) as feed:
        await eventually_async(feed.caught_up.is_set)
        await feed.save()
        retention = Retention(tmp_path, Limits(bots=keep, control=keep), feed, [])
        retention.run(time.time())
    assert len(segment_files(tmp_path)) < segments
    assert generate_latest(registry_of(tmp_path)) == before


def test_the_command_prints_or_writes_what_the_journals_say(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    trade(tmp_path, 2)
    home = ["--home", str(tmp_path)]
    assert cli.main(["metrics", *home]) == 0
    printed = capsysbinary.readouterr().out
    assert printed.decode() == metrics.of_journals(tmp_path, followed=False)
    assert cli.main(["metrics", *home, "--output", str(tmp_path / "x.prom")]) == 0
    assert (tmp_path / "x.prom").read_bytes() == printed
    assert cli.main(["metrics", *home, "--max-series", "1"]) == 0
    assert b'type="__other__"' in capsysbinary.readouterr().out
    assert cli.main(["metrics", *home, "--openmetrics"]) == 0
    assert capsysbinary.readouterr().out.endswith(b"# EOF\n")


def test_a_home_without_journals_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["metrics", "--home", str(tmp_path / "none")]) == 2
    assert "expected journals in" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()
