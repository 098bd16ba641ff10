"""A scripted Hummingbot: it speaks MQTT as `remote_iface/mqtt.py` of Hummingbot 2.16 does, and trades as it is told.

It is no Hummingbot: strategies, connectors and its database are played. What it publishes, in which order, with which
types, and what it replies is taken from that file and from where it gets its figures (`core/event/events.py`,
`core/data_type/trade_fee.py`, `model/trade_fill.py`, `model/decimal_type_decorator.py`).
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import time
from typing import Any, Self

import aiomqtt

from deskwatch.sources.hummingbot.broker import heeding

Fields = dict[str, Any]
SIX = 1_000_000
FEE: Fields = {"fee_type": "AddedToCost", "percent": "0.001", "percent_token": None, "flat_fees": []}
NO_ATTRIBUTE = "'HummingbotApplication' object has no attribute 'strategy'"
ALREADY = 'The bot is already running - please run "stop" first'
ABORTED = "Strategy check: Please import or create a strategy."
GARBAGE = (b"\xff\xfe", b"{", b"[]", b"null", b'{"ts": null}', b'{"data": []}', b"{" * 5000, b'{"ts": "' + b"9" * 9999)


class ScriptedHummingbot:
    """Runs within `async with`; connects again by itself, and keeps what it could not publish meanwhile.

    Attributes:
        running: Whether its strategy runs.
        tells_status: Whether `status` and `start` work, as up to 2.6; from 2.7 on they fail.
        replies: Whether it takes commands (`mqtt_commands`).
        logs: Whether it publishes its log (`mqtt_logger`).
        stops: Whether `stop` does what it replies.
        delay_seconds: How much later it replies.
        garbles: Whether all that it publishes is garbage.
        commands: What it was asked for, in order.
        changes: How often it was asked for something that changes it.
    """

    def __init__(self, port: int, *, instance: str = "hb-1", beat_seconds: float = 0.1, **login: Any) -> None:
        self.prefix = f"hbot/{instance}"
        self.running = True
        self.tells_status = True
        self.replies = self.logs = self.stops = True
        self.delay_seconds = 0.0
        self.garbles = False
        self.commands: list[tuple[str, Fields]] = []
        self.changes = 0
        self.trades: list[Fields] = []
        self.open: dict[str, Fields] = {}
        self._port, self._login, self._beat_seconds = port, login, beat_seconds
        self._outgoing: asyncio.Queue[tuple[str, Fields]] = asyncio.Queue()
        self._ids = itertools.count(1)
        self._is_connected = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._answering: set[asyncio.Task[None]] = set()

    # Its life

    async def __aenter__(self) -> Self:
        await self.boot()
        await self._is_connected.wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.crash()

    async def boot(self) -> None:
        """Start its process, and its bridge."""
        self._outgoing = asyncio.Queue()
        self._task = asyncio.create_task(self._run())
        self.log("hummingbot.client.hummingbot_application", "MQTT Bridge connected with success.")

    async def crash(self) -> None:
        """End without a word."""
        for task in (self._task, *self._answering):
            while task is not None and not task.done():  # a cut at the same moment hides a cancellation
                task.cancel()
                await asyncio.wait((task,), timeout=0.2)
        self._answering.clear()

    async def _run(self) -> None:
        while True:
            with contextlib.suppress(aiomqtt.MqttError):
                async with aiomqtt.Client(
                    "127.0.0.1", self._port, identifier=f"hbot.{self.prefix}", timeout=2, **self._login
                ) as client:
                    await client.subscribe(
                        [(f"{self.prefix}/{name}", 1) for name in ("start", "stop", "status", "history")]
                    )
                    online = {"timestamp": int(time.time() * 1e3), "type": "availability", "msg": "online"}
                    await self._send(client, "status_updates", online)
                    self._is_connected.set()
                    try:
                        async with asyncio.TaskGroup() as tasks:
                            tasks.create_task(self._drain(client))
                            tasks.create_task(self._beat(client))
                            tasks.create_task(self._listen(client))
                    except* aiomqtt.MqttError:
                        pass
            await asyncio.sleep(0.1)

    async def _drain(self, client: aiomqtt.Client) -> None:
        while True:
            topic, payload = await self._outgoing.get()
            try:
                await self._send(client, topic, payload)
            except aiomqtt.MqttError:  # the real one loses it; here a test wants to know what comes of it
                self._outgoing.put_nowait((topic, payload))
                raise

    async def _beat(self, client: aiomqtt.Client) -> None:
        while True:
            await self._send(client, "hb", {"ts": int((time.time() + 0.5) * 1_000_000)})
            await asyncio.sleep(self._beat_seconds)

    async def _send(self, client: aiomqtt.Client, topic: str, payload: Fields) -> None:
        encoded: bytes | str = json.dumps(_primitive(payload))
        if self.garbles:
            encoded = GARBAGE[next(self._ids) % len(GARBAGE)]
        await heeding(client.publish(topic if topic.count("/") > 1 else f"{self.prefix}/{topic}", encoded))

    # What it says

    def publish(self, topic: str, payload: Fields) -> None:
        """Publish below its prefix, or to a whole topic."""
        self._outgoing.put_nowait((topic, payload))

    def event(self, kind: str, data: Fields, at: float | None = None) -> None:
        """Publish an event of the market."""
        self.publish("events", {"timestamp": int(time.time() if at is None else at), "type": kind, "data": data})

    def log(self, logger: str, message: str, level: int = 20) -> None:
        """Publish a record of its log."""
        if self.logs:
            names = {20: "INFO", 30: "WARNING", 40: "ERROR"}
            record = {"timestamp": time.time(), "msg": message, "level_no": level}
            self.publish("log", record | {"level_name": names[level], "logger_name": logger})

    # What it does

    def create(
        self, quantity: float, price: float, *, side: str = "Buy", pair: str = "BTC-USDT", kind: str = "LIMIT"
    ) -> str:
        """Create an order; its id."""
        order_id = f"x-{next(self._ids)}-{time.time_ns()}"
        self.open[order_id] = {"quantity": quantity, "price": price, "side": side, "pair": pair, "filled": 0.0}
        self.event(
            f"{side}OrderCreated",
            {
                "type": f"OrderType.{kind}",
                "trading_pair": pair,
                "amount": quantity,
                "price": price,
                "order_id": order_id,
                "creation_timestamp": time.time(),
                "exchange_order_id": f"e-{order_id}",
                "leverage": 1,
                "position": "NIL",
            },
        )
        return order_id

    def fill(self, order_id: str, quantity: float | None = None) -> str:
        """Fill an order, in part or what is left of it; the trade's id."""
        order = self.open[order_id]
        quantity = order["quantity"] - order["filled"] if quantity is None else quantity
        trade_id = self.trade(quantity, order["price"], side=order["side"], pair=order["pair"])
        order["filled"] += quantity
        self.event(
            "OrderFilled",
            {
                "order_id": order_id,
                "trading_pair": order["pair"],
                "trade_type": f"TradeType.{order['side'].upper()}",
                "order_type": "OrderType.LIMIT",
                "price": order["price"],
                "amount": quantity,
                "trade_fee": FEE,
                "exchange_trade_id": trade_id,
                "exchange_order_id": f"e-{order_id}",
                "leverage": 1,
                "position": "NIL",
            },
        )
        if order["filled"] >= order["quantity"] * (1 - 1e-9):
            self.complete(order_id)
        return trade_id

    def trade(
        self, quantity: float, price: float, *, side: str = "Buy", pair: str = "BTC-USDT", age: float = 0.0
    ) -> str:
        """Put a trade of so many seconds ago into its database, and say nothing; the trade's id."""
        trade_id = f"t{next(self._ids)}-{time.time_ns()}"
        self.trades.append(
            {
                "market": "binance",
                "trade_id": trade_id,
                "price": str(int(price * SIX) / SIX),
                "quantity": str(int(quantity * SIX + 1e-6) / SIX),
                "symbol": pair,
                "trade_timestamp": int((time.time() - age) * 1e3),
                "trade_type": side.upper(),
                "base_asset": pair.partition("-")[0],
                "quote_asset": pair.partition("-")[2],
                "raw_json": {"trade_fee": FEE},
            }
        )
        return trade_id

    def complete(self, order_id: str) -> None:
        """Say that an order is complete."""
        order = self.open.pop(order_id)
        base, _, quote = order["pair"].partition("-")
        self.event(
            f"{order['side']}OrderCompleted",
            {
                "order_id": order_id,
                "base_asset": base,
                "quote_asset": quote,
                "base_asset_amount": order["filled"],
                "quote_asset_amount": order["filled"] * order["price"],
                "order_type": "OrderType.LIMIT",
                "exchange_order_id": f"e-{order_id}",
            },
        )

    def cancel(self, order_id: str) -> None:
        """Cancel an order."""
        self.open.pop(order_id)
        self.event("OrderCancelled", {"order_id": order_id, "exchange_order_id": f"e-{order_id}"})

    # What it is asked

    async def _listen(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            task = asyncio.create_task(self._answer(str(message.topic).rpartition("/")[2], json.loads(message.payload)))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)

    async def _answer(self, command: str, asked: Fields) -> None:
        self.commands.append((command, asked["data"]))
        self.changes += command in ("start", "stop")
        if not self.replies:
            return
        await asyncio.sleep(self.delay_seconds)
        status, message, more = self._perform(command, asked["data"])
        header = {"reply_to": "", "timestamp": int(time.time() * 1000), "content_type": "json"}
        header |= {"encoding": "utf8", "agent": "commlib"}
        self.publish(asked["header"]["reply_to"], {"header": header, "data": {"status": status, "msg": message} | more})

    def _perform(self, command: str, data: Fields) -> tuple[int, str, Fields]:
        assert data.get("async_backend") is False, "without this the real one replies at once, with nothing"
        match command:
            case "status" if not self.tells_status:
                return 400, NO_ATTRIBUTE, {"data": ""}
            case "status" if self.running:
                return 200, "\n  Markets:\n    Exchange  Market  Best Bid Price", {"data": ""}
            case "status":
                return 400, "No strategy is currently running!", {"data": ""}
            case "history":
                since = (time.time() - data["days"] * 86_400) * 1e3
                trades = [trade for trade in self.trades if trade["trade_timestamp"] >= since] if self.running else []
                return 200, "", {"trades": trades}
            case "start" if data.get("script") is None:
                return 400, ABORTED, {}
            case "start" if not self.tells_status:
                return 400, NO_ATTRIBUTE, {}
            case "start" if self.running:
                return 400, ALREADY, {}
            case "start":
                self.running = True
                self.log("hummingbot.core.trading_core", f"Strategy {data['script']} started successfully")
                return 200, "", {}
        if self.stops:
            self.log("hummingbot.client.hummingbot_application", "stop command initiated.")
            self.log("hummingbot.core.trading_core", "Strategy stopped successfully")
            for order_id in list(self.open):
                self.cancel(order_id)
            self.running = False
        return 200, "", {}


def _primitive(value: object) -> object:
    """As `_make_primitive` makes values ready for JSON: a whole number below 0 becomes text."""
    if isinstance(value, dict):
        return {key: _primitive(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_primitive(each) for each in value]
    if isinstance(value, int) and not isinstance(value, bool) and value < 0:
        return str(value)
    return value
