"""What the bot holds and what it made: exact integers from receipts, turned into figures only when journaled.

Equity is USDC + WETH at the mark (the mean of both pools) + native coin at cost. Gas is expensed at what the native
coin was bought for, so that the fuel in the tank is neither profit nor loss when its price moves; then equity changes
by realized and unrealized profit and by gas, and by nothing else.
"""

from __future__ import annotations

import time

import msgspec
from web3 import Web3

from arbitrage_bot.config import Rules
from arbitrage_bot.contracts import artifact
from arbitrage_bot.deployment import Deployment
from arbitrage_bot.identity import new_id
from arbitrage_bot.market import View
from arbitrage_bot.orders import STRATEGY, Fill, Order
from arbitrage_bot.strategy import FEE_RATIO
from arbitrage_bot.wallet import WEI, Wallet
from deskwatch import (
    BalanceObserved,
    EquityObserved,
    PositionClosed,
    PositionOpened,
    PositionUpdated,
    Recorder,
    RiskAlertCleared,
    RiskAlertRaised,
)

OBSERVE_SECONDS = 5.0
"""Balances are read after each transaction, and this often otherwise."""


class Position(msgspec.Struct, kw_only=True):
    """Base token that was bought and not yet sold. Plain values only: it is kept across restarts."""

    position_id: str
    trace: str
    base: int
    """In its smallest units."""
    cost: int
    """Quote paid for it, in its smallest units."""
    gas_wei: int
    """Of all its transactions so far, failed ones too."""
    opened_at: float
    """Unix time."""
    opened_block: int
    bought_at: int
    """Which pool: 0 or 1."""
    attempts: int = 0
    """Sales that failed."""


class Holdings(msgspec.Struct, frozen=True, kw_only=True):
    """What the wallet holds, in the smallest units."""

    base: int
    quote: int
    native_wei: int


