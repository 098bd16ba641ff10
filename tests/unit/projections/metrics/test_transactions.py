"""Metrics of transactions."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from deskwatch.events import TransactionConfirmed, TransactionDropped, TransactionReverted, TransactionSent
from deskwatch.projections.metrics import transactions as transactions_module
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


def sent(transaction: str = "0xab", nonce: int = 1, **more: Any) -> TransactionSent:
    return TransactionSent(**{"chain": "local", "transaction": transaction, "sender": "0xcd", "nonce": nonce, **more})


def pending(metrics: Any, chain: str = "local") -> float | None:
    return value(metrics, "tradebot_transactions_pending", chain=chain)


def test_a_transaction_is_pending_until_it_is_mined() -> None:
    metrics = fold(sent(), sent("0xef", 2), sent("0x01", chain="other"))
    assert (pending(metrics), pending(metrics, "other")) == (2, 1)
    fold(
        TransactionConfirmed(**MINED), TransactionReverted(reason="r", **{**MINED, "transaction": "0xef"}), into=metrics
    )
    assert (pending(metrics), pending(metrics, "other")) == (0, 1)


@pytest.mark.parametrize("mined", ["0xab", "0xff"], ids=["the first", "its replacement"])
def test_one_that_is_sent_again_under_its_nonce_is_one_pending_transaction(mined: str) -> None:
    metrics = fold(sent(), sent(), sent("0xff"))
    assert pending(metrics) == 1
    fold(TransactionConfirmed(**{**MINED, "transaction": mined}), into=metrics)
    assert pending(metrics) == 0


def test_the_same_nonce_of_another_sender_is_another_transaction() -> None:
    assert pending(fold(sent(), sent("0xee", sender="0xce"))) == 2


def test_pending_transactions_that_are_remembered_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transactions_module, "MAX_PENDING", 2)
    metrics = fold(sent(chain="first"), *(sent(str(nonce), nonce) for nonce in range(5)))
    assert (pending(metrics, "first"), pending(metrics)) == (0, 2)


def test_the_price_that_was_paid_for_gas_is_shown_and_text_that_is_no_number_is_refused() -> None:
    metrics = fold(TransactionConfirmed(**MINED))
    assert value(metrics, "tradebot_gas_price_paid_wei", chain="local") == 1e9
    fold(TransactionConfirmed(**{**MINED, "gas_price_wei": "1e9"}), into=metrics)
    assert value(metrics, "tradebot_gas_price_paid_wei") == 1e9
    assert value(metrics, "deskwatch_refused_values_total", reason="not_a_number") == 1


def test_what_was_sent_first_shows_that_nothing_is_confirmed_and_no_gas_used() -> None:
    metrics = fold(sent(purpose="swap"))
    assert value(metrics, "tradebot_transactions_confirmed_total", kind="swap") == 0
    assert value(metrics, "tradebot_gas_used_total", chain="local") == 0
    assert samples(metrics, "tradebot_gas_spent_total") == []


def dropped(reason: Literal["reorganized", "replaced"], **more: Any) -> TransactionDropped:
    return TransactionDropped(
        **{"chain": "local", "transaction": "0xab", "sender": "0xcd", "nonce": 1, "reason": reason, **more}
    )


def test_what_a_reorg_took_back_waits_again_and_is_counted_once_when_it_is_mined_anew() -> None:
    metrics = fold(sent(), TransactionConfirmed(purpose="swap", **MINED), dropped("reorganized", block=7))
    assert pending(metrics) == 1
    fold(TransactionConfirmed(purpose="swap", inclusion_seconds=1.0, again=True, **MINED), into=metrics)
    assert pending(metrics) == 0
    assert value(metrics, "tradebot_transactions_confirmed_total", kind="swap") == 1
    assert value(metrics, "tradebot_gas_used_total", chain="local") == 21_000
    assert value(metrics, "tradebot_gas_spent_total", asset="ETH") == 0.000021
    assert value(metrics, "tradebot_transaction_inclusion_seconds_count", chain="local") is None
    assert value(metrics, "tradebot_transactions_dropped_total", reason="reorganized") == 1


def test_a_revert_that_is_told_again_is_counted_once() -> None:
    metrics = fold(TransactionReverted(reason="slippage", **MINED))
    fold(TransactionReverted(reason="slippage", again=True, **MINED), into=metrics)
    assert value(metrics, "tradebot_transactions_reverted_total", reason="slippage") == 1


def test_what_another_one_replaced_waits_no_more() -> None:
    metrics = fold(sent(), sent("0xef", 2), dropped("replaced"))
    assert pending(metrics) == 1
    assert value(metrics, "tradebot_transactions_dropped_total", reason="replaced") == 1
