"""After a run the chain is the judge: what was journaled is what the chain says, to the wei."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.unit.examples.world import World


def test_every_transaction_was_sent_once_and_settled_once(lived: World):
    sent = [event["transaction"] for event in lived.events("transaction_sent")]
    settled = [event["transaction"] for event in lived.events("transaction_confirmed", "transaction_reverted")]
    assert len(sent) > 10
    assert Counter(sent) == Counter(settled)
    assert set(Counter(sent).values()) == {1}
    assert len(sent) == lived.market.node.nonce(bytes.fromhex(lived.trader.wallet.address[2:]))


def test_the_journaled_gas_is_what_the_account_paid_to_the_wei(lived: World):
    settled = lived.events("transaction_confirmed", "transaction_reverted")
    paid = sum(event["gas_used"] * int(event["gas_price_wei"]) for event in settled)
    held = lived.trader.accounts.holdings()
    assert lived.started["native_wei"] - held.native_wei == paid
    assert paid == lived.trader.wallet.gas_wei


def test_realized_profit_is_what_the_balances_changed_by(lived: World):
    """Exactly in the quote token's smallest units, and in the journaled figures net of gas."""
    accounts = lived.trader.accounts
    held = accounts.holdings()
    assert held.base == lived.started["base"] == 0
    assert held.quote - lived.started["quote"] == accounts.realized_quote
    closed = sum(event["realized_pnl"] for event in lived.events("position_closed"))
    in_positions = {event["cause"] for event in lived.events("order_filled")}
    outside = sum(
        event["gas_cost_quote"]
        for event in lived.events("transaction_confirmed", "transaction_reverted")
        if event.get("cause") not in in_positions
    )
    failed_sales = _gas_of_failed_sales(lived)
    gained = accounts.realized_quote / 10**6 - accounts.gas_quote(lived.trader.wallet.gas_wei)
    assert closed - (outside - failed_sales) == pytest.approx(gained, abs=1e-6)


def _gas_of_failed_sales(lived: World) -> float:
    sales = {event["order_id"] for event in lived.events("order_submitted") if event["side"] == "sell"}
    return sum(
        float(event["gas_cost_quote"]) for event in lived.events("transaction_reverted") if event["cause"] in sales
    )


def test_equity_changed_by_what_was_gained(lived: World):
    first, *_, last = [event["equity"] for event in lived.events("equity_observed")]
    accounts = lived.trader.accounts
    gained = accounts.realized_quote / 10**6 - accounts.gas_quote(lived.trader.wallet.gas_wei)
    assert last - first == pytest.approx(gained, abs=1e-6)


def test_every_order_is_submitted_before_it_is_sent_and_ends_once(lived: World):
    for order in lived.events("order_submitted"):
        life = [
            event["type"] for event in lived.events()
            if order["order_id"] in (event.get("order_id"), event.get("cause"))
        ]  # fmt: skip
        assert life.index("order_submitted") < life.index("transaction_sent") < life.index("order_acknowledged")
        assert life.count("order_filled") + life.count("order_rejected") == 1


def test_fills_carry_what_the_pools_swap_event_says(lived: World):
    for event in lived.events("order_filled"):
        transaction, index = event["fill_id"].split(":")
        log = next(
            log
            for log in (lived.market.node.receipt(transaction) or {})["logs"]
            if int(log["logIndex"], 16) == int(index)
        )
        words = [int(log["data"][2 + at : 66 + at], 16) for at in range(0, 256, 64)]
        base, quote = words[0] or words[2], words[1] or words[3]
        assert event["quantity"] == pytest.approx(base / 10**18, rel=1e-12)
        assert event["price"] == pytest.approx((quote / 10**6) / (base / 10**18), rel=1e-9)


def test_each_position_is_opened_once_and_closed_once(lived: World):
    opened = [event["position_id"] for event in lived.events("position_opened")]
    closed = [event["position_id"] for event in lived.events("position_closed")]
    assert opened
    assert opened == closed


def test_each_opportunity_is_taken_or_missed(lived: World):
    found = {event["opportunity_id"]: event["trace"] for event in lived.events("opportunity_found")}
    missed = {event["opportunity_id"] for event in lived.events("opportunity_missed")}
    taken = {event["trace"] for event in lived.events("order_submitted")}
    open_at_the_end = list(found)[-1:]
    for opportunity, trace in found.items():
        assert opportunity in missed or trace in taken or opportunity in open_at_the_end


def test_predictions_are_resolved_once_with_what_was_predicted(lived: World):
    made = {event["prediction_id"]: event["probability"] for event in lived.events("prediction_made")}
    resolved = lived.events("prediction_resolved")
    assert len(resolved) > 10
    assert len({event["prediction_id"] for event in resolved}) == len(resolved)
    assert all(made[event["prediction_id"]] == event["probability"] for event in resolved)
    assert len(made) - len(resolved) <= 2
    occurred = 0
    for count, event in enumerate(resolved):
        if count >= 2:
            assert 0 < event["base_rate"] < 1
        occurred += event["occurred"]
    assert 0 < occurred < len(resolved)


def test_one_arbitrage_is_one_trace(lived: World):
    for position in lived.events("position_closed"):
        of_trace = Counter(event["type"] for event in lived.events() if event.get("trace") == position["trace"])
        assert of_trace["opportunity_found"] == 1
        assert of_trace["position_opened"] == 1
        assert of_trace["order_filled"] == 2


def test_nothing_went_wrong_in_between(lived: World):
    assert lived.events("error_occurred") == []
    assert lived.recorder.lost == Counter()
    assert lived.recorder.null_values == 0
