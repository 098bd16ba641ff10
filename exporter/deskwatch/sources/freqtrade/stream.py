"""freqtrade's WebSocket: what it says by itself, as it happens. A wake-up: the truth is read back over REST.

`GET message/ws?token=…`, then `{"type": "subscribe", "data": [topics]}` (freqtrade `rpc/api_server/api_ws.py`). There
is no acknowledgement, another subscription replaces the one before, and one topic that it does not know voids all of
it. So what every version knows is subscribed first, and all that this one may know after: that counts, or is dropped.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import quote

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI

from deskwatch.backoff import Backoff
from deskwatch.errors import ConfigError
from deskwatch.sources.freqtrade.client import Client
from deskwatch.sources.freqtrade.errors import FreqtradeError
from deskwatch.sources.peer_json import NotJson, decode

BASIC_TOPICS = (
    "status",
    "warning",
    "startup",
    "entry",
    "entry_fill",
    "entry_cancel",
    "exit",
    "exit_fill",
    "exit_cancel",
    "protection_trigger",
    "protection_trigger_global",
    "strategy_msg",
    "whitelist",
)
"""Known since there is a WebSocket (API version 2.20)."""
TOPICS = (*BASIC_TOPICS, "exception", "new_candle", "liquidation_warning")
"""Known to API version 2.50. `analyzed_df` is left out: whole data frames."""
MAX_BYTES = 1024 * 1024
"""Of a message. Only `analyzed_df` is longer than a few thousand."""
PING_SECONDS = 20.0
"""How often it is asked for a pong, and how long it may take to give one."""
WELL_SECONDS = 30.0
"""After a stream that held this long, the next is tried with the first pause."""

_quiet = logging.getLogger(f"{__name__}.wire")
_quiet.setLevel(logging.WARNING)  # at DEBUG it would print the request's line, and so the token


class Told(msgspec.Struct, frozen=True):
    """Something that freqtrade said."""

    topic: str
    """`entry_fill`, `status` …: one of the topics, but for an `exception` that answers us."""
    body: dict[str, Any]
    """All of it, as it came: Any, as nothing of it was checked."""


class Reconnected(msgspec.Struct, frozen=True):
    """The stream is there, anew: what was said meanwhile was missed."""


class Cut(msgspec.Struct, frozen=True):
    """The stream is not there."""

    reason: str
    """In one of few words: `unauthorized`, `restart` (freqtrade ends, or makes itself anew), `closed`, `refused`,
    `timeout`, `network`, `http`, or one of `Unreachable`."""
    detail: str
    """For people; without secrets."""


Message = Told | Reconnected | Cut


async def messages(client: Client) -> AsyncGenerator[Message, None]:
    """What freqtrade says, for ever: `Reconnected`, then `Told`s, then a `Cut`, and anew after a while.

    Use it within `contextlib.aclosing`, so that the stream is closed where its reader ends.
    """
    backoff = Backoff(first_seconds=0.5)
    while True:
        began = time.monotonic()
        try:
            async with contextlib.aclosing(_once(client)) as stream:
                async for message in stream:
                    yield message
            cut = Cut("closed", "the stream ended")
        except (
            FreqtradeError,
            ConfigError,
            OSError,
            TimeoutError,
            ConnectionClosed,
            InvalidHandshake,
            InvalidURI,
        ) as error:
            cut = _cut(error)
        yield cut
        if time.monotonic() - began >= WELL_SECONDS:
            backoff.reset()
        if not await _comes_back(client, backoff.next_seconds()):
            continue
        backoff.reset()
        await asyncio.sleep(backoff.next_seconds())


async def _comes_back(client: Client, seconds: float) -> bool:
    """Wait so long; or, where freqtrade is away, until it answers over REST; whether it does."""
    if client.reachable.is_set():
        await asyncio.sleep(seconds)
        return False
    try:
        async with asyncio.timeout(seconds):
            await client.reachable.wait()
    except TimeoutError:
        return False
    return True


async def _once(client: Client) -> AsyncGenerator[Message, None]:
    """One stream, until it is cut."""
    token = await client.stream_token()
    seconds = client.settings.timeout_seconds
    connecting = connect(
        f"{client.settings.stream_url}?token={quote(token, safe='')}",
        ssl=client.tls(),
        proxy=None,  # as for REST: the URL says whom to ask
        open_timeout=seconds,
        close_timeout=1.0,
        ping_interval=PING_SECONDS,
        ping_timeout=PING_SECONDS,
        max_size=MAX_BYTES,
        logger=_quiet,
    )
    async with connecting as stream:
        for topics in (BASIC_TOPICS, TOPICS):
            await stream.send(msgspec.json.encode({"type": "subscribe", "data": topics}).decode())
        await _prove(stream, seconds)
        yield Reconnected()
        async for text in stream:
            told = _read(text)
            if told is not None:
                yield told


async def _prove(stream: ClientConnection, seconds: float) -> None:
    """Wait for a pong: freqtrade accepts a stream before it looks at the token, and then closes it with 1008.

    Raises:
        ConnectionClosed: It did.
        TimeoutError: No pong in time.
    """
    async with asyncio.timeout(seconds):
        await (await stream.ping())


def _read(text: str | bytes) -> Told | None:
    """What it says; None where that is not what freqtrade says."""
    try:
        body = decode(text)
    except NotJson:
        return None
    topic = body.get("type") if isinstance(body, dict) else None
    return Told(topic, body) if isinstance(topic, str) else None


def _cut(error: Exception) -> Cut:
    """What cut it, in words that hold no token: those of the libraries may hold the URL."""
    match error:
        case FreqtradeError():
            return Cut(error.reason, str(error))
        case ConfigError():
            return Cut("unauthorized", str(error))
        case ConnectionClosed():
            code = error.rcvd.code if error.rcvd is not None else None
            if code == 1008:
                return Cut("unauthorized", "freqtrade does not know the token; compare api_server.ws_token")
            return Cut("restart" if code == 1012 else "closed", f"closed with {code or 'no word'}")
        case InvalidStatus():
            status = error.response.status_code
            return Cut("unauthorized" if status in (401, 403) else "http", f"answered {status} instead of a stream")
        case InvalidHandshake() | InvalidURI():
            return Cut("http", f"no stream: {type(error).__name__}")
        case TimeoutError():
            return Cut("timeout", "no answer in time")
        case ConnectionRefusedError():
            return Cut("refused", "nothing listens there")
        case _:
            return Cut("network", f"no way there: {type(error).__name__}")
