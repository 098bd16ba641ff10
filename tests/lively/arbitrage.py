"""arb-1: buys in one pool of a chain and sells in the other; one transaction in eight is reverted."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

from deskwatch.events import (
    BlockObserved,
    ContractObserved,
    DecisionMade,
    Event,
    GasPriceObserved,
    OpportunityFound,
    OpportunityMissed,
    OrderAcknowledged,
    OrderFilled,
    OrderRejected,
    OrderSubmitted,
    PoolObserved,
    PositionClosed,
    PositionOpened,
    ReorgObserved,
    TransactionConfirmed,
    TransactionDropped,
    TransactionReverted,
    TransactionSent,
    WalletObserved,
)
from tests.lively.trader import Trader

GWEI = 10**9
CHAIN = "mainnet"


class Arbitrage(Trader):
    """On a chain."""

    strategy = "two_pools"
    sender = "0x00000000000000000000000000000000000000a1"
    gas_limit = 30_000_000

    def watch(self) -> None:
        """Pools, blocks, gas."""
        for number, venue in enumerate(("amber", "basalt")):
            for symbol in self.symbols:
                price = self.prices[symbol] * (1 + 0.002 * number)
                base, _, quote = symbol.partition("/")
                found = PoolObserved(
                    venue=venue,
                    symbol=symbol,
                    chain=CHAIN,
                    contract=f"0xb{number}",
                    base_reserve=1e6 / price,
                    quote_reserve=1e6,
                    base_asset=base,
                    quote_asset=quote,
                    price=price,
                    liquidity=2e6,
                    block=self.ticks,
                )
                self.emit(found)
        self.emit(*self.requests("eth_call", "eth_blockNumber"))
        if self.every(4):
            fee = round((20 + 5 * self.dice.random()) * GWEI)
            self.emit(
                BlockObserved(
                    chain=CHAIN,
                    block=21_000_000 + self.ticks // 4,
                    block_timestamp_seconds=time.time() - 0.4,
                    transactions=self.dice.randrange(80, 220),
                    gas_used=self.dice.randrange(9, 30) * 10**6,
                    gas_limit=self.gas_limit,
                ),
                GasPriceObserved(
                    chain=CHAIN, gas_price_wei=str(fee), base_fee_wei=str(fee - GWEI), priority_fee_wei=str(GWEI)
                ),
                ContractObserved(chain=CHAIN, contract="0xc0", name="allowance", value=1000.0 - self.ticks % 100),
                WalletObserved(
                    chain=CHAIN,
                    venue="hot",
                    address=self.sender,
                    block=21_000_000 + self.ticks // 4,
                    nonce=self.ticks,
                    pending=self.dice.randrange(3),
                    transactions_left=5000.0 - self.ticks % 100,
                ),
            )
        if self.every(40):
            block = 21_000_000 + self.ticks // 4
            self.emit(
                ReorgObserved(chain=CHAIN, block=block - 1, depth=1),
                TransactionDropped(
                    chain=CHAIN,
                    transaction=self.trace(),
                    sender=self.sender,
                    nonce=self.ticks,
                    reason="reorganized",
                    block=block,
                ),
            )

    def trade(self) -> None:
        """An opportunity, and often an order."""
        symbol, trace = self.dice.choice(self.symbols), self.trace()
        found, decision = self.name("op"), self.name("d")
        spread = abs(self.dice.gauss(0.002, 0.001))
        opportunity: dict[str, Any] = {
            "opportunity_id": found,
            "strategy": self.strategy,
            "symbol": symbol,
            "trace": trace,
        }
        self.emit(
            OpportunityFound(
                spread_ratio=spread,
                expected_profit=spread * 900,
                asset=self.asset,
                venue="amber",
                other_venue="basalt",
                **opportunity,
            )
        )
        if self.dice.random() < 0.4:
            self.emit(OpportunityMissed(reason=self.dice.choice(("unprofitable", "gone", "standby")), **opportunity))
            return
        self.emit(
            DecisionMade(
                decision_id=decision,
                action="arbitrage",
                provider="rules",
                strategy=self.strategy,
                symbol=symbol,
                confidence=self.dice.uniform(0.5, 1),
                latency_seconds=0.002,
                cause=found,
                trace=trace,
            )
        )
        self._order(symbol, decision, trace)

    def _order(self, symbol: str, decision: str, trace: str) -> None:
        order, transaction = self.name("o"), f"0x{self.dice.getrandbits(256):064x}"
        side = self.dice.choice(("buy", "sell"))
        place: dict[str, Any] = {
            "order_id": order,
            "venue": "amber",
            "symbol": symbol,
            "strategy": self.strategy,
            "trace": trace,
        }
        chain: dict[str, Any] = {
            "chain": CHAIN,
            "transaction": transaction,
            "sender": self.sender,
            "purpose": "swap",
            "trace": trace,
            "cause": order,
        }
        self.emit(
            OrderSubmitted(
                side=side,
                quantity=0.3,
                order_type="swap",
                price=self.prices[symbol],
                asset=self.asset,
                decision_seconds=self.dice.uniform(0.001, 0.02),
                cause=decision,
                **place,
            ),
            TransactionSent(nonce=self.ticks, gas_limit=200_000, max_fee_wei=str(40 * GWEI), **chain),
        )
        self.later(self.dice.uniform(0.02, 0.2), partial(self.emit, OrderAcknowledged(**place)))
        self.later(self.dice.uniform(0.2, 1.5), partial(self._mined, place, chain, side))

    def _mined(self, place: dict[str, Any], chain: dict[str, Any], side: str) -> None:
        symbol = place["symbol"]
        used = self.dice.randrange(90_000, 160_000)
        gas: dict[str, Any] = {
            "block": 21_000_000 + self.ticks // 4,
            "gas_used": used,
            "gas_price_wei": str(22 * GWEI),
            "gas_cost": used * 22e-9,
            "asset": "ETH",
            "gas_cost_quote": used * 22e-9 * 3000,
            "quote_asset": self.asset,
            "inclusion_seconds": self.dice.uniform(0.5, 14),
        }
        if self.dice.random() < 0.12:
            reason = self.dice.choice(("slippage", "expired"))
            self.emit(
                TransactionReverted(reason=reason, message="amount out too low", **gas, **chain),
                OrderRejected(reason="reverted", **place),
            )
            return
        price = self.prices[symbol] * (1 + self.dice.gauss(0.0002, 0.0004))
        fill: dict[str, Any] = {
            "side": side,
            "price": price,
            "asset": self.asset,
            "fee": 0.9,
            "fee_asset": self.asset,
            "slippage_ratio": price / self.prices[symbol] - 1,
            "liquidity": "taker",
        }
        self.emit(
            TransactionConfirmed(**gas, **chain),
            OrderFilled(quantity=0.1, final=False, **fill, **place),
            OrderFilled(quantity=0.2, final=True, **fill, **place),
        )
        self.later(0.0, partial(self._round_trip, symbol, price))

    def _round_trip(self, symbol: str, price: float) -> None:
        position = self.name("p")
        where: dict[str, Any] = {
            "position_id": position,
            "venue": "amber",
            "symbol": symbol,
            "asset": self.asset,
            "strategy": self.strategy,
        }
        pnl = self.dice.gauss(1.5, 4)
        self.held[position] = PositionClosed(
            realized_pnl=pnl,
            costs=0.9,
            exit_price=price + pnl,
            holding_seconds=self.dice.uniform(1, 90),
            reason="arbitrage",
            **where,
        )
        opened: Event = PositionOpened(side="long", quantity=0.3, entry_price=price, **where)
        self.emit(opened)
        self.later(self.dice.uniform(0.2, 2), partial(self.close, position))
