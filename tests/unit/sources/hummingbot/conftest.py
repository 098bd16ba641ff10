"""A journal that a part of the source writes, a broker, and a scripted Hummingbot at it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from deskwatch.events import Event, HeartbeatSent, WatchStarted, WatchStopped
from deskwatch.sources.hummingbot.memory import HummingbotMemory
from deskwatch.sources.watched import Watched
from tests.brokers import Broker
from tests.fakes.hummingbot import ScriptedHummingbot
from tests.lines import events_in
from tests.sources.watching import Watching

BOT = "watched-1"
_OF_THE_WATCH = (WatchStarted, WatchStopped, HeartbeatSent)


@pytest.fixture
async def watched(home: Path) -> AsyncIterator[Watched]:
    """The journal of a part that is tried alone."""
    one = Watched(home, BOT, "main", kind="hummingbot", peer="a test", memory=HummingbotMemory())
    one.open()
    yield one
    one.close()


@pytest.fixture
def told(home: Path) -> Callable[[], list[Event]]:
    """What was journaled, without the watch's own."""
    return lambda: [event for event in events_in(home, bot=BOT) if not isinstance(event, _OF_THE_WATCH)]


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Broker]:
    """A broker that lets everybody do all."""
    async with Broker(tmp_path) as one:
        yield one


@pytest.fixture
async def hummingbot(broker: Broker) -> AsyncIterator[ScriptedHummingbot]:
    """A Hummingbot whose strategy runs."""
    async with ScriptedHummingbot(broker.port) as one:
        yield one


class _Block:
    kind = "hummingbot"
    module = None

    def __init__(self, block: dict[str, Any]) -> None:
        self._block = block

    def block(self) -> dict[str, Any]:
        return self._block


@pytest.fixture
def watching(broker: Broker, home: Path) -> Callable[..., Watching]:
    """A source for it, quick; with other settings as they are given."""

    def one(**more: Any) -> Watching:
        quick = {"poll_seconds": 1.0, "silent_seconds": 8.0, "reply_seconds": 5.0, "confirm_seconds": 1.5}
        block = {"url": broker.url, "instance": "hb-1", **quick, **more}
        return Watching(_Block(block), home)  # type: ignore[arg-type]  # of a rig only these are asked for here

    return one
