"""Commands to a Hummingbot, and its replies.

A request is published to `<namespace>/<instance>/<command>` as `{"header": {"reply_to": topic}, "data": {…}}`; the
reply comes to that topic as `{"header": {…}, "data": {"status": 200 or 400, "msg": …}}` (`remote_iface/mqtt.py`). It
waits for what was asked only with `async_backend` false; Hummingbot itself then gives up after 30 s.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from typing import NamedTuple

import aiomqtt

from deskwatch.sources.health import Health
from deskwatch.sources.hummingbot.broker import heeding
from deskwatch.sources.hummingbot.errors import NoReply
from deskwatch.sources.hummingbot.payload import MOST_REPLY_BYTES, Fields, decode, fields, number, text
from deskwatch.sources.hummingbot.settings import Settings
from deskwatch.sources.pace import Pace

WELL = 200


class Reply(NamedTuple):
    """What Hummingbot replied."""

    status: int
    message: str
    data: Fields

    @property
    def is_well(self) -> bool:
        """Whether it did what it was asked."""
        return self.status == WELL


class Rpc:
    """Asks over whichever connection there is.

    Attributes:
        replies: The topic that all its replies come below.
        is_silent: Whether what was asked last had no reply.
    """

    def __init__(self, settings: Settings, health: Health) -> None:
        self.replies = f"{settings.reply_topic.strip('/')}/{secrets.token_hex(12)}"
        self.is_silent = False
        self._settings = settings
        self._health = health
        self._pace = Pace()
        self._client: aiomqtt.Client | None = None
        self._waiting: dict[str, asyncio.Future[Reply]] = {}

    def use(self, client: aiomqtt.Client | None) -> None:
        """Ask over this connection from now on; None: there is none, and who waits for a reply waits in vain."""
        self._client = client
        if client is None:
            for waiting in self._waiting.values():
                if not waiting.done():
                    waiting.set_exception(NoReply("the connection to the broker was cut before Hummingbot replied"))

    async def ask(self, command: str, data: Fields, *, urgent: bool = False, seconds: float | None = None) -> Reply:
        """Ask, and wait for the reply.

        Args:
            command: `start`, `stop`, `status`, `history`.
            data: Its parameters.
            urgent: Ahead of what is asked regularly: a person's command.
            seconds: Most time for it; by default as configured.

        Raises:
            NoReply: None came.
        """
        await self._pace.turn(urgent=urgent)
        client = self._client
        if client is None:
            raise NoReply("there is no connection to the broker")
        topic = f"{self.replies}/{secrets.token_hex(8)}"
        waiting: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting[topic] = waiting
        most = self._settings.reply_seconds if seconds is None else min(seconds, self._settings.reply_seconds)
        self._health.asked()
        began = time.monotonic()
        try:
            async with asyncio.timeout(most):
                payload = json.dumps({"header": {"reply_to": topic}, "data": data})
                await heeding(client.publish(f"{self._settings.prefix}/{command}", payload, qos=1))
                reply = await waiting
        except TimeoutError:
            self.is_silent = True
            self._health.failed("no_reply")
            raise NoReply(
                f"expected a reply to {command} within {most:g} s, came none; is mqtt_commands on in its configuration?"
            ) from None
        except (aiomqtt.MqttError, NoReply) as error:
            self._health.failed("cut")
            raise NoReply(f"expected a reply to {command}, but: {error}") from None
        finally:
            del self._waiting[topic]
        self.is_silent = False
        self._health.heard(time.monotonic() - began)
        return reply

    def answered(self, topic: str, payload: object) -> None:
        """A reply came."""
        waiting = self._waiting.get(topic)
        if waiting is None or waiting.done():
            return
        told = decode(payload, MOST_REPLY_BYTES)
        data = fields((told or {}).get("data"))
        status = number(data.get("status"))
        if told is None or status is None:
            self._health.failed("reply")
            waiting.set_exception(NoReply("what came is no reply as Hummingbot sends them"))
            return
        waiting.set_result(Reply(int(status), text(data.get("msg")), data))
