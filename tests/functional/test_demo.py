"""The main job: a bot trades on a real chain, and a real Prometheus, the API and the journal tell the same of it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from deskwatch.events import Mode, ModeChanged, OrderSubmitted, PredictionResolved
from deskwatch.journal import Record
from tests import running
from tests.reference import page
from tests.reference.catalogue import entries
from tests.reference.examples import example
from tests.reference.questions import QUESTIONS
from tests.servers import require
from tests.waiting import eventually

FIRST_TRADE_SECONDS = 90


@pytest.fixture(scope="module")
def prometheus(demo: running.Demo, tmp_path_factory: pytest.TempPathFactory):
    with running.prometheus(tmp_path_factory.mktemp("prometheus"), demo.port) as server:
        yield server


def test_first_trade_comes_soon_and_is_told(demo: running.Demo):
    """The first closed trade shows within the promised time, and the launcher says so."""
    eventually(lambda: demo.bot()["counts"]["trades_closed"], FIRST_TRADE_SECONDS)
    told = eventually(lambda: re.search(r"first trade (\d+) s after the start", demo.output.read_text()))
    assert int(told[1]) <= FIRST_TRADE_SECONDS


def test_prometheus_sees_trading(demo: running.Demo, prometheus: running.Prometheus):
    """Orders and PnL move, gas is spent, the p95 of order latency is a number, exactly one mode is 1."""
    eventually(lambda: demo.bot()["counts"]["trades_closed"] >= 2, FIRST_TRADE_SECONDS)
    orders = "sum(tradebot_orders_submitted_total{bot='arb-1'})"
    before = eventually(lambda: prometheus.value(orders), 20)
    eventually(lambda: (prometheus.value(orders) or 0) > before, 60)
    eventually(lambda: (prometheus.value("sum(increase(tradebot_orders_submitted_total[2m]))") or 0) > 0, 30)
    pnl = "sum by (asset) (tradebot_profit_total{bot='arb-1'}) - sum by (asset) (tradebot_loss_total{bot='arb-1'})"
    first = eventually(lambda: prometheus.value(pnl), 20)
    eventually(lambda: prometheus.value(pnl) != first, 90)
    assert (prometheus.value("sum(tradebot_gas_spent_total{bot='arb-1',asset='ETH'})") or 0) > 0
    p95 = "histogram_quantile(0.95, sum by (le) (rate(tradebot_order_latency_seconds_bucket{bot='arb-1'}[1m])))"
    eventually(lambda: 0 < (prometheus.value(p95) or 0) < 60, 30)
    assert prometheus.value("count(tradebot_mode{bot='arb-1'} == 1)") == 1
    assert prometheus.value("count(tradebot_mode{bot='arb-1'})") == 4


def test_processes_and_host_are_sampled(demo: running.Demo, prometheus: running.Prometheus):
    """CPU, memory, descriptors and threads of bot, sidecar and host are there and plausible."""
    for metric in ("cpu_seconds_total", "resident_memory_bytes", "open_fds", "threads"):
        assert (prometheus.value(f"tradebot_process_{metric}{{bot='arb-1'}}") or 0) > 0, metric
        assert (prometheus.value(f"deskwatch_process_{metric}") or 0) > 0, metric
    assert (prometheus.value("deskwatch_host_memory_available_bytes") or 0) > 1e6


def test_standby_stops_orders_and_active_resumes(demo: running.Demo, prometheus: running.Prometheus):
    """After standby is confirmed the metric says so and no new order follows; active brings them back."""
    demo.set_mode("standby")
    eventually(lambda: prometheus.value("tradebot_mode{bot='arb-1',mode='standby'}") == 1)
    found = demo.bot()["counts"]["opportunities_found"]
    eventually(lambda: demo.bot()["counts"]["opportunities_found"] > found + 1, 90)  # there was something to trade
    demo.set_mode("active")
    own = running.records(demo.home)
    changes = [(record.seq or 0, record.event.mode) for record in own if isinstance(record.event, ModeChanged)]
    began = next(seq for seq, mode in changes if mode is Mode.STANDBY)
    ended = next(seq for seq, mode in changes if mode is Mode.ACTIVE and seq > began)
    opening = [
        record
        for record in own
        if isinstance(record.event, OrderSubmitted) and record.event.side == "buy" and began < (record.seq or 0) < ended
    ]
    assert opening == []
    orders = demo.bot()["counts"]["orders_submitted"]
    eventually(lambda: demo.bot()["counts"]["orders_submitted"] > orders, 90)
    eventually(lambda: prometheus.value("tradebot_mode{bot='arb-1',mode='active'}") == 1)


def test_close_all_unwinds_the_inventory(demo: running.Demo):
    """On close_all the bot ends with no open position and says what it closed."""
    demo.set_mode("standby")
    command = demo.get(f"/commands/{demo.command('close_all')}")
    assert command["status"] == "succeeded"
    assert eventually(lambda: not demo.bot()["positions"] or None)
    demo.set_mode("active")


def test_metrics_snapshot_and_journal_agree(demo: running.Demo, tmp_path: Path):
    """With the bot at rest, /metrics, /snapshot and the journal's lines tell the same counts and money."""
    demo.set_mode("halted")
    eventually(lambda: _open_orders(demo) == 0, 30)
    text, state, own = eventually(lambda: _at_one_moment(demo), 60)
    metric = _values(text)
    types = Counter(record.type for record in own)
    counts = state["counts"]
    for name, kind, counted in (
        ("tradebot_orders_submitted_total", "order_submitted", "orders_submitted"),
        ("tradebot_orders_failed_total", "order_rejected", "orders_failed"),
        ("tradebot_trades_closed_total", "position_closed", "trades_closed"),
        ("tradebot_transactions_sent_total", "transaction_sent", "transactions_sent"),
        ("tradebot_transactions_reverted_total", "transaction_reverted", "transactions_reverted"),
    ):
        assert metric[name] == types[kind] == counts[counted], name
    assert metric["tradebot_realized_pnl"] == pytest.approx(sum(state["realized_pnl"].values()))
    assert metric["tradebot_equity"] == pytest.approx(sum(state["equity"].values()))
    resolved = [record.event for record in own if isinstance(record.event, PredictionResolved)]
    squared = sum(((one.probability or 0) - bool(one.occurred)) ** 2 for one in resolved)
    assert metric["tradebot_predictions_resolved_total"] == len(resolved)
    assert metric["tradebot_prediction_squared_error_total"] == pytest.approx(squared)
    demo.set_mode("active")
    (tmp_path / "metrics").write_text(text)
    with (tmp_path / "metrics").open() as file:
        lint = subprocess.run([require("promtool"), "check", "metrics"], stdin=file, capture_output=True, check=False)
    assert (lint.returncode, lint.stdout, lint.stderr) == (0, b"", b"")


