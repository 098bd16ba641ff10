"""Forecasts: how likely is it that a spread still pays when our two swaps land? Each is resolved by the chain.

The target: a round trip of the size found, bought in the next block and sold in the one after, ends with a profit after
fees and gas. For a trade that was made, its own fills tell. For one that was not made, the reserves after those two
blocks tell what it would have brought.
"""

from __future__ import annotations

import itertools
import math
import statistics
import time
from collections import deque
from dataclasses import dataclass

from arbitrage_bot.identity import new_id
from arbitrage_bot.market import View
from arbitrage_bot.model import Feature, OnlineLogit, Score
from arbitrage_bot.opportunity import Opportunity
from arbitrage_bot.orders import STRATEGY
from arbitrage_bot.strategy import Spread
from deskwatch import PredictionMade, PredictionResolved, Recorder

PROVIDER, MODEL, TARGET = "online-logit", "online-logit/1", "spread_profitable"
HISTORY = 20
"""Views that the features look back on."""
TYPICAL_CHANGE = 0.007
"""How much a spread changes from block to block, until that was seen."""
FEATURES = (
    Feature("promise", mean=2.5, deviation=1.4, weight=0.4),  # profit in units of its gas, logarithm
    Feature("edge", mean=0.4, deviation=0.35, weight=0.1),  # profit ratio in units of how much spreads change
    Feature("spread_1_ago", mean=0.006, deviation=0.007, weight=-0.1),  # rivals trade on what they saw some blocks ago
    Feature("spread_2_ago", mean=0.004, deviation=0.009, weight=-0.4),
    Feature("bought_where_cheap", mean=-0.0015, deviation=0.0027, weight=0.0),  # others' net buying there, of reserves
    Feature("bought_where_dear", mean=0.0014, deviation=0.0028, weight=0.2),
    Feature("wildness", mean=0.007, deviation=0.0024, weight=-0.1),  # how much spreads change from block to block
)
"""What the model looks at, with what is believed at first: rounded from runs with seeds 11 to 18."""


@dataclass
class Forecast:
    """One prediction and what is known of its outcome so far."""

    prediction_id: str
    block: int
    spread: Spread
    least_bought: int
    """Base below which the first leg would revert."""
    gas_quote: int
    """What two swaps cost, in the quote token's smallest units."""
    features: tuple[float, ...]
    probability: float
    base_rate: float
    trace: str
    taken: bool = False
    bought: int | None = None
    """Base bought by the first leg, for real or by the reserves after the next block; 0 if it failed."""


class Forecaster:
    """Predicts, remembers what it predicted, and learns from how it turned out.

    Attributes:
        score: How good the predictions were.
        model: The model.
    """

    def __init__(self, recorder: Recorder, symbol: str) -> None:
        self._recorder = recorder
        self._symbol = symbol
        self._views: deque[View] = deque(maxlen=HISTORY)
        self._open: list[Forecast] = []
        self.model = OnlineLogit(FEATURES)
        self.score = Score()

    def watch(self, view: View) -> None:
        """Take in a new view, and resolve what it decides."""
        self._views.append(view)
        for forecast in list(self._open):
            if forecast.bought is None and not forecast.taken and view.block > forecast.block:
                bought = view.pools[forecast.spread.cheap].buy(forecast.spread.size)
                forecast.bought = bought if bought >= forecast.least_bought else 0
            if forecast.bought is not None and (forecast.bought == 0 or view.block > forecast.block + 1):
                proceeds = view.pools[forecast.spread.dear].sell(forecast.bought)
                paid = forecast.bought > 0 and proceeds - forecast.spread.size > forecast.gas_quote
                self.resolve(forecast, occurred=paid)

    def predict(
        self, view: View, spread: Spread, least_bought: int, gas_quote: int, opportunity: Opportunity
    ) -> Forecast:
        """Say how likely a spread is to pay."""
        started = time.perf_counter()
        features = self._features(view, spread, gas_quote)
        self.model.observe(features)
        forecast = Forecast(
            prediction_id=new_id("prediction"),
            block=view.block,
            spread=spread,
            least_bought=least_bought,
            gas_quote=gas_quote,
            features=features,
            probability=self.model.probability(features),
            base_rate=self.score.base_rate,
            trace=opportunity.trace,
        )
        self._open.append(forecast)
        self._recorder.emit(
            PredictionMade(
                prediction_id=forecast.prediction_id,
                provider=PROVIDER,
                target=TARGET,
                symbol=self._symbol,
                strategy=STRATEGY,
                model=MODEL,
                probability=forecast.probability,
                horizon_seconds=2 * self._block_seconds(),
                latency_seconds=time.perf_counter() - started,
                trace=forecast.trace,
                cause=opportunity.opportunity_id,
            )
        )
        return forecast

    def resolve(self, forecast: Forecast, *, occurred: bool) -> None:
        """Learn how a forecast turned out. A second outcome of one forecast is ignored."""
        if forecast not in self._open:
            return
        self._open.remove(forecast)
        self.score.add(forecast.probability, forecast.base_rate, occurred=occurred)
        self.model.learn(forecast.features, occurred=occurred)
        self._recorder.emit(
            PredictionResolved(
                prediction_id=forecast.prediction_id,
                provider=PROVIDER,
                target=TARGET,
                symbol=self._symbol,
                strategy=STRATEGY,
                probability=forecast.probability,
                occurred=occurred,
                base_rate=forecast.base_rate,
                trace=forecast.trace,
                cause=forecast.prediction_id,
            )
        )

    def _features(self, view: View, spread: Spread, gas_quote: int) -> tuple[float, ...]:
        cheap, dear = spread.cheap, spread.dear
        spreads = [math.log(each.prices[dear] / each.prices[cheap]) for each in self._views]
        changes = [after - before for before, after in itertools.pairwise(spreads)]
        wildness = statistics.pstdev(changes) if len(changes) > 4 else TYPICAL_CHANGE
        return (
            math.log((spread.profit + 1) / (gas_quote + 1)),
            (spread.profit - gas_quote) / spread.size / max(wildness, 1e-4),
            spreads[-2] if len(spreads) > 1 else 0.0,
            spreads[-3] if len(spreads) > 2 else 0.0,
            self._pressure(view, cheap),
            self._pressure(view, dear),
            wildness,
        )

    def _pressure(self, view: View, pool: int) -> float:
        flow = view.flows[pool]
        return (flow.bought_base - flow.sold_base) / view.pools[pool].base

    def _block_seconds(self) -> float:
        first, last = self._views[0], self._views[-1]
        return (last.timestamp - first.timestamp) / max(1, last.block - first.block)
