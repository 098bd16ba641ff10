"""Orders' lives as traces."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan

from deskwatch import events as ev
from deskwatch.sinks.otlp import open_traces
from deskwatch.sinks.otlp.reading import Line
from deskwatch.sinks.otlp.resources import Resources
from deskwatch.sinks.otlp.traces import Traces
from tests.lines import START_NS
from tests.unit.sinks.otlp.lines import SECOND, line, raw

TRACE = "0af7651916cd43dd8448eb211c80319c"
OTHER = "1af7651916cd43dd8448eb211c80319d"
_resources = Resources("instance-1")
_place: dict[str, Any] = {"venue": "amber", "symbol": "WETH/USDC"}


def opportunity(trace: str = TRACE) -> ev.Event:
    return ev.OpportunityFound(
        opportunity_id="op",
        strategy="s",
        symbol="WETH/USDC",
        spread_ratio=0.1,
        expected_profit=1,
        asset="USDC",
        trace=trace,
    )


def submitted(order: str = "o-1", cause: str | None = "d-1", trace: str = TRACE) -> ev.Event:
    return ev.OrderSubmitted(order_id=order, side="buy", quantity=1, trace=trace, cause=cause, **_place)


def filled(order: str = "o-1", *, final: bool = True, trace: str = TRACE) -> ev.Event:
    return ev.OrderFilled(
        order_id=order, side="buy", quantity=1, price=3000, final=final, trace=trace, cause=order, **_place
    )


def life() -> list[ev.Event]:
    """An arbitrage's first leg, from the opportunity to the position."""
    gas: dict[str, Any] = {"gas_used": 1, "gas_price_wei": "1", "gas_cost": 1.0, "asset": "ETH", "block": 1}
    chain: dict[str, Any] = {"chain": "c", "transaction": "0xabc", "sender": "0x1", "trace": TRACE, "cause": "o-1"}
    return [
        opportunity(),
        ev.PredictionMade(prediction_id="p-1", provider="m", target="t", latency_seconds=0.5, trace=TRACE, cause="op"),
        ev.DecisionMade(
            decision_id="d-1",
            action="buy",
            provider="m",
            latency_seconds=0.25,
            reasoning="long",
            trace=TRACE,
            cause="op",
        ),
        submitted(),
        ev.TransactionSent(nonce=1, purpose="swap", **chain),
        ev.OrderAcknowledged(order_id="o-1", venue_order_id="0xabc", trace=TRACE, cause="o-1", **_place),
        filled(final=False),
        ev.TransactionConfirmed(**gas, **chain),
        filled(),
        ev.PositionOpened(
            position_id="pos", side="long", quantity=1, entry_price=1, asset="USDC", trace=TRACE, cause="o-1", **_place
        ),
        submitted("o-2", "pos"),
        ev.OrderRejected(order_id="o-2", reason="reverted", message="too little", trace=TRACE, cause="o-2", **_place),
        submitted("o-3", "command-9"),
        filled("o-3"),
        ev.PositionClosed(
            position_id="pos",
            realized_pnl=1,
            asset="USDC",
            trace=TRACE,
            cause="o-3",
            **_place,
        ),
    ]


def lines(events: Iterable[ev.Event], bot: str = "arb-1") -> list[Line]:
    return [line(event, seq=seq, bot=bot) for seq, event in enumerate(events, 1)]


def spans(source: Sequence[Line], traces: Traces | None = None) -> list[ReadableSpan]:
    traces = traces or Traces(_resources)
    return [span for one in source for span in traces.translate(one)]


def shown(found: Iterable[ReadableSpan]) -> list[dict[str, Any]]:
    return [json.loads(span.to_json()) for span in found]


def number(span: ReadableSpan) -> int:
    context = span.get_span_context()
    assert context is not None
    return context.span_id


def tree(found: Sequence[ReadableSpan]) -> dict[str, str]:
    """Each span's name and what it is about, with its parent's."""
    names = {number(span): _about(span) for span in found}
    return {_about(span): names[span.parent.span_id] if span.parent else "" for span in found}


def _about(span: ReadableSpan) -> str:
    attributes = span.attributes or {}
    for field in ("order_id", "position_id", "decision_id", "prediction_id", "opportunity_id", "transaction"):
        if f"deskwatch.{field}" in attributes:
            return f"{span.name} {attributes[f'deskwatch.{field}']!s}"
    return span.name


