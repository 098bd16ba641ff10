"""What freqtrade is told: its configuration, as its users write it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Literal

TradingMode = Literal["spot", "futures"]
BASES = ("BTC", "ETH", "SOL", "XRP", "ADA", "LINK")
WALLET = 10_000.0
USER = "watcher"
STRATEGIES = Path(__file__).parent / "strategies"


def pairs(mode: TradingMode) -> list[str]:
    """What it trades, as it spells it."""
    return [f"{base}/USDT" if mode == "spot" else f"{base}/USDT:USDT" for base in BASES]


def write(
    folder: Path, mode: TradingMode, *, exchange_url: str, port: int, password: str, ws_token: str, **more: Any
) -> Path:
    """Write a user directory and its configuration; the configuration's path.

    Args:
        folder: Where.
        mode: What it trades.
        exchange_url: Where the tests' exchange is.
        port: Of its API.
        password: Of its API's user.
        ws_token: Of its WebSocket.
        more: Other keys of the configuration.
    """
    (folder / "strategies").mkdir(parents=True, exist_ok=True)
    shutil.copy(STRATEGIES / "busy.py", folder / "strategies" / "busy.py")
    config: dict[str, Any] = {
        "bot_name": "busy",
        "strategy": "Busy",
        "dry_run": True,
        "dry_run_wallet": WALLET,
        "trading_mode": mode,
        "margin_mode": "isolated" if mode == "futures" else "",
        "stake_currency": "USDT",
        "stake_amount": 300,
        "max_open_trades": 5,
        "tradable_balance_ratio": 0.99,
        "cancel_open_orders_on_exit": False,
        "unfilledtimeout": {"entry": 15, "exit": 6, "exit_timeout_count": 5, "unit": "seconds"},
        "entry_pricing": _PRICING,
        "exit_pricing": _PRICING,
        "exchange": _exchange(mode, exchange_url) | {"pair_whitelist": pairs(mode), "pair_blacklist": []},
        "pairlists": [{"method": "StaticPairList"}],
        "api_server": {
            "enabled": True,
            "listen_ip_address": "127.0.0.1",
            "listen_port": port,
            "username": USER,
            "password": password,
            "jwt_secret_key": f"signs tokens until {password} is another",  # else those that were given stay good
            "ws_token": ws_token,
        },
        "force_entry_enable": True,
        "initial_state": "running",
        "internals": {"process_throttle_secs": 1},
        "dataformat_ohlcv": "feather",
    }
    path = folder / "config.json"
    path.write_text(json.dumps(config | more, indent=2))
    return path


_PRICING = {"price_side": "other", "use_order_book": True, "order_book_top": 1}


def _exchange(mode: TradingMode, url: str) -> dict[str, Any]:
    """Binance, whose URLs its client takes from its options; funding is each minute, not each eight hours."""
    urls = {"public": f"{url}/api/v3", "private": f"{url}/api/v3", "fapiPublic": f"{url}/fapi/v1"}
    types = ["spot"] if mode == "spot" else ["linear"]
    return {
        "name": "binance",
        "enable_ws": False,
        "ccxt_config": {"options": {"fetchMarkets": {"types": types}}, "urls": {"api": urls}},
        "_ft_has_params": {"mark_ohlcv_timeframe": "1m", "funding_fee_timeframe": "1m"},
    }
