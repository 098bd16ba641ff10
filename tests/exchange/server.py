"""The exchange's server: one of Binance's public API, on loopback, that can be slow, go away and come back."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.exchange import listing
from tests.exchange.market import Market
from tests.fakes.http_server import serving

TIMEFRAMES = {"1m": 60, "5m": 300, "15m": 900, "30m": 1800, "1h": 3600, "4h": 14_400, "8h": 28_800, "1d": 86_400}
"""Seconds by their names."""
FUNDING_RATE = 0.0005
FUNDING_SECONDS = 60.0
MOST_CANDLES = 1000


class Unknown(Exception):
    """A path, symbol or parameter that the exchange does not have."""


class Exchange:
    """What a test holds of the exchange.

    Attributes:
        url: Where it is.
        market: Its prices.
        calls: How often each path was asked for.
        slow_seconds: How long each answer takes.
    """

    def __init__(self, market: Market) -> None:
        self.url = ""
        self.market = market
        self.calls: Counter[str] = Counter()
        self.slow_seconds = 0.0
        self._is_gone = threading.Event()

    def move(self, pair: str, factor: float) -> None:
        """From now on a pair costs this many times as much."""
        self.market.move(pair, factor)

    @contextlib.contextmanager
    def gone(self) -> Iterator[None]:
        """Meanwhile every connection is closed without an answer."""
        self._is_gone.set()
        try:
            yield
        finally:
            self._is_gone.clear()

    @property
    def is_gone(self) -> bool:
        """Whether it answers nobody."""
        return self._is_gone.is_set()

    def answer(self, path: str, query: dict[str, str]) -> Any:
        """What the API answers.

        Raises:
            Unknown: It has no such thing.
        """
        self.calls[path] += 1
        match path.strip("/").split("/"):
            case ["api", "v3", *what]:
                return self._of_spot("/".join(what), query)
            case ["fapi", "v1", *what]:
                return self._of_futures("/".join(what), query)
        raise Unknown(path)

    def _of_spot(self, what: str, query: dict[str, str]) -> Any:
        if what == "exchangeInfo":
            return listing.spot(self.market.listed.values())
        return self._of_both(what, query)

    def _of_futures(self, what: str, query: dict[str, str]) -> Any:
        match what:
            case "exchangeInfo":
                return listing.futures(self.market.listed.values())
            case "markPriceKlines":
                return self._of_both("klines", query)
            case "fundingRate":
                return self._funding(query)
            case "premiumIndex":
                return [self._premium(one) for one in self.market.listed]
        return self._of_both(what, query)

    def _of_both(self, what: str, query: dict[str, str]) -> Any:
        match what:
            case "ping":
                return {}
            case "time":
                return {"serverTime": round(time.time() * 1000)}
            case "klines":
                return self._klines(query)
            case "depth":
                bids, asks = self.market.book(self._symbol(query), int(query.get("limit", "100")))
                sides = {"bids": _texts(bids), "asks": _texts(asks)}
                now = round(time.time() * 1000)
                return {"lastUpdateId": now, "E": now, "T": now, **sides}
            case "ticker/24hr" | "ticker/bookTicker":
                return [self._ticker(one) for one in self.market.listed]
        raise Unknown(what)

    def _klines(self, query: dict[str, str]) -> list[list[Any]]:
        seconds = TIMEFRAMES[query["interval"]]
        limit = min(int(query.get("limit", "500")), MOST_CANDLES)
        until = int(query["endTime"]) / 1000 if "endTime" in query else None
        if "startTime" in query:
            since = int(query["startTime"]) / 1000
            ended = min(time.time() if until is None else until, since + seconds * (limit - 1))
            limit, until = max(1, min(limit, int((ended - since) // seconds) + 1)), ended
        candles = self.market.candles(self._symbol(query), seconds, limit, until)
        return [
            [
                round(one.opened * 1000),
                *(f"{price:.8f}" for price in (one.open, one.high, one.low, one.close, one.volume)),
                round((one.opened + seconds) * 1000) - 1,
                f"{one.volume * one.close:.8f}",
                100,
                f"{one.volume / 2:.8f}",
                f"{one.volume * one.close / 2:.8f}",
                "0",
            ]
            for one in candles
        ]

    def _funding(self, query: dict[str, str]) -> list[dict[str, Any]]:
        symbol, now = self._symbol(query), time.time()
        limit = min(int(query.get("limit", "100")), MOST_CANDLES)
        last = now // FUNDING_SECONDS * FUNDING_SECONDS
        since = int(query["startTime"]) / 1000 if "startTime" in query else 0.0
        times = [last - FUNDING_SECONDS * back for back in range(limit - 1, -1, -1)]
        return [
            {
                "symbol": symbol,
                "fundingTime": round(at * 1000),
                "fundingRate": f"{FUNDING_RATE:.8f}",
                "markPrice": f"{self.market.price(symbol, at):.8f}",
            }
            for at in times
            if at >= since
        ]

    def _premium(self, symbol: str) -> dict[str, Any]:
        now = time.time()
        price = f"{self.market.price(symbol):.8f}"
        return {
            "symbol": symbol,
            "markPrice": price,
            "indexPrice": price,
            "lastFundingRate": f"{FUNDING_RATE:.8f}",
            "nextFundingTime": round((now // FUNDING_SECONDS + 1) * FUNDING_SECONDS * 1000),
            "time": round(now * 1000),
        }

    def _ticker(self, symbol: str) -> dict[str, Any]:
        ((bid, amount),), ((ask, _),) = self.market.book(symbol, 1)
        price = f"{self.market.price(symbol):.8f}"
        now = round(time.time() * 1000)
        return {
            "symbol": symbol,
            **dict.fromkeys(("openPrice", "highPrice", "lowPrice", "lastPrice", "weightedAvgPrice"), price),
            "bidPrice": f"{bid:.8f}",
            "askPrice": f"{ask:.8f}",
            **dict.fromkeys(("bidQty", "askQty", "volume"), f"{amount:.8f}"),
            "quoteVolume": f"{amount * ask:.8f}",
            "openTime": now - 86_400_000,
            "closeTime": now,
            "time": now,
        }

    def _symbol(self, query: dict[str, str]) -> str:
        symbol = query.get("symbol", "")
        if symbol not in self.market.listed:
            raise Unknown(symbol)
        return symbol


@contextlib.contextmanager
def running(market: Market | None = None, port: int = 0) -> Iterator[Exchange]:
    """An exchange that serves, until the end of the block."""
    exchange, closing = Exchange(market or Market()), threading.Event()

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            closing.wait(exchange.slow_seconds)
            if exchange.is_gone:
                self.close_connection = True
                return
            parts = urlsplit(self.path)
            try:
                status, told = 200, exchange.answer(parts.path, {k: v[0] for k, v in parse_qs(parts.query).items()})
            except (Unknown, KeyError, ValueError) as error:
                status, told = 400, {"code": -1121, "msg": f"Invalid request: {error}"}
            body = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """The test has its own log."""

    with serving(Answers, port, None, closing) as exchange.url:
        yield exchange


def _texts(levels: list[tuple[float, float]]) -> list[list[str]]:
    return [[f"{price:.8f}", f"{amount:.8f}"] for price, amount in levels]