def test_an_orders_life_is_one_tree() -> None:
    found = spans(lines(life()))
    assert tree(found) == {
        "opportunity op": "",
        "prediction p-1": "opportunity op",
        "decision d-1": "opportunity op",
        "order o-1": "decision d-1",
        "transaction 0xabc": "order o-1",
        "position pos": "order o-1",
        "order o-2": "position pos",
        "order o-3": "opportunity op",  # a command is not of this trace: the first span is its parent
    }
    assert {format(span.get_span_context().trace_id, "032x") for span in found} == {TRACE}  # type: ignore[union-attr]  # it has one
    assert {span.resource.attributes["service.name"] for span in found} == {"arb-1"}


def test_spans_last_as_long_as_what_they_tell_of() -> None:
    found = {_about(span): span for span in spans(lines(life()))}

    def seconds(name: str) -> tuple[float, float]:
        span = found[name]
        return ((span.start_time or 0) - START_NS) / SECOND, ((span.end_time or 0) - START_NS) / SECOND

    assert seconds("opportunity op") == (1, 1)
    assert seconds("prediction p-1") == (1.5, 2)
    assert seconds("decision d-1") == (2.75, 3)
    assert seconds("order o-1") == (4, 9)
    assert seconds("transaction 0xabc") == (5, 8)
    assert seconds("position pos") == (10, 15)


def test_fills_and_acknowledgements_are_events_of_the_order() -> None:
    (order,) = [span for span in spans(lines(life())) if _about(span) == "order o-1"]
    assert [(one.name, (one.timestamp - START_NS) // SECOND) for one in order.events] == [
        ("acknowledged", 6),
        ("fill", 7),
        ("fill", 9),
    ]
    fill = order.events[1].attributes
    assert fill is not None
    assert fill["deskwatch.price"] == 3000
    assert "deskwatch.reasoning" not in (order.attributes or {})


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (
            ev.OrderRejected(order_id="o-1", reason="reverted", message="too little", trace=TRACE, **_place),
            "reverted: too little",
        ),
        (ev.OrderRejected(order_id="o-1", reason="timeout", trace=TRACE, **_place), "timeout"),
        (ev.OrderExpired(order_id="o-1", trace=TRACE, **_place), "expired"),
        (ev.OrderCanceled(order_id="o-1", reason="changed", trace=TRACE, **_place), None),
        (filled(), None),
    ],
)
def test_what_failed_has_the_status_of_an_error(end: ev.Event, words: str | None) -> None:
    (order,) = spans(lines([submitted(), end]))
    assert order.status.is_ok is (words is None)
    assert order.status.description == words


def test_a_beginning_that_is_read_after_what_followed_is_the_beginning_all_the_same() -> None:
    """As where one writer submits and another acknowledges, which are read in turn."""
    acknowledged = ev.OrderAcknowledged(order_id="o-1", trace=TRACE, **_place)
    (span,) = spans([line(acknowledged, seq=2), line(submitted("o-1"), seq=1), line(filled("o-1"), seq=3)])
    assert (span.end_time or 0) - (span.start_time or 0) == 2 * SECOND
    assert [event.name for event in span.events] == ["acknowledged", "fill"]


def test_what_was_not_seen_to_begin_is_a_moment() -> None:
    (order,) = spans(lines([filled()]))
    assert order.start_time == order.end_time == START_NS + SECOND
    (transaction,) = spans(
        lines(
            [
                ev.TransactionReverted(
                    chain="c",
                    transaction="0x1",
                    sender="s",
                    block=1,
                    gas_used=1,
                    gas_price_wei="1",
                    gas_cost=1,
                    asset="ETH",
                    reason="slippage",
                    inclusion_seconds=0.5,
                    trace=TRACE,
                )
            ]
        )
    )
    assert (transaction.end_time or 0) - (transaction.start_time or 0) == SECOND // 2
    assert transaction.status.description == "slippage"


def test_ids_are_the_same_each_time_and_differ_by_bot_and_trace() -> None:
    ids = [number(span) for span in spans(lines(life()))]
    assert ids == [number(span) for span in spans(lines(life()))]
    assert len(set(ids)) == len(ids)
    assert not set(ids) & {number(span) for span in spans(lines(life(), "arb-2"))}
    assert number(spans(lines([filled(trace=TRACE)]))[0]) != number(spans(lines([filled(trace=OTHER)]))[0])


def test_what_ended_is_not_told_again_by_a_line_that_comes_twice() -> None:
    traces = Traces(_resources)
    once = spans(lines(life()), traces)
    assert once
    assert spans(lines(life()), traces) == []


@pytest.mark.parametrize("trace", [None, "x", "0" * 32])
def test_events_without_a_trace_give_no_span(trace: str | None) -> None:
    event = ev.OrderFilled(order_id="o", side="buy", quantity=1, price=1, final=True, trace=trace, **_place)
    assert spans([line(event), raw(b"garbage"), raw(b'{"trace":1}')]) == []