class Accounts:
    """Reads the wallet's balances, keeps the open position, and counts what was realized.

    Attributes:
        position: What is open, if anything is.
        realized_quote: Proceeds less costs of all closed positions of this run, before gas, in smallest units.
        closed: Positions closed in this run.
        wins: Those that made money after gas.
    """

    def __init__(self, w3: Web3, wallet: Wallet, deployment: Deployment, recorder: Recorder, rules: Rules) -> None:
        self._wallet = wallet
        self._deployment = deployment
        self._recorder = recorder
        self._rules = rules
        self._tokens = {
            token.symbol: w3.eth.contract(address=Web3.to_checksum_address(token.address), abi=artifact("Token")["abi"])
            for token in (deployment.base, deployment.quote)
        }
        self._base_unit: int = 10**deployment.base.decimals
        self._quote_unit: int = 10**deployment.quote.decimals
        self._holdings: Holdings | None = None
        self._observe_at = 0.0
        self._gas_is_low = False
        self.position: Position | None = None
        self.realized_quote = 0
        self.closed = 0
        self.wins = 0

    def holdings(self) -> Holdings:
        """What the wallet holds now, by the chain."""
        return Holdings(
            base=self._tokens[self._deployment.base.symbol].functions.balanceOf(self._wallet.address).call(),
            quote=self._tokens[self._deployment.quote.symbol].functions.balanceOf(self._wallet.address).call(),
            native_wei=self._wallet.native_wei(),
        )

    def gas_quote(self, wei: int) -> float:
        """What gas cost, in whole units of quote."""
        return float(wei / WEI * self._deployment.native_cost)

    def observe(self, view: View, *, changed: bool) -> Holdings:
        """Journal equity, and balances if they changed or it is time to; returns what the wallet holds."""
        if self._holdings is None or changed or time.monotonic() >= self._observe_at:
            self._observe_at = time.monotonic() + OBSERVE_SECONDS
            self._holdings = self.holdings()
            self._journal_balances(self._holdings)
        held, quote = self._holdings, self._deployment.quote
        worth_base = held.base / self._base_unit * view.mark_price
        equity = held.quote / self._quote_unit + worth_base + self.gas_quote(held.native_wei)
        self._recorder.emit(EquityObserved(equity=equity, asset=quote.symbol, strategy=STRATEGY))
        if self.position is not None:
            self._recorder.emit(
                PositionUpdated(
                    position_id=self.position.position_id,
                    quantity=self.position.base / self._base_unit,
                    mark_price=view.mark_price,
                    unrealized_pnl=self.position.base / self._base_unit * view.mark_price
                    - self.position.cost / self._quote_unit,
                    trace=self.position.trace,
                    cause=self.position.position_id,
                )
            )
        return held

    def opened(self, order: Order, fill: Fill, venue: str) -> Position:
        """The first leg was filled: a position is open."""
        self.position = Position(
            position_id=new_id("position"),
            trace=order.trace,
            base=fill.base,
            cost=fill.quote,
            gas_wei=fill.gas_wei,
            opened_at=time.time(),
            opened_block=fill.block,
            bought_at=order.venue,
        )
        self._recorder.emit(
            PositionOpened(
                position_id=self.position.position_id,
                venue=venue,
                symbol=self._deployment.symbol,
                side="long",
                quantity=fill.base / self._base_unit,
                entry_price=(fill.quote / self._quote_unit) / (fill.base / self._base_unit),
                asset=self._deployment.quote.symbol,
                strategy=STRATEGY,
                trace=order.trace,
                cause=order.order_id,
            )
        )
        return self.position

    def sold(self, position: Position, order: Order, fill: Fill, venue: str, reason: str) -> float:
        """All of a position was sold; returns what it made after gas, in whole units of quote."""
        self.position = None
        gas = self.gas_quote(position.gas_wei + fill.gas_wei)
        realized = (fill.quote - position.cost) / self._quote_unit - gas
        self.realized_quote += fill.quote - position.cost
        self.closed += 1
        self.wins += realized > 0
        fees = (position.cost + fill.quote) / self._quote_unit * FEE_RATIO
        self._recorder.emit(
            PositionClosed(
                position_id=position.position_id,
                venue=venue,
                symbol=self._deployment.symbol,
                realized_pnl=realized,
                asset=self._deployment.quote.symbol,
                strategy=STRATEGY,
                costs=fees + gas,
                exit_price=(fill.quote / self._quote_unit) / (fill.base / self._base_unit),
                holding_seconds=time.time() - position.opened_at,
                reason=reason,
                trace=position.trace,
                cause=order.order_id,
            )
        )
        return realized

    def void(self, position: Position) -> None:
        """Give up a position on a chain that is no more: what it made is unknown."""
        self._recorder.emit(
            PositionClosed(
                position_id=position.position_id,
                venue="wallet",
                symbol=self._deployment.symbol,
                realized_pnl=None,
                asset=self._deployment.quote.symbol,
                strategy=STRATEGY,
                reason="chain_replaced",
                trace=position.trace,
                cause=position.position_id,
            )
        )

    def _journal_balances(self, held: Holdings) -> None:
        base, quote = self._deployment.base, self._deployment.quote
        native = held.native_wei / WEI
        for asset, total in (
            (base.symbol, held.base / self._base_unit),
            (quote.symbol, held.quote / self._quote_unit),
            (self._deployment.native_asset, native),
        ):
            self._recorder.emit(BalanceObserved(venue="wallet", asset=asset, total=total, free=total))
        low = native < self._rules.min_native
        if low and not self._gas_is_low:
            self._recorder.emit(
                RiskAlertRaised(
                    alert="gas_low",
                    severity="warning",
                    message=f"{native:.4f} {self._deployment.native_asset} left for gas",
                    value=native,
                    limit=self._rules.min_native,
                )
            )
        elif self._gas_is_low and not low:
            self._recorder.emit(RiskAlertCleared(alert="gas_low"))
        self._gas_is_low = low
