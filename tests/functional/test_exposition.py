"""A real Prometheus takes both forms of /metrics: the same figures, and with OpenMetrics the exemplars."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from deskwatch.events import BotStarted, DecisionMade, Mode, OrderFilled, OrderSubmitted, RequestCompleted
from tests import running
from tests.lines import BOT, write
from tests.waiting import eventually

TRACES = ("0af7651916cd43dd8448eb211c80319c", "4bf92f3577b34da6a3ce929d0e0e4736")
EXEMPLARS = "--enable-feature=exemplar-storage"


@pytest.fixture
def journal(home: Path) -> Path:
    """A home with the journal of a bot that is at rest: each order has a trace of its own."""
    home.mkdir(mode=0o700)
    started = BotStarted(pid=1, host="elsewhere", mode=Mode.ACTIVE)
    write(home, [started, RequestCompleted(venue="v", operation="quote", ok=True, latency_seconds=0.02)])
    for number, trace in enumerate(TRACES):
        write(
            home,
            [
                DecisionMade(
                    decision_id=f"d{number}", action="buy", provider="rules", latency_seconds=0.1, trace=trace
                ),
                OrderSubmitted(
                    order_id=f"o{number}",
                    venue="v",
                    symbol="S",
                    side="buy",
                    quantity=1,
                    cause=f"d{number}",
                    trace=trace,
                ),
                OrderFilled(
                    order_id=f"o{number}",
                    venue="v",
                    symbol="S",
                    side="buy",
                    quantity=1,
                    price=3,
                    final=True,
                    trace=trace,
                ),
            ],
        )
    return home


def test_both_forms_give_the_same_figures(journal: Path, tmp_path: Path) -> None:
    """Every series of the bots, by either road, and none by only one of them."""
    with (
        running.sidecar(journal) as sidecar,
        running.prometheus(tmp_path, int(sidecar.url.rpartition(":")[2]), as_text=True) as prometheus,
    ):
        by_road = {
            job: {
                tuple(sorted((key, value) for key, value in one["metric"].items() if key != "job")): one["value"][1]
                for one in prometheus.query(f'{{__name__=~"tradebot_.*|deskwatch_events_total",job="{job}"}}')
            }
            for job in ("deskwatch", "text")
        }
        assert by_road["deskwatch"] == by_road["text"]
        assert len(by_road["text"]) > 100


def test_exemplars_lead_from_a_latency_to_its_trace(journal: Path, tmp_path: Path) -> None:
    """Prometheus holds the newest one of a bucket, with the trace's id, the value and the event's time."""
    with (
        running.sidecar(journal) as sidecar,
        running.prometheus(tmp_path, int(sidecar.url.rpartition(":")[2]), EXEMPLARS) as prometheus,
    ):
        for histogram, traces in (
            ("tradebot_order_latency_seconds", TRACES),
            ("tradebot_decision_latency_seconds", TRACES[-1:]),
        ):
            found = eventually(partial(_exemplars, prometheus, f"{histogram}_bucket"), 20)
            assert {one["labels"]["trace_id"] for one in found} <= set(traces)
            assert all(float(one["value"]) >= 0 for one in found)
            assert all(abs(one["timestamp"] - time.time()) < 600 for one in found)
        latencies = _exemplars(prometheus, "tradebot_decision_latency_seconds_bucket")
        assert [float(one["value"]) for one in latencies] == [0.1]


def _exemplars(prometheus: running.Prometheus, name: str) -> list[dict[str, Any]]:
    now = time.time()
    found = prometheus.ask("query_exemplars", query=f'{name}{{bot="{BOT}"}}', start=now - 600, end=now + 60)
    return [one for series in found for one in series["exemplars"]]
