"""Orders and their fills: what Hummingbot publishes of them, and what its history holds that was not heard.

Hummingbot says `…OrderCreated` once the exchange took an order, `OrderFilled` at each fill and `…OrderCompleted` behind
the last one. A fill is the last of its order where it makes up the order's quantity; where that isn't certain it is
held for a moment, as the word that the order is complete follows at once.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable

from deskwatch.events import (
    OrderAcknowledged,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderSubmitted,
)
from deskwatch.sources.hummingbot.fills import Fill, of_event
from deskwatch.sources.hummingbot.memory import HummingbotMemory, Order
from deskwatch.sources.hummingbot.payload import (
    Fields,
    identifier,
    moment,
    name,
    number,
    quote_of,
    text,
    word,
)
from deskwatch.sources.lateness import late
from deskwatch.sources.watched import Watched

HOLD_SECONDS = 1.0
"""How long a fill is held that may be its order's last one."""
ROUNDING = 1e-3
"""Exchanges cut an order's quantity to their step: a fill that leaves this share of it may be the last one."""
EXACT = 1e-6
UNKNOWN = "unknown"
"""The symbol of an order that was never told of: Hummingbot's word on its end names its id alone."""
VENUE = "hummingbot"
"""The venue of an order where nothing says which connector it went to."""
MOST_ENDED = 1000
MOST_MARKETS = 1000


