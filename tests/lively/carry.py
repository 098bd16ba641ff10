"""carry-1: long spot at one venue, short the perpetual at another, for the funding; makes orders that rest."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

from deskwatch.events import (
    BookObserved,
    EventsLost,
    FundingPaid,
    FundingRateObserved,
    OrderAcknowledged,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderSubmitted,
    PositionClosed,
    PositionOpened,
    PositionUpdated,
    PriceObserved,
    RiskAlertCleared,
    RiskAlertRaised,
)
from tests.lively.trader import Trader


class Carry(Trader):
    """Between two venues."""

    venue = "cedar"
    strategy = "carry"

    def begin(self) -> None:
        """Opens what it holds."""
        super().begin()
        self.emit(
            EventsLost(events=3, reason="disk_full"),
            PriceObserved(venue=self.venue, symbol="WETH/USDC", price=-1.0),
            PriceObserved(venue=self.venue, symbol="WETH/USDC", price=float("nan")),
        )
        for symbol in self.symbols:
            self._open(f"spot-{symbol}", "dune", symbol, "long", {})
            self._open(f"perp-{symbol}", "cedar", symbol, "short", {"leverage": 3.0, "margin": 1000.0})

    def watch(self) -> None:
        """Prices, books, rates; what is held."""
        for symbol in self.symbols:
            price = self.prices[symbol]
            for venue in ("cedar", "dune"):
                at: dict[str, Any] = {"venue": venue, "symbol": symbol}
                self.emit(
                    PriceObserved(price=price, asset=self.asset, change_24h_ratio=0.013, volume_24h=4e8, **at),
                    BookObserved(bid=price * 0.9998, ask=price * 1.0002, bid_quantity=3.1, ask_quantity=2.7, **at),
                )
            rate = self.dice.gauss(0.0001, 0.0002)
            ahead = time.time() + 3600
            self.emit(
                FundingRateObserved(
                    venue="cedar",
                    symbol=symbol,
                    rate=rate,
                    interval_seconds=28_800.0,
                    next_funding_timestamp_seconds=ahead,
                )
            )
            if self.every(8):
                paid = FundingPaid(
                    venue="cedar", symbol=symbol, amount=rate * 20_000, asset=self.asset, position_id=f"perp-{symbol}"
                )
                self.emit(paid)
        self._mark()
        self.emit(*self.requests("ticker", "positions"))
        if self.every(24):
            alert = RiskAlertRaised(
                alert="exposure", severity="warning", message="more than half", symbol="WETH/USDC", value=0.6, limit=0.5
            )
            self.emit(alert, RiskAlertRaised(alert="max_drawdown", severity="critical", value=0.12, limit=0.1))
            self.later(3.0, partial(self.emit, RiskAlertCleared(alert="exposure", symbol="WETH/USDC")))

    def trade(self) -> None:
        """A resting order that is filled, canceled, refused or too late."""
        order = self.name("o")
        symbol, side = self.dice.choice(self.symbols), self.dice.choice(("buy", "sell"))
        place: dict[str, Any] = {
            "order_id": order,
            "venue": "cedar",
            "symbol": symbol,
            "strategy": self.strategy,
            "trace": self.trace(),
        }
        price = self.prices[symbol]
        self.emit(
            OrderSubmitted(
                side=side,
                quantity=0.5,
                order_type="limit",
                price=price,
                asset=self.asset,
                decision_seconds=self.dice.uniform(0.001, 0.01),
                **place,
            )
        )
        end: OrderFilled | OrderCanceled | OrderExpired | OrderRejected = OrderFilled(
            side=side,
            quantity=0.5,
            price=price,
            final=True,
            asset=self.asset,
            fee=self.dice.choice((0.4, -0.1)),
            fee_asset=self.asset,
            slippage_ratio=self.dice.gauss(0, 0.0003),
            liquidity="maker",
            **place,
        )
        match self.dice.randrange(12):
            case 0:
                end = OrderCanceled(reason="moved", **place)
            case 1:
                end = OrderExpired(**place)
            case 2:
                reason = self.dice.choice(("insufficient_funds", "post_only"))
                end = OrderRejected(reason=reason, message="would take", **place)
        self.later(self.dice.uniform(0.01, 0.1), partial(self.emit, OrderAcknowledged(venue_order_id="v1", **place)))
        self.later(self.dice.uniform(0.1, 1.0), partial(self.emit, end))

    def close(self, position_id: str) -> None:
        """What is closed is opened again at once, so that there is something to see."""
        was_open = self.held.get(position_id)
        super().close(position_id)
        if was_open is not None:
            side = "long" if was_open.venue == "dune" else "short"
            again = partial(self._open, position_id, was_open.venue, was_open.symbol, side, {"leverage": 3.0})
            self.later(0.5, again)

    def _open(self, position: str, venue: str, symbol: str, side: str, more: dict[str, Any]) -> None:
        where: dict[str, Any] = {
            "position_id": position,
            "venue": venue,
            "symbol": symbol,
            "asset": self.asset,
            "strategy": self.strategy,
        }
        self.held[position] = PositionClosed(
            realized_pnl=self.dice.gauss(0, 12),
            costs=self.dice.choice((2.0, -0.5)),
            exit_price=self.prices[symbol],
            holding_seconds=self.dice.uniform(60, 4000),
            reason="close_all",
            **where,
        )
        self.emit(PositionOpened(side=side, quantity=2.0, entry_price=self.prices[symbol], **where, **more))

    def _mark(self) -> None:
        for position, closed in self.held.items():
            mark = self.prices[closed.symbol]
            is_perpetual = closed.venue == "cedar"
            danger: dict[str, Any] = {}
            if is_perpetual:
                danger = {"liquidation_price": mark * 1.3, "leverage": 3.0, "margin": 1000.0}
                danger |= {"divergence_ratio": self.dice.gauss(0, 0.001), "erosion_ratio": self.dice.uniform(0.1, 0.4)}
            self.emit(
                PositionUpdated(position_id=position, mark_price=mark, unrealized_pnl=self.dice.gauss(0, 30), **danger)
            )
