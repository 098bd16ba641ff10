"""Asking a Hummingbot, where the library below swallows what it must not."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import aiomqtt
import pytest

from deskwatch.sources.health import Health
from deskwatch.sources.hummingbot import broker
from deskwatch.sources.hummingbot.rpc import Rpc
from deskwatch.sources.hummingbot.settings import Settings
from tests.waiting import patience


class _Swallowing:
    """Its calls end well although they were canceled, as at one moment with Python 3.11's `asyncio.wait_for`."""

    def __init__(self) -> None:
        self.is_asked = asyncio.Event()

    async def publish(self, *_: Any, **__: Any) -> None:
        await self._call()

    async def subscribe(self, *_: Any, **__: Any) -> tuple[int, ...]:
        await self._call()
        return (1,)

    async def _call(self) -> None:
        self.is_asked.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return


@pytest.mark.parametrize("call", ["ask", "subscribe"])
async def test_a_cancellation_that_the_library_swallows_is_heeded(call: str) -> None:
    client = _Swallowing()
    mqtt = cast("aiomqtt.Client", client)
    rpc = Rpc(Settings(bot="hb", url="mqtt://127.0.0.1:1", instance="hb-1"), Health("hb", "hummingbot"))
    rpc.use(mqtt)
    task = asyncio.ensure_future(
        rpc.ask("status", {}, urgent=True) if call == "ask" else broker.subscribe(mqtt, ["one", "two"])
    )
    await client.is_asked.wait()
    task.cancel()
    await asyncio.wait((task,), timeout=5 * patience())
    assert task.cancelled()
