"""What the tests of OTLP ask: sinks at a receiver's address, what the receiver should hold, and what it does."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from deskwatch.events import (
    DecisionMade,
    Event,
    OpportunityFound,
    OrderAcknowledged,
    OrderFilled,
    OrderRejected,
    OrderSubmitted,
    TransactionConfirmed,
    TransactionReverted,
    TransactionSent,
)
from deskwatch.sinks.otlp import resolve
from deskwatch.sinks.otlp.sink import OtlpSink, Pace
from deskwatch.sinks.otlp.start import OtlpSinks
from tests.fakes.otlp import FakeOtlp, Span

QUICK = Pace(linger_seconds=0.005, first_seconds=0.002, most_seconds=0.004, batch_bytes=8 * 1024)
"""Nothing waits long, and a batch is small."""


def sinks(home: Path, otlp: FakeOtlp, *, pace: Pace = QUICK, **environ: str) -> OtlpSinks:
    """Both sinks, over the receiver's protocol."""
    protocol = {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"} if otlp.is_grpc else {}
    return OtlpSinks(home, resolve(otlp.url, {**protocol, **environ}), pace)


def named(both: OtlpSinks, signal: str) -> OtlpSink:
    """One of them."""
    (found,) = [sink for sink in both.sinks if sink.name == f"otlp_{signal}"]
    return found


def quarantined(home: Path, signal: str = "logs") -> list[dict[str, Any]]:
    """The rows in a sink's quarantine."""
    path = home / "sinks" / f"otlp_{signal}.quarantine.ndjson"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def shipped(otlp: FakeOtlp) -> Counter[tuple[str, str]]:
    """Bot and line of each log record that the receiver holds, and how often."""
    return Counter((log.resource["service.name"], log.body) for log in otlp.logs)


def whole(spans: Iterable[Span]) -> dict[str, dict[str, Span]]:
    """Trace → span id → span; a span that came twice is the same each time, and each parent is there."""
    found: dict[str, dict[str, Span]] = {}
    for span in spans:
        known = found.setdefault(span.trace, {}).setdefault(span.id, span)
        assert known == span
    for trace in found.values():
        assert all(span.parent == "" or span.parent in trace for span in trace.values())
    return found


def life(number: int) -> list[Event]:
    """One order's life, whole: four spans, each under the one before. In every third the chain refuses it."""
    trace = f"{number + 1:032x}"
    place: dict[str, Any] = {"venue": "amber", "symbol": "WETH/USDC", "trace": trace}
    chain: dict[str, Any] = {"chain": "c", "transaction": f"0x{number:x}", "sender": "0x1", "trace": trace}
    paid: dict[str, Any] = {"gas_used": 1, "gas_price_wei": "1", "gas_cost": 1.0, "asset": "ETH", "block": number}
    order, decision, found = f"o-{number}", f"d-{number}", f"op-{number}"
    fill: dict[str, Any] = {"order_id": order, "side": "buy", "quantity": 1, "price": 3000, "cause": order}
    if number % 3 == 0:
        ends: list[Event] = [
            TransactionReverted(reason="slippage", cause=order, **paid, **chain),
            OrderRejected(order_id=order, reason="reverted", cause=order, **place),
        ]
    else:
        ends = [TransactionConfirmed(cause=order, **paid, **chain), OrderFilled(final=True, **fill, **place)]
    return [
        OpportunityFound(
            opportunity_id=found,
            strategy="s",
            symbol="WETH/USDC",
            spread_ratio=0.1,
            expected_profit=1,
            asset="USDC",
            trace=trace,
        ),
        DecisionMade(decision_id=decision, action="buy", provider="rules", trace=trace, cause=found),
        OrderSubmitted(order_id=order, side="buy", quantity=1, cause=decision, **place),
        TransactionSent(nonce=number, cause=order, **chain),
        OrderAcknowledged(order_id=order, cause=order, **place),
        OrderFilled(final=False, **fill, **place),
        *ends,
    ]


def check_lives(spans: Iterable[Span], count: int) -> None:
    """See that so many lives are there, each whole."""
    found = whole(spans)
    assert found.keys() == {f"{number + 1:032x}" for number in range(count)}
    for trace, ids in found.items():
        by_name = {span.name: span for span in ids.values()}
        assert by_name.keys() == {"opportunity", "decision", "order", "transaction"}
        assert by_name["opportunity"].parent == ""
        assert by_name["decision"].parent == by_name["opportunity"].id
        assert by_name["order"].parent == by_name["decision"].id
        assert by_name["transaction"].parent == by_name["order"].id
        failed = (int(trace, 16) - 1) % 3 == 0
        assert (by_name["order"].failure, by_name["transaction"].failure) == (
            ("reverted", "slippage") if failed else (None, None)
        )
        names = [name for name, _, _ in by_name["order"].events]
        assert names == ["acknowledged", "fill"] + ["fill"] * (not failed)
        assert by_name["order"].start < by_name["order"].end
