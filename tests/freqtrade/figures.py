"""What deskwatch's metrics say, beside what freqtrade's own API says at the same moment."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

from tests.freqtrade.process import Freqtrade
from tests.freqtrade.watching import Watching

CLOSE_ENOUGH = 1e-7
"""A part of the figure: `/profit` rounds its sums to eight places."""


def unequal(watching: Watching, mode: str, bot: Freqtrade) -> list[str]:
    """In words, each figure that differs. To be asked again until none does: the API is read before and after.

    Raises:
        OSError: freqtrade did not answer.
    """
    before = _told(bot)
    found = list(_differing(watching, mode, *before))
    return found if _told(bot) == before else ["freqtrade's figures changed meanwhile"]


def _told(bot: Freqtrade) -> tuple[Any, Any, Any]:
    profit = {key: value for key, value in bot.get("profit").items() if not key.endswith("humanized")}
    return profit, bot.get("balance"), bot.get("status")


def _differing(watching: Watching, mode: str, profit: Any, balance: Any, status: Any) -> Iterable[str]:
    def metric(name: str, **labels: str) -> float:
        return watching.metric(name, bot=mode, **labels) or 0.0

    held = [one for one in status if one["amount"]]
    paper = sum(one["total_profit_abs"] for one in held)
    yield from _differ("realized", metric("tradebot_realized_pnl"), profit["profit_closed_coin"])
    yield from _differ("with what is open", metric("tradebot_realized_pnl") + paper, profit["profit_all_coin"])
    yield from _differ("unrealized", metric("tradebot_unrealized_pnl"), paper)
    yield from _differ("closed", metric("tradebot_trades_closed_total"), profit["closed_trade_count"])
    yield from _differ("won", metric("tradebot_trades_won_total"), profit["winning_trades"])
    yield from _differ("lost", metric("tradebot_trades_lost_total"), profit["losing_trades"])
    yield from _differ("open", metric("tradebot_positions_open"), len(held))
    yield from _differ("volume", metric("tradebot_volume_total"), profit["trading_volume"])
    yield from _of_positions(metric, held)
    yield from _differ("equity", metric("tradebot_equity"), balance["total"])  # no other bot uses the account
    for one in balance["currencies"]:
        if not one["is_position"]:
            asset = one["currency"]
            yield from _differ(f"balance of {asset}", metric("tradebot_balance", asset=asset), one["balance"])
            yield from _differ(f"free {asset}", metric("tradebot_balance_free", asset=asset), one["free"])


def _of_positions(metric: Callable[..., float], held: list[Any]) -> Iterable[str]:
    for one in held:
        labels = {"symbol": one["pair"], "side": "short" if one["is_short"] else "long"}
        wanted = {
            "tradebot_position_quantity": one["amount"],
            "tradebot_position_entry_price": one["open_rate"],
            "tradebot_position_mark_price": one["current_rate"],
            "tradebot_unrealized_pnl": one["total_profit_abs"],
        }
        if one["liquidation_price"]:  # of futures
            wanted["tradebot_position_leverage"] = one["leverage"]
            wanted["tradebot_position_margin"] = one["stake_amount"]
            wanted["tradebot_position_liquidation_distance_ratio"] = _distance(one)
        for name, value in wanted.items():
            yield from _differ(f"{name} of {one['pair']}", metric(name, **labels), value)


def _distance(one: Any) -> float:
    falling = float((one["current_rate"] - one["liquidation_price"]) / one["current_rate"])
    return max(-falling if one["is_short"] else falling, 0.0)


def _differ(what: str, told: float, wanted: float) -> Iterable[str]:
    if not math.isclose(told, wanted, rel_tol=CLOSE_ENOUGH, abs_tol=2e-8):
        yield f"{what}: freqtrade says {wanted}, deskwatch {told}"
