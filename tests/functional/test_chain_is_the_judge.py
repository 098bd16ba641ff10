"""What deskwatch says of transactions, gas and profit is held against the chain itself."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from web3 import HTTPProvider, Web3

from deskwatch.events import (
    EquityObserved,
    OrderRejected,
    PositionClosed,
    TransactionConfirmed,
    TransactionReverted,
    TransactionSent,
)
from tests import running
from tests.waiting import eventually

TRADES = 6


@pytest.fixture(scope="module")
def after_run(tmp_path_factory: pytest.TempPathFactory):
    """A demo that has traded, put to rest with nothing in flight and nothing held."""
    with running.demo(tmp_path_factory.mktemp("judge"), seed=11) as demo:
        eventually(lambda: _has_seen_both_ways(demo.bot()["counts"]), 400, every=0.2)
        demo.set_mode("standby")
        demo.command("close_all")
        demo.set_mode("halted")
        eventually(lambda: _in_flight(demo.home) == 0, 30, every=0.2)
        yield demo, Web3(HTTPProvider(demo.deployment()["url"]))


def _has_seen_both_ways(counts: dict[str, int]) -> bool:
    """Enough trades, and a loss or a revert among what happened: nobody stages one, so it takes its time."""
    trouble = counts["transactions_reverted"] or counts["trades_won"] < counts["trades_closed"]
    return counts["trades_closed"] >= TRADES and bool(trouble)


def _in_flight(home: Path) -> int:
    mined = len(running.events(home, TransactionConfirmed)) + len(running.events(home, TransactionReverted))
    return len(running.events(home, TransactionSent)) - mined


def test_transactions_equal_nonce_and_receipts(after_run):
    """Sent equals the account's nonce; confirmed and reverted equal the receipts' statuses."""
    demo, chain = after_run
    sent = running.events(demo.home, TransactionSent)
    wallet = sent[0].sender
    assert len(sent) == chain.eth.get_transaction_count(wallet)
    assert sorted(one.nonce for one in sent) == list(range(len(sent)))
    receipts = {one.transaction: chain.eth.get_transaction_receipt(one.transaction) for one in sent}
    confirmed = {one.transaction for one in running.events(demo.home, TransactionConfirmed)}
    reverted = {one.transaction for one in running.events(demo.home, TransactionReverted)}
    assert confirmed == {name for name, receipt in receipts.items() if receipt["status"] == 1}
    assert reverted == {name for name, receipt in receipts.items() if receipt["status"] == 0}
    failed = sum(one.reason == "reverted" for one in running.events(demo.home, OrderRejected))
    assert failed <= len(reverted)


def test_gas_equals_the_change_of_the_native_balance(after_run):
    """Gas in the events, in wei, is what the receipts say and what the wallet is short of, to the last wei."""
    demo, chain = after_run
    mined = running.events(demo.home, TransactionConfirmed) + running.events(demo.home, TransactionReverted)
    spent = 0
    for one in mined:
        receipt = chain.eth.get_transaction_receipt(one.transaction)
        assert one.gas_used == receipt["gasUsed"]
        assert int(one.gas_price_wei) == receipt["effectiveGasPrice"]
        spent += one.gas_used * int(one.gas_price_wei)
    wallet = mined[0].sender
    first = min(chain.eth.get_transaction_receipt(one.transaction)["blockNumber"] for one in mined)
    assert chain.eth.get_balance(wallet, first - 1) - chain.eth.get_balance(wallet) == spent
    assert sum(one.gas_cost for one in mined) == pytest.approx(float(Decimal(spent) / 10**18), rel=1e-12)


def test_profit_equals_the_change_of_the_wallet(after_run):
    """Flat at both ends, realized PnL is the change of the wallet's tokens less the gas it paid for."""
    demo, chain = after_run
    deployment = demo.deployment()
    wallet = running.events(demo.home, TransactionSent)[0].sender
    mined = running.events(demo.home, TransactionConfirmed) + running.events(demo.home, TransactionReverted)
    first = min(chain.eth.get_transaction_receipt(one.transaction)["blockNumber"] for one in mined)

    def tokens(which: str, block: object) -> Decimal:
        token = deployment[which]
        data = "0x70a08231" + wallet[2:].lower().rjust(64, "0")  # balanceOf(address)
        units = int.from_bytes(chain.eth.call({"to": token["address"], "data": data}, block), "big")
        return Decimal(units) / Decimal(10 ** token["decimals"])

    assert tokens("base", first - 1) == tokens("base", "latest") == 0
    change = tokens("quote", "latest") - tokens("quote", first - 1)
    gas = sum(Decimal(one.gas_used) * int(one.gas_price_wei) for one in mined) / 10**18
    gas_quote = Decimal(gas) * Decimal(str(deployment["native_cost"]))
    realized = sum(one.realized_pnl for one in running.events(demo.home, PositionClosed))
    in_trades = sum(one.gas_cost_quote or 0 for one in mined)
    assert in_trades == pytest.approx(float(gas_quote), rel=1e-9)
    equity = running.events(demo.home, EquityObserved)
    assert equity[-1].equity - equity[0].equity == pytest.approx(float(change - gas_quote), abs=1e-6)
    overhead = float(change - gas_quote) - realized  # gas outside trades: approvals and orders that never opened one
    assert overhead <= 1e-6
    assert -overhead <= in_trades + 1e-6
