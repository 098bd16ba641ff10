"""What is known of what was told of wallets' transactions."""

from __future__ import annotations

from typing import Any

from deskwatch.events import ReorgObserved, TransactionConfirmed, TransactionSent, WalletObserved
from deskwatch.sources.evm.ledger import MAX_MINED, MAX_WAITING, USUAL, Ledger, Seen
from tests.unit.sources.evm.words import ALICE


def seen(block: int, nonce: int) -> WalletObserved:
    return WalletObserved(chain="c", venue="hot", address=ALICE, block=block, nonce=nonce)


def confirmed(number: int, cost: float = 1.0, **more: Any) -> TransactionConfirmed:
    return TransactionConfirmed(
        **{
            "chain": "c",
            "transaction": f"0x{number:x}",
            "sender": ALICE,
            "block": number,
            "gas_used": 21_000,
            "gas_price_wei": "1",
            "gas_cost": cost,
            "asset": "ETH",
            **more,
        }
    )


def test_a_reorg_leaves_a_wallet_known_as_of_a_block_that_is_still_there():
    ledger = Ledger()
    ledger.fold(seen(5, 2))
    ledger.fold(ReorgObserved(chain="c", block=8, depth=1))
    assert ledger.wallets[ALICE] == Seen(block=5, nonce=2)
    ledger.fold(ReorgObserved(chain="c", block=3, depth=6))
    assert ledger.wallets[ALICE] == Seen(block=3, nonce=2)


def test_a_reorg_takes_the_nonces_of_what_it_took_back():
    ledger = Ledger()
    for nonce in (1, 2):
        ledger.fold(TransactionSent(chain="c", transaction=f"0x{nonce + 3:x}", sender=ALICE, nonce=nonce))
        ledger.fold(confirmed(nonce + 3))
    ledger.fold(seen(6, 3))
    ledger.fold(ReorgObserved(chain="c", block=4, depth=2))
    assert ledger.wallets[ALICE] == Seen(block=4, nonce=2)
    assert ledger.doubtful == ["0x5"]


def test_what_is_told_again_costs_nothing_again():
    ledger = Ledger()
    ledger.fold(confirmed(1, 3.0))
    ledger.fold(confirmed(2, 5.0))
    ledger.fold(confirmed(2, 9.0, again=True))
    assert ledger.usual_cost(ALICE.upper().replace("0X", "0x")) == 4.0


def test_what_a_transaction_usually_costs_is_told_by_the_newest():
    ledger = Ledger()
    for number in range(USUAL):
        ledger.fold(confirmed(number, 100.0))
    for number in range(USUAL):
        ledger.fold(confirmed(number, 1.0))
    assert ledger.usual_cost(ALICE) == 1.0
    assert Ledger().usual_cost(ALICE) is None


def test_a_ledger_stays_small_however_much_is_told():
    ledger = Ledger()
    for number in range(MAX_MINED + 500):
        ledger.fold(TransactionSent(chain="c", transaction=f"0x{number:x}", sender=ALICE, nonce=number))
    assert len(ledger.waiting) == MAX_WAITING
    for number in range(MAX_MINED + 500):
        ledger.fold(confirmed(number))
    assert len(ledger.mined) == MAX_MINED
    assert f"0x{MAX_MINED + 499:x}" in ledger.mined