events = st.lists(
    st.builds(
        submitted,
        st.sampled_from(("a", "b", "c")),
        st.sampled_from((None, "d-1", "a", "b")),
        st.sampled_from((TRACE, OTHER)),
    )
    | st.builds(filled, st.sampled_from(("a", "b", "c")), final=st.booleans(), trace=st.sampled_from((TRACE, OTHER)))
    | st.sampled_from([*life(), opportunity(OTHER)]),
    max_size=30,
)


@given(events, st.data())
def test_a_restart_anywhere_changes_no_span(found: list[ev.Event], data: st.DataObject) -> None:
    """What is remembered goes through the cursor's file; spans that are open then end as they would have."""
    source = lines(found)
    at = data.draw(st.integers(0, len(source)))
    whole = shown(spans(source))
    first, second = Traces(_resources), Traces(_resources)
    before = spans(source[:at], first)
    second.remember(msgspec.Raw(bytes(first.memory())))
    assert shown(before) + shown(spans(source[at:], second)) == whole


@given(events)
def test_every_parent_is_of_the_trace_and_any_spans_can_be_encoded(found: list[ev.Event]) -> None:
    known: dict[int, set[int]] = {}
    traces = Traces(_resources)
    made = spans(lines(found), traces)
    for one in json.loads(bytes(traces.memory())):
        known.setdefault(int(one["trace"], 16), set()).update(one["spans"].values())
    for span in made:
        context = span.get_span_context()
        assert context is not None
        assert span.parent is None or span.parent.span_id in known[context.trace_id]
        assert span.parent is None or span.parent.span_id != context.span_id
        assert (span.start_time or 0) <= (span.end_time or 0)
    encode_spans(made).SerializeToString()


def test_what_is_remembered_is_bounded_and_what_is_forgotten_is_sent_unfinished(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(open_traces, "MAX_OPEN", 100)
    monkeypatch.setattr(open_traces, "MAX_FINISHED", 50)
    traces = Traces(_resources)
    many = 1000
    forgotten = spans([line(submitted(f"o-{n}", None, f"{n + 1:032x}"), seq=n + 1) for n in range(many)], traces)
    assert 0 < many - len(forgotten) <= 100 + open_traces.LOOK_EVERY
    assert all((span.attributes or {})["deskwatch.unfinished"] for span in forgotten)
    assert _about(forgotten[0]) == "order o-0"  # the oldest first
    spans([line(filled(f"f-{n}", trace=f"{n + 9999:032x}"), seq=n + 1) for n in range(many)], traces)
    assert len(json.loads(bytes(traces.memory()))) <= 100 + 50 + 2 * open_traces.LOOK_EVERY


def test_long_texts_in_many_open_orders_are_bounded_too() -> None:
    """What is remembered is written with each batch."""
    traces = Traces(_resources)
    text = "x" * 10_000
    names = ("venue", "symbol", "side", "strategy", "asset", "fee_asset", "liquidity", "fill_id", "cause")
    fill: dict[str, Any] = {"quantity": 1, "price": 1, "final": False, **dict.fromkeys(names, text)}
    unfinished = 0
    for n in range(120):
        trace = f"{n + 1:032x}"
        found = [line(ev.OrderFilled(order_id=f"{n} {k} {text}", trace=trace, **fill)) for k in range(20)] * 2
        unfinished += len(spans(found, traces))
        assert len(bytes(traces.memory())) < 2 * open_traces.MAX_CHARACTERS
    assert unfinished > 100
    ends = [line(filled(f"{n} {k} {text}", trace=f"{n + 1:032x}")) for n in (118, 119) for k in range(20)]
    assert len(spans(ends, traces)) == 40  # the newest are kept


def test_an_order_of_ten_thousand_fills_keeps_the_first_and_counts_the_rest() -> None:
    found = spans(lines([submitted(), *[filled(final=False)] * 10_000, filled()]))
    assert len(found) == 1
    assert len(found[0].events) == open_traces.MAX_EVENTS
    assert (found[0].attributes or {})["deskwatch.events_left_out"] == 10_001 - open_traces.MAX_EVENTS


def test_a_bot_with_one_trace_for_everything_does_not_grow_it() -> None:
    traces = Traces(_resources)
    found = spans(lines([event for n in range(500) for event in (submitted(f"o-{n}", None), filled(f"o-{n}"))]), traces)
    assert len(found) == 500
    (one,) = json.loads(bytes(traces.memory()))
    assert len(one["spans"]) == open_traces.MAX_SPANS


def test_another_versions_memory_is_passed_over() -> None:
    traces = Traces(_resources)
    traces.remember(msgspec.Raw(b'{"other":1}'))
    assert spans(lines(life()), traces)
