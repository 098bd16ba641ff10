"""What freqtrade 2026.9 says of itself, a trade and an order: the fields that matter here, as a real one gave them."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

TOPICS = (
    "status", "warning", "exception", "startup", "entry", "entry_fill", "entry_cancel", "exit", "exit_fill",
    "exit_cancel", "protection_trigger", "protection_trigger_global", "liquidation_warning", "strategy_msg",
    "whitelist", "analyzed_df", "new_candle",
)  # fmt: skip
CONFIG: dict[str, Any] = {
    "version": "2026.9", "strategy_version": None, "api_version": 2.5, "dry_run": True, "trading_mode": "spot",
    "stake_currency": "USDT", "max_open_trades": 5.0, "timeframe": "1m", "exchange": "binance", "strategy": "Busy",
    "bot_name": "freqtrade", "runmode": "dry_run", "short_allowed": False, "margin_mode": "", "stake_amount": "300",
}  # fmt: skip


def new_trade(number: int, pair: str, amount: float, rate: float) -> dict[str, Any]:
    """An open long trade without orders."""
    base, quote = pair.split(":", maxsplit=1)[0].split("/")
    return {
        "trade_id": number, "pair": pair, "base_currency": base, "quote_currency": quote, "is_open": True,
        "is_short": False, "exchange": "binance", "amount": amount, "stake_amount": amount * rate, "strategy": "Busy",
        "enter_tag": "rising", "fee_open": 0.001, "fee_close": 0.001, "open_timestamp": int(time.time() * 1000),
        "open_rate": rate, "current_rate": rate, "profit_abs": 0.0, "profit_ratio": 0.0, "realized_profit": 0.0,
        "close_timestamp": None, "close_rate": None, "close_profit_abs": None, "exit_reason": None, "leverage": 1.0,
        "liquidation_price": None, "funding_fees": 0.0, "trading_mode": "spot", "has_open_orders": False, "orders": [],
    }  # fmt: skip


def new_order(trade: dict[str, Any], side: str, amount: float, filled: float) -> dict[str, Any]:
    """An order of a trade, open unless all of it is filled."""
    now, is_open = int(time.time() * 1000), filled < amount
    return {
        "pair": trade["pair"], "order_id": f"{side}_{trade['trade_id']}_{len(trade['orders'])}", "amount": amount,
        "status": "open" if is_open else "closed", "filled": filled, "remaining": amount - filled,
        "safe_price": trade["current_rate"], "cost": amount * trade["current_rate"], "ft_order_side": side,
        "order_type": "limit", "is_open": is_open, "order_timestamp": now, "ft_fee_base": None,
        "order_filled_timestamp": None if is_open else now, "ft_order_tag": trade["enter_tag"],
    }  # fmt: skip


def cancel_orders(trade: dict[str, Any]) -> None:
    """All that rest of a trade."""
    for order in trade["orders"]:
        if order["is_open"]:
            order.update(status="canceled", is_open=False)
    trade["has_open_orders"] = False


def fill_orders(trade: dict[str, Any]) -> None:
    """All that rest of a trade; one that has nothing left is closed."""
    now = int(time.time() * 1000)
    for order in [each for each in trade["orders"] if each["is_open"]]:
        order.update(status="closed", is_open=False, filled=order["amount"], remaining=0.0, order_filled_timestamp=now)
        if order["ft_order_side"] == ("buy" if trade["is_short"] else "sell"):
            trade["amount"] = max(0.0, trade["amount"] - order["amount"])
            trade["is_open"] = trade["amount"] > 0
    if not trade["is_open"]:
        trade.update(close_timestamp=now, close_rate=trade["current_rate"], exit_reason="force_exit")
    trade["has_open_orders"] = False


def new_lock(number: int, asked: dict[str, Any]) -> dict[str, Any]:
    """A lock as it is asked for; it ends with a candle, of a minute here."""
    ends = int(datetime.fromisoformat(asked["until"]).timestamp() // 60 + 1) * 60_000
    return asked | {"id": number, "active": True, "lock_end_timestamp": ends}
