"""freqtrade's bookkeeping in small: trades, orders and ids as its database keeps them, and what its API shows of them.

It follows `freqtradebot.py` and `persistence/trade_model.py` of 2026.9: a trade whose entry is canceled unfilled is
removed, and the next takes its id if it was the highest; orders are shown while they are open or once they are filled.
"""

from __future__ import annotations

import itertools
from typing import Any

FEE = 0.001
START = 1_700_000_000.0


class Model:
    """Of one freqtrade. Profit is worked out of the orders, as freqtrade does.

    Attributes:
        trades: All, by id.
        now: Its clock, Unix time; each thing that happens takes a second.
        knows_order: Whether `/trades` can be asked for the newest first.
    """

    def __init__(self) -> None:
        self.trades: dict[int, dict[str, Any]] = {}
        self.now = START
        self.knows_order = True
        self.price = 100.0
        self.asked: list[str] = []
        self._ids = itertools.count(1)

    # What happens

    def enter(self, pair: str, amount: float, *, is_short: bool = False, trade: int | None = None) -> int:
        """An order for an entry, of a trade or of a new one; the trade's id."""
        self.now += 1
        number = trade if trade is not None else max(self.trades, default=0) + 1
        if trade is None:
            self.trades[number] = {
                "trade_id": number, "pair": pair, "is_open": True, "is_short": is_short, "strategy": "Busy",
                "exchange": "binance", "quote_currency": "USDT", "trading_mode": "futures", "leverage": 2.0,
                "fee_open": FEE, "fee_close": FEE, "open_timestamp": self.now * 1000, "funding_fees": 0.0,
                "open_rate": self.price, "amount": 0.0, "stake_amount": amount * self.price / 2, "orders": [],
            }  # fmt: skip
        self._order(number, "sell" if self.trades[number]["is_short"] else "buy", amount)
        return number

    def leave(self, number: int, amount: float) -> None:
        """An order for an exit."""
        self.now += 1
        self._order(number, "buy" if self.trades[number]["is_short"] else "sell", amount)

    def fill(self, number: int, part: float = 1.0) -> None:
        """Fill a part of what is left of the open orders."""
        self.now += 1
        for order in self._open_orders(number):
            if part >= 1.0:
                rest = order["amount"] - order["filled"]
                order["average"] = (order["filled"] * order["average"] + rest * self.price) / order["amount"]
                order.update(filled=order["amount"], status="closed", is_open=False)
                order["order_filled_timestamp"] = self.now * 1000
            else:
                more = (order["amount"] - order["filled"]) * part
                total = order["filled"] + more
                order["average"] = (order["filled"] * order["average"] + more * self.price) / total
                order["filled"] = total
            order["safe_price"] = order["average"]
        self._settle(number)

    def cancel(self, number: int, status: str = "canceled") -> None:
        """Cancel the open orders; a trade that never was filled goes."""
        self.now += 1
        for order in self._open_orders(number):
            order.update(status=status, is_open=False)
            if order["filled"]:
                order["order_filled_timestamp"] = self.now * 1000
        self._settle(number)
        if not any(order["filled"] for order in self.trades[number]["orders"]):
            del self.trades[number]

    def fund(self, number: int, amount: float) -> None:
        """Exchange funding."""
        self.trades[number]["funding_fees"] += amount

    def delete(self, number: int) -> None:
        """A person deletes the trade."""
        del self.trades[number]

    def held(self, number: int) -> float:
        """How much of it is held, by orders that are done."""
        trade = self.trades[number]
        entry = "sell" if trade["is_short"] else "buy"
        done = [order for order in trade["orders"] if not order["is_open"]]
        return float(sum(order["filled"] * (1 if order["ft_order_side"] == entry else -1) for order in done))

    # What it answers

    async def get(self, path: str, *, urgent: bool = False, **params: Any) -> Any:
        """The answer, as `Client.get` gives it."""
        self.asked.append(path)
        if path == "status":
            return [self._shown(trade) for trade in self.trades.values() if trade["is_open"]]
        assert path == "trades"
        closed = [trade for _, trade in sorted(self.trades.items()) if not trade["is_open"]]
        if self.knows_order and params["order_by_id"] == "false":
            closed.sort(key=lambda trade: -trade["close_timestamp"])
        page = closed[params["offset"] : params["offset"] + params["limit"]]
        return {"trades": [self._shown(each) for each in page], "total_trades": len(closed), "offset": params["offset"]}

    def profit(self) -> dict[str, Any]:
        """What `/profit` says of closed trades."""
        closed = [trade["close_profit_abs"] for trade in self.trades.values() if not trade["is_open"]]
        return {"profit_closed_coin": round(sum(closed), 8), "closed_trade_count": len(closed)}

    def open_orders(self) -> set[str]:
        """Ids of all open orders."""
        return {order["order_id"] for number in self.trades for order in self._open_orders(number)}

    def _shown(self, trade: dict[str, Any]) -> dict[str, Any]:
        shown = [dict(order) for order in trade["orders"] if order["is_open"] or order["filled"]]
        extra = {"current_rate": self.price, "profit_abs": 0.0, "total_profit_abs": 0.0} if trade["is_open"] else {}
        return trade | extra | {"orders": shown}

    def _order(self, number: int, side: str, amount: float) -> None:
        self.trades[number]["orders"].append({
            "order_id": f"order-{next(self._ids)}", "ft_order_side": side, "order_type": "limit", "status": "open",
            "is_open": True, "amount": amount, "filled": 0.0, "average": 0.0, "price": self.price,
            "safe_price": self.price, "order_timestamp": self.now * 1000, "order_filled_timestamp": None,
        })  # fmt: skip

    def _open_orders(self, number: int) -> list[dict[str, Any]]:
        return [order for order in self.trades[number]["orders"] if order["is_open"]]

    def _settle(self, number: int) -> None:
        trade = self.trades[number]
        trade["amount"] = max(self.held(number), 0.0)
        entry = "sell" if trade["is_short"] else "buy"
        left = any(
            order["filled"] and not order["is_open"] and order["ft_order_side"] != entry for order in trade["orders"]
        )
        if left and trade["amount"] < 1e-9 and not self._open_orders(number):
            sign = -1 if trade["is_short"] else 1
            profit = trade["funding_fees"]
            for order in trade["orders"]:
                worth = order["filled"] * order["average"]
                profit += sign * worth * (-1 if order["ft_order_side"] == entry else 1) - worth * FEE
            trade.update(is_open=False, close_timestamp=self.now * 1000, close_rate=self.price, exit_reason="roi")
            trade.update(close_profit_abs=profit, profit_abs=profit)