def test_every_metric_of_the_demo_is_documented(demo: running.Demo):
    """Each family on /metrics is in the reference, with its type and its labels."""
    documented = page.documented()
    for family in text_string_to_metric_families(demo.metrics()):
        name = family.name + ("_total" if family.type == "counter" else "")
        assert name in documented, name
        kind, labels = documented[name]
        assert family.type == kind, name
        for sample in family.samples:
            assert set(sample.labels) - {"le"} == labels, name


def test_a_real_prometheus_answers_every_query_of_the_reference(demo: running.Demo, prometheus: running.Prometheus):
    """None of them is an error; those without a rate have something to say already."""
    queries = {*(example(entry.family) for entry in entries()), *(question.promql for question in QUESTIONS)}
    assert len([query for query in queries if prometheus.query(query)]) > 50


def test_activity_shows_decisions_with_their_provider(demo: running.Demo):
    """The activity holds the bot's decisions, newest first, filtered by provider."""
    provider = demo.bot()["last_decision"]["provider"]
    found = demo.get(f"/activity/ai-decisions?provider={provider}&limit=5")["events"]
    assert found
    assert all(event["raw"]["provider"] == provider for event in found)
    assert [event["number"] for event in found] == sorted((event["number"] for event in found), reverse=True)
    assert demo.get("/activity/ai-decisions?provider=nobody")["events"] == []


def test_stream_tells_of_events_as_they_happen(demo: running.Demo):
    """A WebSocket reader gets a snapshot, then numbered changes of a bot that trades."""
    from websockets.sync.client import connect

    with connect(demo.url.replace("http", "ws") + "/stream") as socket:
        first = json.loads(socket.recv(timeout=30))
        assert first["type"] == "snapshot"
        assert first["bots"][0]["bot"] == "arb-1"
        position, deadline = first["position"], time.monotonic() + 60
        kinds: set[str] = set()
        demo.command("ping")
        while not kinds >= {"events", "state"} and time.monotonic() < deadline:
            message = json.loads(socket.recv(timeout=30))
            assert message["position"] >= position
            position = message["position"]
            kinds.add(message["type"])
        assert kinds >= {"events", "state"}


def _at_one_moment(demo: running.Demo) -> tuple[str, Any, list[Record]] | None:
    """What all three tell; None where the bot told something meanwhile, as it does at rest, too."""
    text, state, own, again = demo.metrics(), demo.bot(), running.records(demo.home), demo.metrics()
    return (text, state, own) if _folded(text) == len(own) == _folded(again) else None


def _folded(text: str) -> float:
    """How many of the bot's own events the metrics have."""
    lines = (line for line in text.splitlines() if line.startswith("deskwatch_events_total{"))
    return sum(float(line.rpartition(" ")[2]) for line in lines if 'bot="arb-1"' in line and 'writer="main"' in line)


def _open_orders(demo: running.Demo) -> int:
    counts = demo.bot()["counts"]
    done: int = counts["orders_filled"] + counts["orders_failed"]
    return int(counts["orders_submitted"]) - done


def _values(text: str) -> dict[str, float]:
    """Each metric's value, summed over its series."""
    found: Counter[str] = Counter()
    for line in text.splitlines():
        if not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            found[name.partition("{")[0]] += float(value)  # type: ignore[assignment]  # a Counter of floats
    return dict(found)


def test_the_terminal_view_is_opened_by_the_line_that_is_printed(demo: running.Demo, tmp_path: Path):
    """Its picture shows the bot; the line names URL and home."""
    (line,) = re.findall(r"Terminal: +(?:\S*/)?deskwatch (top --url \S+ --home \S+)", demo.output.read_text())
    picture = tmp_path / "top.svg"
    argv = [sys.executable, "-m", "deskwatch", *line.split(), "--screenshot", str(picture)]
    subprocess.run(argv, check=True, timeout=60, cwd=running.ROOT)
    assert "arb-1" in picture.read_text()