class Orders:
    """Translates what is heard of orders.

    Args:
        watched: Where they are told.
        memory: What was told of them.
        venue: The connector, where that is configured.
        strategy: The strategy's name, where that is configured.
        missed: Called where it shows that a fill was not heard: history has it.
    """

    def __init__(
        self,
        watched: Watched,
        memory: HummingbotMemory,
        *,
        venue: str | None,
        strategy: str | None,
        missed: Callable[[], None],
    ) -> None:
        self._watched = watched
        self._memory = memory
        self._venue = venue
        self._strategy = strategy
        self._missed = missed
        self._holding: dict[str, list[Fill]] = {}
        self._due: dict[str, float] = {}
        self._is_holding = asyncio.Event()
        self._ended: deque[str] = deque(maxlen=MOST_ENDED)
        self._owed: dict[str, tuple[Order, float, float]] = {}
        """Orders that are complete and of which fills were not heard: what lacks, and the average price."""

    async def run(self) -> None:
        """Tell the fills that were held long enough."""
        while True:
            await self._is_holding.wait()
            self._is_holding.clear()
            while self._due:
                await asyncio.sleep(max(min(self._due.values()) - time.monotonic(), 0.0))
                now = time.monotonic()
                for order_id in [one for one, due in self._due.items() if due <= now]:
                    self._let_go(order_id, final=False)

    def take(self, kind: str, data: Fields, at: float | None) -> bool:
        """Tell what an event says of an order; False where it is none of an order's, or lacks what it is about."""
        order_id = identifier(data.get("order_id"))
        if not order_id:
            return False
        when = late(at, time.time(), 1.0)
        match kind:
            case "BuyOrderCreated" | "SellOrderCreated":
                return self._created(order_id, "buy" if kind.startswith("Buy") else "sell", data, at)
            case "OrderFilled":
                return self._filled(of_event(data, at))
            case "BuyOrderCompleted" | "SellOrderCompleted":
                self._completed(order_id, data)
            case "OrderCancelled":
                venue, symbol = self._end(order_id)
                self._watched.emit(
                    OrderCanceled(order_id=order_id, venue=venue, symbol=symbol, happened_timestamp_seconds=when)
                )
            case "OrderExpired":
                venue, symbol = self._end(order_id)
                self._watched.emit(
                    OrderExpired(order_id=order_id, venue=venue, symbol=symbol, happened_timestamp_seconds=when)
                )
            case "OrderFailure":
                venue, symbol = self._end(order_id)
                self._watched.emit(
                    OrderRejected(
                        order_id=order_id,
                        venue=venue,
                        symbol=symbol,
                        reason=_reason(data.get("error_type")),
                        message=text(data.get("error_message")) or None,
                        happened_timestamp_seconds=when,
                    )
                )
            case _:
                return False
        return True

    def recover(self, fills: Iterable[Fill]) -> int:
        """Tell those fills of history that were not told, oldest first; how many."""
        self.release()
        told = 0
        for fill in sorted(fills, key=lambda one: one.at or 0.0):
            if fill.venue is not None:
                self.learn(fill.symbol, fill.venue)
            if fill.key in self._memory.fills:
                continue
            order_id, final = self._owes(fill)
            venue = fill.venue or self._venue_of(fill.symbol)
            if order_id is not None and (order := self._memory.orders.get(order_id)) is not None:
                venue = order.venue
            self._tell(order_id or f"unseen:{fill.fill_id}", venue, fill, final=final)
            told += 1
        return told

    def settle(self) -> None:
        """Close the orders of which fills were not heard, and history did not have them either."""
        for order_id, (order, _, price) in self._owed.items():
            self._close(order_id, order, price)
        self._owed.clear()

    def abandon(self) -> None:
        """No strategy runs: Hummingbot cancels all orders when it stops one. Those whose end was not heard are told."""
        self.release()
        self.settle()
        for order_id, order in list(self._memory.orders.items()):
            self._watched.emit(
                OrderCanceled(order_id=order_id, venue=order.venue, symbol=order.symbol, reason="unseen")
            )
            self._ended.append(order_id)

    def release(self) -> None:
        """Tell the fills that are held."""
        for order_id in list(self._holding):
            self._let_go(order_id, final=False)

    def learn(self, pair: str, venue: str) -> None:
        """A pair is traded on this connector."""
        known = self._memory.markets.setdefault(pair, [])
        if venue not in known and len(known) < MOST_MARKETS:
            known.append(venue)
        if len(self._memory.markets) > MOST_MARKETS:
            del self._memory.markets[next(iter(self._memory.markets))]

    # An order's life

    def _created(self, order_id: str, side: str, data: Fields, at: float | None) -> bool:
        symbol, quantity = name(data.get("trading_pair")), number(data.get("amount"))
        if not symbol:
            return False
        if order_id in self._memory.orders or order_id in self._ended:
            return True
        venue = self._venue_of(symbol)
        now = time.time()
        created = moment(data.get("creation_timestamp"))
        self._watched.emit(
            OrderSubmitted(
                order_id=order_id,
                venue=venue,
                symbol=symbol,
                side=side,
                quantity=quantity,
                strategy=self._strategy,
                order_type=word(data.get("type")) or None,
                price=number(data.get("price")),
                asset=quote_of(symbol),
                happened_timestamp_seconds=late(created or at, now, 0.0 if created else 1.0),
            )
        )
        self._watched.emit(
            OrderAcknowledged(
                order_id=order_id,
                venue=venue,
                symbol=symbol,
                venue_order_id=identifier(data.get("exchange_order_id")) or None,
                strategy=self._strategy,
                happened_timestamp_seconds=late(at, now, 1.0),
            )
        )
        for fill in self._holding.pop(order_id, []):  # a market order's fill may come first
            self._due.pop(order_id, None)
            self._filled(fill)
        return True

    def _filled(self, fill: Fill | None) -> bool:
        if fill is None or fill.order_id is None:
            return False
        held = self._holding.get(fill.order_id, [])
        if fill.key in self._memory.fills or any(fill.key == one.key for one in held):
            return True
        order = self._memory.orders.get(fill.order_id)
        if order is not None and order.quantity:
            rest = order.quantity - order.filled - sum(one.quantity for one in held) - fill.quantity
            if rest > order.quantity * ROUNDING or rest <= order.quantity * EXACT:
                self._holding.setdefault(fill.order_id, []).append(fill)
                self._let_go(fill.order_id, final=rest <= order.quantity * EXACT)
                return True
        self._holding.setdefault(fill.order_id, []).append(fill)
        self._due[fill.order_id] = time.monotonic() + HOLD_SECONDS
        self._is_holding.set()
        return True

    def _completed(self, order_id: str, data: Fields) -> None:
        order = self._memory.orders.get(order_id)
        total, worth = number(data.get("base_asset_amount")), number(data.get("quote_asset_amount"))
        held = sum(one.quantity for one in self._holding.get(order_id, []))
        told = held + (order.filled if order is not None else 0.0)
        is_whole = total is None or total - told <= max(total, 0.0) * ROUNDING
        if order_id in self._holding:
            self._let_go(order_id, final=is_whole)
            if is_whole:
                return
        if order is None:
            if order_id not in self._ended:
                self._missed()  # neither its creation nor its fills were heard
            return
        price = worth / total if total and worth is not None else 0.0
        if is_whole or total is None:
            self._close(order_id, order, price)
        else:
            self._owed[order_id] = (order, total - told, price)
            self._missed()

    def _end(self, order_id: str) -> tuple[str, str]:
        """An order ends without being complete: where it was, and of what."""
        self._let_go(order_id, final=False)
        self._owed.pop(order_id, None)
        self._ended.append(order_id)
        order = self._memory.orders.get(order_id)
        return (order.venue, order.symbol) if order is not None else (self._venue or VENUE, UNKNOWN)

    def _let_go(self, order_id: str, *, final: bool) -> None:
        self._due.pop(order_id, None)
        fills = self._holding.pop(order_id, [])
        for place, fill in enumerate(fills, start=1):
            order = self._memory.orders.get(order_id)
            venue = order.venue if order is not None else self._venue_of(fill.symbol)
            self._tell(order_id, venue, fill, final=final and place == len(fills))

    def _tell(self, order_id: str, venue: str, fill: Fill, *, final: bool) -> None:
        when = late(fill.at, time.time(), 1.0)
        self._watched.emit(fill.told(order_id, venue, final=final, strategy=self._strategy, happened=when))
        if final:
            self._ended.append(order_id)

    def _close(self, order_id: str, order: Order, price: float) -> None:
        """Tell that an order is complete whose last fill was not told as such: a fill of nothing."""
        self._watched.emit(
            OrderFilled(
                order_id=order_id,
                venue=order.venue,
                symbol=order.symbol,
                side=order.side,
                quantity=0.0,
                price=price,
                final=True,
                strategy=self._strategy,
                asset=quote_of(order.symbol),
            )
        )
        self._ended.append(order_id)

    def _owes(self, fill: Fill) -> tuple[str | None, bool]:
        """The order that a fill of history belongs to, where one of its kind lacks it; whether it is the last."""
        for order_id, (order, lacks, price) in self._owed.items():
            if (order.symbol, order.side) == (fill.symbol, fill.side) and fill.quantity <= lacks * (1 + ROUNDING):
                rest = lacks - fill.quantity
                is_last = rest <= max((order.quantity or lacks) * ROUNDING, 2 * EXACT)
                if is_last:
                    del self._owed[order_id]
                else:
                    self._owed[order_id] = (order, rest, price)
                return order_id, is_last
        return None, False

    def _venue_of(self, pair: str) -> str:
        known = self._memory.markets.get(pair, [])
        return self._venue or (known[0] if len(known) == 1 else VENUE)


def _reason(error_type: object) -> str:
    """A short word for the metric: an exception's name as Hummingbot tells it."""
    told = name(error_type, 40)
    return told if told.isidentifier() else "failed"
