"""Every command, given over HTTP: freqtrade itself has to show what was asked for, and the journal that it does."""

from __future__ import annotations

from typing import Any

from deskwatch.events import ConfigReloaded, OrderSubmitted
from tests import running
from tests.freqtrade.process import Freqtrade
from tests.freqtrade.watching import Watching
from tests.waiting import eventually


def commanded(watching: Watching, mode: str) -> None:
    """Give one after the other, while the strategy holds and has positions; freqtrade runs again in the end.

    Raises:
        AssertionError: One was not confirmed, or freqtrade shows something else.
    """
    bot = watching.bots[mode]
    watching.set_mode("standby", mode)
    assert _state(bot) == "paused"
    watching.set_mode("active", mode)
    assert _state(bot) == "running"
    _close_in_part(watching, mode, bot)
    _cancel(watching, mode, bot)
    reloads = len(running.events(watching.home, ConfigReloaded, mode))
    watching.command("reload_config", name=mode)
    assert len(running.events(watching.home, ConfigReloaded, mode)) == reloads + 1
    assert eventually(lambda: _state(bot) == "running", 20, every=0.3)
    watching.command("close_all", name=mode)
    assert bot.get("status") == []
    watching.set_mode("closing", mode)
    eventually(lambda: watching.bot(mode)["mode"]["actual"] == "standby", 30, every=0.3)  # it is flat
    assert _state(bot) == "paused"
    watching.set_mode("halted", mode)
    assert _state(bot) == "stopped"
    watching.set_mode("active", mode)
    assert _state(bot) == "running"


def _close_in_part(watching: Watching, mode: str, bot: Freqtrade) -> None:
    first, second, *_ = (one for one in bot.get("status") if one["amount"] and not one["has_open_orders"])
    watching.command("close_position", {"position_id": str(first["trade_id"]), "ratio": 0.5}, mode)
    (left,) = (one for one in bot.get("status") if one["trade_id"] == first["trade_id"])
    assert 0.45 < left["amount"] / first["amount"] < 0.55  # freqtrade rounds to the exchange's lots
    watching.command("close_position", {"symbol": second["pair"]}, mode)
    assert second["trade_id"] not in {one["trade_id"] for one in bot.get("status")}


def _cancel(watching: Watching, mode: str, bot: Freqtrade) -> None:
    """A person's order waits for a price far away, in the slot that is free now."""
    held = {one["pair"] for one in bot.get("status")}
    pair = next(one for one in bot.get("whitelist")["whitelist"] if one not in held)
    order: dict[str, Any] = {"pair": pair, "side": "long", "ordertype": "limit"}
    order["price"] = watching.exchange.market.price(pair.partition(":")[0].replace("/", "")) * 0.8
    (waiting,) = bot.post("forceenter", order)["orders"]

    def is_told() -> bool:
        return waiting["order_id"] in {one.order_id for one in running.events(watching.home, OrderSubmitted, mode)}

    eventually(is_told, 15, every=0.2)
    watching.command("cancel_orders", {"symbol": pair}, mode)
    assert all(one["order_id"] != waiting["order_id"] for trade in bot.get("status") for one in trade["orders"])


def _state(bot: Freqtrade) -> str:
    state: str = bot.get("show_config")["state"]
    return state
