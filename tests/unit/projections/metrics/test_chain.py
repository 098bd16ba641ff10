"""Metrics of the chain."""

from __future__ import annotations

from deskwatch.events import (
    BlockObserved,
    GasPriceObserved,
    TransactionConfirmed,
    TransactionReverted,
    TransactionSent,
)
from tests.lines import START_NS, record_of
from tests.unit.projections.folding import Fields, fold, samples, value

MINED: Fields = {
    "chain": "local",
    "transaction": "0xab",
    "sender": "0xcd",
    "block": 7,
    "gas_used": 21_000,
    "gas_price_wei": "1000000000",
    "gas_cost": 0.000021,
    "asset": "ETH",
}


def test_sent_confirmed_and_reverted_are_counted_by_what_they_were_for() -> None:
    metrics = fold(
        TransactionSent(chain="local", transaction="0xab", sender="0xcd", nonce=1, purpose="swap"),
        TransactionConfirmed(purpose="swap", **MINED),
        TransactionReverted(reason="slippage", **MINED),
    )
    assert value(metrics, "tradebot_transactions_sent_total", chain="local", kind="swap") == 1
    assert value(metrics, "tradebot_transactions_confirmed_total", chain="local", kind="swap") == 1
    assert value(metrics, "tradebot_transactions_reverted_total", chain="local", reason="slippage") == 1


def test_gas_of_reverted_transactions_is_paid_all_the_same() -> None:
    metrics = fold(
        TransactionConfirmed(gas_cost_quote=0.03, quote_asset="USDC", inclusion_seconds=0.4, **MINED),
        TransactionReverted(reason="slippage", **MINED),
    )
    assert value(metrics, "tradebot_gas_used_total", chain="local") == 42_000
    assert value(metrics, "tradebot_gas_spent_total", asset="ETH") == 0.000042
    assert value(metrics, "tradebot_gas_spent_quote_total", asset="USDC") == 0.03
    assert value(metrics, "tradebot_transaction_inclusion_seconds_count", chain="local") == 1


def test_gas_prices_are_shown_as_numbers() -> None:
    metrics = fold(
        GasPriceObserved(chain="local", gas_price_wei="1500000000", base_fee_wei="7", priority_fee_wei="much")
    )
    assert value(metrics, "tradebot_gas_price_wei", chain="local") == 1.5e9
    assert value(metrics, "tradebot_base_fee_wei", chain="local") == 7
    assert samples(metrics, "tradebot_priority_fee_wei") == []


def test_the_head_and_when_it_was_seen_are_shown() -> None:
    metrics = fold(record_of(BlockObserved(chain="local", block=12, block_timestamp_seconds=1.0), ts=START_NS))
    assert value(metrics, "tradebot_head_block", chain="local") == 12
    assert value(metrics, "tradebot_head_block_seen_timestamp_seconds", chain="local") == START_NS / 1e9
