"""freqtrade's trader, as commands need it: what it is about, what is open, and what it can be asked to do.

Shapes are those of freqtrade 2026.9 (`rpc/api_server/api_trading.py`, `Trade.to_json`). Nothing is taken for closed
because it could not be read: a list of trades that makes no sense counts as no answer.
"""

from __future__ import annotations

import asyncio
import math
import time
from typing import Any

import msgspec

from deskwatch.sources.freqtrade import reading
from deskwatch.sources.freqtrade.client import Client
from deskwatch.sources.freqtrade.errors import Unreachable

EXIT_SECONDS = 60.0
"""How long placing orders may take: freqtrade asks its exchange meanwhile, for one trade after the other."""
APART_SECONDS, MOST_APART_SECONDS = 0.25, 3.0
"""Open trades are read no more often than that, however many commands wait for them: less and less often while nothing
is asked for."""
RUNNING, PAUSED, STOPPED = "running", "paused", "stopped"
STATES = (RUNNING, PAUSED, STOPPED)
"""What `show_config` calls a bot that is not being made anew."""
ROUNDED = 0.01
"""Share of what was asked to be closed, by which more or less may be, where the size of a contract is not known."""
_TICK_SIZE, _DECIMAL_PLACES = 4, 2
"""Of ccxt's precision modes, those whose steps are known."""


class OpenOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order that rests at the exchange."""

    id: str
    is_exit: bool
    is_stop: bool
    """A stop-loss that rests there: freqtrade keeps it while the position is open."""


class OpenTrade(msgspec.Struct, frozen=True, kw_only=True):
    """A position, or one that is being entered."""

    number: int
    pair: str
    amount: float
    """What is left of it: freqtrade's own takes off what an exit order has filled only once that order is done."""
    opened: int
    """Milliseconds. freqtrade gives the number of a trade that was never filled to another; this tells them apart."""
    step: float
    """The amount's granularity; 0 where it is not known."""
    is_of_contracts: bool
    """Whether the granularity is that of contracts, whose size is not told."""
    orders: tuple[OpenOrder, ...]

    @property
    def key(self) -> tuple[int, int]:
        """What tells it from all others."""
        return self.number, self.opened

    @property
    def resting(self) -> list[OpenOrder]:
        """Its open orders but for stop-losses."""
        return [order for order in self.orders if not order.is_stop]

    def __str__(self) -> str:
        return f"{self.pair} (trade {self.number})"

    def part_of(self, amount: float) -> float:
        """This amount, up to the next step, so that not less is closed than was asked; at most all."""
        if self.step > 0:
            rounded = round(math.ceil(round(amount / self.step, 6)) * self.step, 12)
            if not self.is_of_contracts or rounded <= amount * (1 + ROUNDED):
                amount = rounded
        return min(amount, self.amount)


class Trader:
    """Of one freqtrade. Whatever it asks raises what the client raises.

    Args:
        client: Asks it.
    """

    def __init__(self, client: Client) -> None:
        self.client = client
        self._line = asyncio.Lock()
        self._read = float("-inf")
        self._apart = 0.0
        self._open: list[OpenTrade] = []

    async def state(self) -> str:
        """One of `STATES`, or what it is in between: `reload_config`, or nothing."""
        return reading.text((await self._config()).get("state")) or ""

    async def open_trades(self) -> list[OpenTrade]:
        """What is open now. Who asks at the same time shares an answer that was asked for since."""
        asked = time.monotonic()
        async with self._line:
            if self._read < asked:
                await asyncio.sleep(max(0.0, self._read + self._apart - asked))
                self._read = time.monotonic()
                self._apart = min(max(APART_SECONDS, self._apart * 1.5), MOST_APART_SECONDS)
                self._open = open_trades_of(await self.client.get("status", urgent=True))
            return self._open

    async def processed_ts(self) -> float | None:
        """When its loop ended a round last, Unix time by its clock, to the second; None where it does not tell."""
        health = await self.client.get("health", urgent=True)
        return reading.number(health.get("last_process_ts")) if isinstance(health, dict) else None

    async def ask_for(self, state: str) -> str:
        """Ask for one of `STATES`; its words."""
        self._apart = 0.0
        path = {RUNNING: "start", PAUSED: "pause", STOPPED: "stop"}[state]
        told = await self.client.post(path)
        return (reading.text(told.get("status")) or "") if isinstance(told, dict) else ""

    async def force_exit(self, trade: OpenTrade, amount: float | None = None) -> None:
        """Close a trade, or `amount` of it, by an order of the configuration's kind. What rests of it is canceled."""
        self._apart = 0.0
        body: dict[str, Any] = {"tradeid": str(trade.number)} | ({} if amount is None else {"amount": amount})
        await self.client.post("forceexit", body, timeout_seconds=EXIT_SECONDS)

    async def force_exit_all(self) -> None:
        """Close all trades."""
        self._apart = 0.0
        await self.client.post("forceexit", {"tradeid": "all"}, timeout_seconds=EXIT_SECONDS)

    async def cancel(self, trade: OpenTrade) -> None:
        """Cancel a trade's open orders but for stop-losses."""
        self._apart = 0.0
        await self.client.delete(f"trades/{trade.number}/open-order", timeout_seconds=EXIT_SECONDS)

    async def _config(self) -> dict[str, Any]:
        config = await self.client.get("show_config", urgent=True)
        if not isinstance(config, dict):
            raise Unreachable("garbage", f"expected show_config as an object, was {type(config).__name__}")
        return config


def open_trades_of(status: Any) -> list[OpenTrade]:  # Any: whatever JSON holds
    """The trades of `status`.

    Raises:
        Unreachable: They make no sense.
    """
    if not isinstance(status, list):
        raise Unreachable("garbage", f"expected status as a list, was {type(status).__name__}")
    return [_trade(each) for each in status]


def _trade(raw: Any) -> OpenTrade:
    found = raw if isinstance(raw, dict) else {}
    number, amount = reading.number(found.get("trade_id")), reading.number(found.get("amount"))
    pair = reading.text(found.get("pair"))
    if number is None or amount is None or pair is None or number != int(number) or number < 1:
        raise Unreachable("garbage", f"expected trade_id, pair and amount of each open trade, was {str(raw)[:80]!r}")
    orders = raw.get("orders")
    exit_side = "buy" if raw.get("is_short") is True else "sell"
    resting = [
        each
        for each in (orders if isinstance(orders, list) else [])
        if isinstance(each, dict) and each.get("is_open") is True
    ]
    exited = sum(
        reading.positive(each.get("filled")) or 0.0 for each in resting if each.get("ft_order_side") == exit_side
    )
    return OpenTrade(
        number=int(number),
        pair=pair,
        amount=max(amount - exited, 0.0),
        opened=int(reading.number(raw.get("open_timestamp")) or 0),
        step=_step(raw),
        is_of_contracts=raw.get("trading_mode") != "spot",
        orders=tuple(
            OpenOrder(
                id=reading.text(each.get("order_id")) or "",
                is_exit=each.get("ft_order_side") == exit_side,
                is_stop=each.get("ft_order_side") == "stoploss",
            )
            for each in resting
        ),
    )


def _step(raw: dict[str, Any]) -> float:
    precision, mode = reading.number(raw.get("amount_precision")), raw.get("precision_mode")
    if precision is None or precision < 0:
        return 0.0
    if mode == _TICK_SIZE:
        return precision
    return 10.0 ** -min(precision, 18) if mode == _DECIMAL_PLACES else 0.0
