"""Metrics of wallets."""

from __future__ import annotations

from typing import Any

from deskwatch.events import WalletObserved
from tests.unit.projections.folding import fold, samples, value


def seen(**more: Any) -> WalletObserved:
    return WalletObserved(**{"chain": "local", "venue": "hot", "address": "0xab", "block": 7, "nonce": 4, **more})


def test_a_wallet_shows_its_nonce_what_waits_and_how_long_its_coin_lasts() -> None:
    metrics = fold(seen(pending=2, transactions_left=812.5))
    labels = {"chain": "local", "venue": "hot"}
    assert value(metrics, "tradebot_wallet_nonce", **labels) == 4
    assert value(metrics, "tradebot_wallet_pending_transactions", **labels) == 2
    assert value(metrics, "tradebot_wallet_transactions_left", **labels) == 812.5
    assert value(metrics, "tradebot_wallet_timestamp_seconds", **labels) is not None


def test_what_is_not_known_is_not_shown() -> None:
    metrics = fold(seen())
    assert value(metrics, "tradebot_wallet_pending_transactions", venue="hot") is None
    assert value(metrics, "tradebot_wallet_transactions_left", venue="hot") is None


def test_what_can_not_be_is_refused() -> None:
    metrics = fold(seen(nonce=-1, pending=-2))
    assert value(metrics, "tradebot_wallet_nonce", venue="hot") is None
    assert value(metrics, "tradebot_wallet_pending_transactions", venue="hot") is None


def test_a_wallets_address_is_no_label() -> None:
    assert "0xab" not in repr(samples(fold(seen()), "tradebot_wallet_nonce"))
