"""The way to the broker: connecting, subscribing, and what its refusals mean."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Iterable
from contextlib import asynccontextmanager
from typing import TypeVar

import aiomqtt

from deskwatch.errors import ConfigError
from deskwatch.sources.hummingbot.errors import BrokerRefused
from deskwatch.sources.hummingbot.settings import Settings

T = TypeVar("T")

CONNECT_SECONDS = 10.0
LEAVE_SECONDS = 2.0
KEEPALIVE_SECONDS = 15
"""How often a silent link is tried; also the most time that a connection's handshake may take."""
MOST_WAITING = 20_000
"""Messages that wait to be read; later ones are lost, and looked for in history."""
_REFUSED = 0x80
"""From here on a SUBACK's code is a refusal (MQTT 3.1.1, 3.9.3)."""
_UNAUTHORIZED = (4, 5, 134, 135)
"""A CONNACK's codes for a bad user or password, and one that may not (paho gives those of MQTT 5)."""


@asynccontextmanager
async def connected(settings: Settings) -> AsyncIterator[aiomqtt.Client]:
    """A connection to the broker, under a name of its own: a second of the same name would throw the first out.

    Raises:
        BrokerRefused: There is none, and why.
        aiomqtt.MqttError: It was cut.
    """
    try:
        password = settings.password.read() if settings.password.is_given() else None
    except ConfigError as error:
        raise BrokerRefused("secret", str(error)) from None
    client = aiomqtt.Client(
        settings.host,
        settings.port,
        username=settings.user,
        password=password,
        identifier=f"deskwatch-{secrets.token_hex(6)}",
        timeout=CONNECT_SECONDS,
        keepalive=KEEPALIVE_SECONDS,
        max_queued_incoming_messages=MOST_WAITING,
        tls_context=await _trusting(settings) if settings.is_tls else None,
    )
    before = _cancellations()
    try:
        await client.__aenter__()
    except (aiomqtt.MqttError, OSError, ValueError) as error:
        raise _refusal(settings, error) from error
    try:
        _heed(before)
        yield client
    except BaseException as error:
        await _leave(client, error)
        raise
    await _leave(client, None)


async def _trusting(settings: Settings) -> ssl.SSLContext:
    """What TLS is spoken by, tried: the library leaves the socket of a handshake that failed open."""
    try:
        context = await asyncio.to_thread(ssl.create_default_context, cafile=settings.ca_file)
    except OSError as error:
        raise BrokerRefused("tls", f"expected certificates in {settings.ca_file}, but: {error}") from None
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            _, writer = await asyncio.open_connection(settings.host, settings.port, ssl=context)
    except OSError as error:
        raise _refusal(settings, error) from error
    writer.close()
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(LEAVE_SECONDS):
            await writer.wait_closed()
    return context


async def _leave(client: aiomqtt.Client, error: BaseException | None) -> None:
    client.timeout = LEAVE_SECONDS
    with contextlib.suppress(aiomqtt.MqttError):  # it was cut already
        await client.__aexit__(type(error) if error is not None else None, error, None)


async def subscribe(client: aiomqtt.Client, topics: Iterable[str]) -> None:
    """Subscribe to topics. What is published there with a higher quality than 0 comes so too.

    Raises:
        BrokerRefused: The broker does not let us read one of them.
        aiomqtt.MqttError: The connection was cut.
    """
    for topic in topics:
        codes = await heeding(client.subscribe(topic, qos=1))
        if any((code if isinstance(code, int) else code.value) >= _REFUSED for code in codes):
            raise BrokerRefused("acl", f"expected that the broker lets us read {topic}; let our user read it")


async def heeding(call: Awaitable[T]) -> T:
    """Await a call of the library's, and heed a cancellation that it swallowed.

    It waits by `asyncio.wait_for`, whose cancellation at the moment of the result is lost in Python 3.11. A group of
    tasks cancels each once, so it would wait for that one for ever: no end, and no new connection after a cut.

    Raises:
        asyncio.CancelledError: This task was canceled meanwhile.
    """
    before = _cancellations()
    result = await call
    _heed(before)
    return result


def _cancellations() -> int:
    task = asyncio.current_task()
    return task.cancelling() if task is not None else 0


def _heed(before: int) -> None:
    if _cancellations() > before:  # more than a group of tasks in Python 3.11 has left behind
        raise asyncio.CancelledError


def _refusal(settings: Settings, error: Exception) -> BrokerRefused:
    """What it was, in words and a short word. The library gives some of it as text only, so causes are asked first."""
    where = f"{settings.host}:{settings.port}"
    code = getattr(error, "rc", None)
    value = code if isinstance(code, int) else getattr(code, "value", None)
    if value in _UNAUTHORIZED:
        return BrokerRefused(
            "unauthorized", f"expected that {where} takes user {settings.user!r}, but: {error}; look at its password"
        )
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return BrokerRefused("tls", f"expected TLS with {where}, but: {cause}; look at ca_file and the scheme")
        if isinstance(cause, socket.gaierror):
            return BrokerRefused("refused", f"expected a broker at {where}, but nobody knows that host: {cause}")
        if isinstance(cause, TimeoutError):
            return BrokerRefused("timeout", f"expected an answer of {where} in time, but: {cause}")
        cause = cause.__cause__ or cause.__context__
    if "timed out" in str(error).lower():
        return BrokerRefused("timeout", f"expected an answer of {where} in time, but: {error}")
    return BrokerRefused("refused", f"expected a broker at {where}, but: {error}")
