"""The sidecar's folding: lines a second through parsing and all projections, on one core; baseline: parsing alone."""

from __future__ import annotations

import time
from typing import Any

import msgspec

from benchmarks.report import report
from deskwatch.encoding import encode
from deskwatch.events import DecisionMade, Event, OrderFilled, OrderSubmitted, PositionClosed, PriceObserved
from deskwatch.journal import START, Batch
from deskwatch.journal.line import frame
from deskwatch.projections import Projections

ROUNDS = 20_000
BATCH = 500


def journal() -> list[bytes]:
    """Lines of a bot that trades."""
    lines: list[bytes] = []

    def add(event: Event) -> None:
        lines.append(frame(encode(event), ts=time.time_ns(), seq=len(lines) + 1, run=b"0123456789abcdef")[:-1])

    for number in range(ROUNDS):
        order: dict[str, Any] = {
            "order_id": f"o-{number}",
            "venue": "amber",
            "symbol": "WETH/USDC",
            "strategy": "arbitrage",
        }
        add(PriceObserved(venue="amber", symbol="WETH/USDC", price=3000 + number / 10))
        add(
            DecisionMade(decision_id=f"d-{number}", action="buy", provider="rules", confidence=0.7, latency_seconds=0.1)
        )
        add(OrderSubmitted(**order, side="buy", quantity=1.5))
        add(OrderFilled(**order, side="buy", quantity=1.5, price=3000.5, final=True, asset="USDC", fee=1.0))
        add(PositionClosed(position_id=f"p-{number}", venue="amber", symbol="WETH/USDC", realized_pnl=1, asset="USDC"))
    return lines


def main() -> None:
    """Measure."""
    lines = journal()
    began = time.perf_counter()
    for line in lines:
        msgspec.json.decode(line)
    parsing = time.perf_counter() - began
    projections = Projections()
    began = time.perf_counter()
    for at in range(0, len(lines), BATCH):
        batch = Batch(bot="bench", writer="main", lines=lines[at : at + BATCH], start=START, position=START)
        projections.apply_batch(batch)
    folding = time.perf_counter() - began
    ours, baseline = len(lines) / folding, len(lines) / parsing
    report("ingest, events a second", ours=ours, baseline=baseline, budget=60_000, most=False)


if __name__ == "__main__":
    main()
