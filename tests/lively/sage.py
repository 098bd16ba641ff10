"""sage-1: asks two models, pays for their words, and scores what they said."""

from __future__ import annotations

from functools import partial
from typing import Any

from deskwatch import Command
from deskwatch.events import (
    DecisionMade,
    ErrorOccurred,
    LogRecorded,
    OrderFilled,
    OrderSubmitted,
    PositionClosed,
    PositionOpened,
    PredictionMade,
    PredictionResolved,
    PriceObserved,
    SignalRaised,
)
from tests.lively.trader import Trader

MANY = 120
"""More symbols than a family has room for in a sidecar that was started with `--max-series 100`."""


class Sage(Trader):
    """Driven by models."""

    venue = "ember"
    strategy = "oracle"

    def begin(self) -> None:
        """Looks at far too many symbols once."""
        super().begin()
        for number in range(MANY):
            signal = SignalRaised(
                signal="listing",
                provider="scanner",
                strategy=self.strategy,
                symbol=f"T{number}/USDC",
                side="buy",
                strength=0.1,
            )
            self.emit(signal)

    def obey(self, command: Command) -> None:
        """As any bot; but a watchlist it only says to have taken, so that nobody can see it."""
        if command.type == "set_watchlist":
            command.succeed()
        else:
            super().obey(command)

    def watch(self) -> None:
        """Prices, and a word now and then."""
        for symbol in self.symbols:
            self.emit(PriceObserved(venue=self.venue, symbol=symbol, price=self.prices[symbol], asset=self.asset))
        self.emit(*self.requests("completion"))
        if self.every(8):
            self.emit(
                LogRecorded(message="looked at the news", levelname="INFO", name="bot.news", module="news", lineno=12)
            )
        if self.every(40):
            self.emit(
                ErrorOccurred(component="model", kind="Timeout", message="no answer in 30 s", levelname="CRITICAL")
            )

    def trade(self) -> None:
        """Predict, decide, bet."""
        provider, symbol = self.dice.choice(("opus", "gut")), self.dice.choice(self.symbols)
        trace = self.trace()
        about: dict[str, Any] = {"provider": provider, "strategy": self.strategy, "symbol": symbol, "trace": trace}
        self._predict(about)
        decision = self.name("d")
        action = self.dice.choice(("buy", "sell", "hold"))
        self.emit(
            SignalRaised(
                signal="momentum", side=self.dice.choice(("buy", "sell")), strength=self.dice.random(), **about
            ),
            DecisionMade(
                decision_id=decision,
                action=action,
                model=f"{provider}-5",
                confidence=self.dice.uniform(0.4, 0.95),
                reasoning="the book leans, <b>and</b> the news is good",
                latency_seconds=self.dice.uniform(0.4, 6),
                prompt_tokens=1800,
                completion_tokens=240,
                cost=0.012,
                cost_asset="USD",
                inputs={"spread": 0.1},
                **about,
            ),
        )
        if action != "hold":
            self._bet(symbol, action, decision, trace)

    def _predict(self, about: dict[str, Any]) -> None:
        probability, rise = self.dice.random(), self.prices[about["symbol"]] * self.dice.gauss(1, 0.01)
        happened = self.dice.random() < probability
        made: dict[str, Any] = {"confidence": 0.7, "horizon_seconds": 2.0, "latency_seconds": self.dice.uniform(0.2, 3)}
        first, second = self.name("pr"), self.name("pr")
        self.emit(
            PredictionMade(prediction_id=first, target="rises", probability=probability, **made, **about),
            PredictionMade(prediction_id=second, target="price", value=rise, **made, **about),
        )
        resolved = partial(PredictionResolved, **about)
        self.later(
            2.0,
            lambda: self.emit(
                resolved(
                    prediction_id=first, target="rises", probability=probability, occurred=happened, base_rate=0.5
                ),
                resolved(prediction_id=second, target="price", value=rise, actual=self.prices[about["symbol"]]),
            ),
        )

    def _bet(self, symbol: str, side: str, decision: str, trace: str) -> None:
        place: dict[str, Any] = {
            "order_id": self.name("o"),
            "venue": self.venue,
            "symbol": symbol,
            "strategy": self.strategy,
            "trace": trace,
        }
        price = self.prices[symbol]
        self.emit(
            OrderSubmitted(
                side=side,
                quantity=0.1,
                order_type="market",
                price=price,
                asset=self.asset,
                decision_seconds=0.3,
                cause=decision,
                **place,
            )
        )
        filled = OrderFilled(
            side=side,
            quantity=0.1,
            price=price,
            final=True,
            asset=self.asset,
            fee=0.2,
            fee_asset=self.asset,
            slippage_ratio=0.0001,
            liquidity="taker",
            **place,
        )
        self.later(self.dice.uniform(0.05, 0.8), partial(self.emit, filled))
        position = self.name("p")
        where: dict[str, Any] = {
            "position_id": position,
            "venue": self.venue,
            "symbol": symbol,
            "asset": self.asset,
            "strategy": self.strategy,
        }
        self.held[position] = PositionClosed(
            realized_pnl=self.dice.gauss(-0.5, 6),
            costs=0.2,
            holding_seconds=self.dice.uniform(10, 600),
            reason="exit",
            **where,
        )
        opened = PositionOpened(side="long" if side == "buy" else "short", quantity=0.1, entry_price=price, **where)
        self.emit(opened)
        self.later(self.dice.uniform(1, 4), partial(self.close, position))
