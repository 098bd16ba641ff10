"""What the exchange says of what is traded, in Binance's words: `exchangeInfo` of spot and of futures."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from tests.exchange.market import Listed

FOREVER = 4_133_404_800_000
"""The delivery date of what is never delivered, Unix time in ms."""


def spot(listed: Iterable[Listed]) -> dict[str, Any]:
    """`GET /api/v3/exchangeInfo`."""
    return _listing([_symbol(one) | {"quoteAssetPrecision": 8, "permissions": ["SPOT"]} for one in listed])


def futures(listed: Iterable[Listed]) -> dict[str, Any]:
    """`GET /fapi/v1/exchangeInfo`."""
    more = {"contractType": "PERPETUAL", "deliveryDate": FOREVER, "onboardDate": 1_569_398_400_000}
    return _listing([_symbol(one) | more | {"pair": one.id, "marginAsset": one.quote} for one in listed])


def _symbol(one: Listed) -> dict[str, Any]:
    limits = {"minQty": f"{one.lot:.8f}", "maxQty": "9000000.00000000", "stepSize": f"{one.lot:.8f}"}
    tick = f"{one.tick:.8f}"
    return {
        "symbol": one.id,
        "status": "TRADING",
        "baseAsset": one.base,
        "quoteAsset": one.quote,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"],
        "isSpotTradingAllowed": True,
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "1000000.00000000", "tickSize": tick},
            {"filterType": "LOT_SIZE", **limits},
            {"filterType": "MARKET_LOT_SIZE", **limits},
            {"filterType": "MIN_NOTIONAL", "minNotional": "5.00000000", "notional": "5"},
        ],
    }


def _listing(symbols: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "timezone": "UTC",
        "serverTime": round(time.time() * 1000),
        "rateLimits": [],
        "exchangeFilters": [],
        "symbols": symbols,
    }
