"""A stand-in for freqtrade: its REST API and WebSocket as of 2026.9, without an exchange. Trades are what tests say.

It follows what was read in freqtrade's source (`rpc/api_server/`, `rpc/rpc.py`, `worker.py`) and what a real one
answered. It serves from a thread and a loop of its own, so that tests of any kind can use it; what a test sets is seen
by the next request. Orders of forced exits are filled at once unless `fills` is False.
"""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
import threading
import time
from collections.abc import Coroutine
from typing import Any, Self

from aiohttp import WSMsgType, web

from tests.unit.sources.freqtrade import payloads
from tests.unit.sources.freqtrade.payloads import CONFIG, TOPICS, cancel_orders, fill_orders, new_order, new_trade


class StandIn:
    """One freqtrade. A context manager; everything that a test may turn is an attribute.

    Attributes:
        state: As `show_config` has it.
        initial_state: What `state` is after a reload or a restart.
        trades: All, open or not, by id; as `/trades` and `/status` give them.
        rounds_to: What an amount to close is rounded down to a multiple of; 0: it stays.
        fills: Whether orders of forced exits are filled at once.
        asked: What was asked, in order: `GET status`, with the body of a POST behind it.
        garbled: Answered instead of anything else, 200, where it is set.
        refuses: Path → status, body and headers to answer with.
        swallows: Paths that are carried out, and not answered.
        delay_seconds: Before each answer.
    """

    def __init__(self) -> None:
        self.user, self.password, self.ws_token = "watcher", "first-password", "of-the-stream"
        self.jwt_key, self.knows_login, self.takes_tokens = "signed", True, True
        self.state = self.initial_state = "running"
        self.config: dict[str, Any] = dict(CONFIG)
        self.pairs = ["BTC/USDT", "ETH/USDT", "SOL/USDT"]
        self.blacklist: list[str] = []
        self.trades: dict[int, dict[str, Any]] = {}
        self.fills, self.rounds_to = True, 0.0
        self.locks: list[dict[str, Any]] = []
        self.logs: list[list[Any]] = []
        self.balance: dict[str, Any] = {"currencies": [], "total": 1000.0, "total_bot": 1000.0, "stake": "USDT"}
        self.profit: dict[str, Any] = {"profit_closed_coin": 0.0, "trade_count": 0, "closed_trade_count": 0}
        self.started_ts = self.startup_ts = int(time.time()) - 60
        self.asked: list[str] = []
        self.garbled: bytes | None = None
        self.refuses: dict[str, tuple[int, str | bytes, dict[str, str]]] = {}
        self.swallows: set[str] = set()
        self.delay_seconds = 0.0
        self.token_seconds = 900
        self.reloads = True
        self.topics = set(TOPICS)
        self.tls: ssl.SSLContext | None = None
        self.port = 0
        self.streams: list[tuple[web.WebSocketResponse, set[str]]] = []
        self._tokens = 0
        self._sites: list[web.TCPSite] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="stand-in", daemon=True)
        self._runner: web.AppRunner | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        self.back()
        return self

    def __exit__(self, *_: object) -> None:
        self.away()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}"

    # What happens to it

    def away(self) -> None:
        """Its process ends: nothing listens any more, and what was open is cut."""
        self._do(self._stop())

    def back(self) -> None:
        """It listens, at the address that it had before."""
        self._do(self._listen())

    def restart(self) -> None:
        """Its process ends and begins again: log and blacklist are empty, the state is the initial one."""
        self.away()
        self.state, self.logs, self.blacklist = self.initial_state, [], []
        self.log("freqtrade.worker", "INFO", "Starting worker 2026.9")
        self._start_up()
        self.back()

    def say(self, topic: str, **body: Any) -> None:
        """Tell those who subscribed to it."""
        self._do(self._say({"type": topic, **body}))

    def cut(self, code: int = 1012) -> None:
        """Close all streams."""
        self._do(self._cut(code))

    def log(self, logger: str, level: str, message: str) -> None:
        """A line in its log's buffer."""
        self.logs.append([time.strftime("%Y-%m-%d %H:%M:%S"), time.time() * 1000, logger, level, message])

    def open_trade(self, pair: str = "BTC/USDT", amount: float = 1.0, rate: float = 100.0, **fields: Any) -> int:
        """A position with its entry filled; its id."""
        number = max(self.trades, default=0) + 1
        trade = new_trade(number, pair, amount, rate) | fields
        self.trades[number] = trade
        self.order(number, "sell" if trade["is_short"] else "buy", amount, filled=amount)
        return number

    def order(self, number: int, side: str, amount: float, *, filled: float = 0.0) -> dict[str, Any]:
        """An order of a trade, open unless it is filled."""
        trade = self.trades[number]
        order = new_order(trade, side, amount, filled)
        trade["orders"].append(order)
        trade["has_open_orders"] = any(each["is_open"] for each in trade["orders"])
        return order

    def fill(self, number: int) -> None:
        """Fill all open orders of a trade."""
        fill_orders(self.trades[number])

    # What it answers

    def _answer(self, request: web.Request, path: str, body: Any) -> Any:
        match (request.method, path):
            case ("GET", "show_config"):
                return self.config | {"state": self.state}
            case ("GET", "version"):
                return {"version": self.config["version"]}
            case ("GET", "health"):
                return {
                    "last_process_ts": int(time.time()),
                    "bot_start_ts": self.started_ts,
                    "bot_startup_ts": self.startup_ts,
                }
            case ("GET", "status"):
                return self._open_trades()
            case ("GET", "trades"):
                found = [self.trades[number] for number in sorted(self.trades) if not self.trades[number]["is_open"]]
                limit, offset = int(request.query.get("limit", 500)), int(request.query.get("offset", 0))
                page = found[offset : offset + limit]
                return {"trades": page, "trades_count": len(page), "offset": offset, "total_trades": len(found)}
            case ("GET", "whitelist"):
                listed = [each for each in self.pairs if each not in self.blacklist]
                listed += [each["pair"] for each in self._open_trades() if each["pair"] not in listed]
                return {"whitelist": listed, "length": len(listed), "method": ["StaticPairList"]}
            case ("GET" | "POST" | "DELETE", "blacklist"):
                return self._blacklisted(request, body)
            case ("GET", "logs"):
                logs = self.logs[-int(request.query.get("limit", 1000)) :]
                return {"log_count": len(logs), "logs": logs}
            case ("GET", "locks"):
                return {"lock_count": len(self.locks), "locks": self.locks}
            case ("GET", "balance"):
                return self.balance
            case ("GET", "profit"):
                return self.profit
            case ("GET", "count"):
                self._need_running()
                return {"current": len(self._open_trades()), "max": 5, "total_stake": 0.0}
            case ("POST", "start" | "stop" | "pause" | "stopentry" | "stopbuy"):
                if self.state == "stopped" and path != "stop":
                    self._start_up()
                self.state = {"start": "running", "stop": "stopped"}.get(path, "paused")
                return {"status": f"{path} ..."}
            case ("POST", "reload_config"):
                self.state = "reload_config"
                if self.reloads:
                    self._loop.call_later(0.05, self._reload)
                return {"status": "Reloading config ..."}
            case ("POST", "forceexit"):
                self._need_running()
                return self._force_exit(body)
            case ("POST", "locks" | "locks/delete"):
                return self._locked(body)
        parts = path.split("/")
        if (request.method, parts[0]) == ("GET", "trade") and int(parts[1]) in self.trades:
            return self.trades[int(parts[1])]
        if request.method == "DELETE" and parts[0] == "trades" and parts[2:] == ["open-order"]:
            return self._cancel(int(parts[1]))
        raise web.HTTPNotFound(text='{"detail":"Not Found"}', content_type="application/json")

    def _force_exit(self, body: Any) -> Any:
        named = str(body["tradeid"])
        numbers = [each["trade_id"] for each in self._open_trades() if named in ("all", str(each["trade_id"]))]
        if not numbers and named != "all":
            raise declined("forceexit", "invalid argument")
        for number in numbers:
            trade = self.trades[number]
            cancel_orders(trade)
            part = body.get("amount")
            if part and self.rounds_to:
                part = int(part / self.rounds_to) * self.rounds_to
            side = "buy" if trade["is_short"] else "sell"
            self.order(number, side, part if part and part < trade["amount"] else trade["amount"])
            if self.fills:
                self.fill(number)
        return {"result": f"Created exit order{'s for all open trades' if named == 'all' else f' for trade {named}'}."}

    def _cancel(self, number: int) -> Any:
        self._need_running()
        trade = self.trades.get(number)
        if trade is None or not trade["is_open"]:
            raise declined("open-order", "Invalid trade_id.")
        if not trade["has_open_orders"]:
            raise declined("open-order", "No open order for trade_id.")
        cancel_orders(trade)
        return trade

    def _blacklisted(self, request: web.Request, body: Any) -> Any:
        if request.method == "POST":
            self.blacklist += [each for each in body["blacklist"] if each not in self.blacklist]
        elif request.method == "DELETE":
            gone = request.query.getall("pairs_to_delete", [])
            self.blacklist = [each for each in self.blacklist if each not in gone]
        return {"blacklist": self.blacklist, "blacklist_expanded": self.blacklist, "errors": {}, "method": []}

    def _locked(self, body: Any) -> Any:
        for each in body if isinstance(body, list) else []:
            self.locks.append(payloads.new_lock(len(self.locks) + 1, each))
        if isinstance(body, dict):
            self.locks = [each for each in self.locks if each["pair"] != body["pair"]]
        return {"lock_count": len(self.locks), "locks": self.locks}

    def _need_running(self) -> None:
        if self.state == "stopped":
            raise declined("it", "trader is not running")

    def _open_trades(self) -> list[dict[str, Any]]:
        return [each for each in self.trades.values() if each["is_open"]]

    def _start_up(self) -> None:
        self.startup_ts = max(int(time.time()), self.startup_ts + 1)

    def _reload(self) -> None:
        self.state = self.initial_state
        self._start_up()
        self.log("freqtrade.worker", "INFO", f"Changing state from RELOAD_CONFIG to: {self.state.upper()}")
        self._loop.create_task(self._cut(1012))

    # How it serves

    async def _listen(self) -> None:
        app = web.Application()
        app.router.add_get("/api/v1/message/ws", self._stream)
        app.router.add_route("*", "/api/v1/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.01)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True, ssl_context=self.tls)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def _stop(self) -> None:
        if self._runner is not None:
            await self._cut(1012)
            await self._runner.cleanup()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        text = await request.text()
        self.asked.append(f"{request.method} {path} {text}".rstrip())
        await asyncio.sleep(self.delay_seconds)
        if self.garbled is not None:
            return web.Response(body=self.garbled)
        if path in self.refuses:
            status, body, headers = self.refuses[path]
            return web.Response(status=status, body=body, headers=headers)
        if path == "ping":
            return web.json_response({"status": "pong"})
        if path.startswith("token/"):
            return self._token(path, request.headers.get("authorization", ""))
        if not self._is_known(request.headers.get("authorization", "")):
            return web.json_response({"detail": "Unauthorized"}, status=401)
        answer = self._answer(request, path, json.loads(text) if text else {})
        if path in self.swallows and request.transport is not None:
            request.transport.abort()
        return web.json_response(answer)

    def _token(self, path: str, authorization: str) -> web.StreamResponse:
        if not self.knows_login:
            raise web.HTTPNotFound
        made = self._made("refresh") if path == "token/refresh" else self._basic()
        if not authorization.startswith(made):
            return web.json_response({"detail": "Incorrect username or password"}, status=401)
        self._tokens += 1
        claims = {"iat": 0, "exp": self.token_seconds}
        body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
        access = f"access-{self.jwt_key}.{body}.{self._tokens}"
        refresh = {} if path == "token/refresh" else {"refresh_token": f"refresh-{self.jwt_key}.{body}.0"}
        return web.json_response({"access_token": access, **refresh})

    def _made(self, kind: str) -> str:
        return f"Bearer {kind}-{self.jwt_key}."

    def _basic(self) -> str:
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()

    def _is_known(self, authorization: str) -> bool:
        is_token = self.takes_tokens and authorization.startswith(self._made("access"))
        return is_token or authorization == self._basic()

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        token = request.query.get("token", "")
        if token != self.ws_token and not f"Bearer {token}".startswith(self._made("access")):
            raise web.HTTPForbidden
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        topics: set[str] = set()
        self.streams.append((socket, topics))
        async for message in socket:
            wanted = json.loads(message.data) if message.type == WSMsgType.TEXT else {}
            if wanted.get("type") == "subscribe" and set(wanted["data"]) <= self.topics:
                topics.clear()
                topics.update(wanted["data"])
        self.streams = [each for each in self.streams if each[0] is not socket]
        return socket

    async def _say(self, message: dict[str, Any]) -> None:
        for socket, topics in self.streams:
            if message["type"] in topics:
                await socket.send_json(message)

    async def _cut(self, code: int) -> None:
        for socket, _ in list(self.streams):
            await socket.close(code=code)

    def _do(self, coroutine: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(timeout=10)


def declined(path: str, message: str) -> web.HTTPException:
    """What the trader declines, as freqtrade answers it."""
    body = json.dumps({"error": f"Error querying /api/v1/{path}: {message}"})
    return web.HTTPBadGateway(text=body, content_type="application/json")
