"""Whether a Hummingbot can be watched as configured: the broker, its heartbeat, its replies.

Nothing is changed there.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import aiomqtt

from deskwatch.sources.health import Health
from deskwatch.sources.hummingbot import broker
from deskwatch.sources.hummingbot.errors import BrokerRefused, NoReply
from deskwatch.sources.hummingbot.payload import decode, moment, name
from deskwatch.sources.hummingbot.rpc import Rpc
from deskwatch.sources.hummingbot.settings import Settings
from deskwatch.sources.hummingbot.strategy import Strategy
from deskwatch.sources.source import Finding

MOST_NAMED = 20
_CURES = {
    "unauthorized": "Give the broker's user, and its password in password_file or password_env.",
    "tls": "Give ca_file for a broker whose certificate the system doesn't trust; mqtt:// for one without TLS.",
    "secret": "Write the password into that file, or set that variable.",
    "acl": "Let that user read there; in mosquitto's acl_file: topic read …",
    "timeout": "Look at the host, the port, and firewalls between.",
    "refused": "Start the broker, or give its real host and port as url.",
}
_BRIDGE = (
    "In Hummingbot: config mqtt_bridge.mqtt_autostart True, and the broker's host and port beside it; then mqtt start."
)


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """What is found, as it is. Its heartbeat is waited for half as long as it may be silent: it sends one in 10 s."""
    listen_seconds = settings.silent_seconds / 2
    if not settings.is_tls and not settings.is_local and settings.user is not None:
        yield Finding(
            ok=None,
            what=f"The password goes to {settings.host} unencrypted.",
            cure="Let the broker listen with TLS, and give mqtts://.",
        )
    try:
        async with broker.connected(settings) as client:
            yield Finding(ok=True, what=f"The broker at {settings.host}:{settings.port} takes the connection.")
            async for finding in _hear(client, settings, listen_seconds):
                yield finding
    except BrokerRefused as error:
        yield Finding(ok=False, what=f"The broker can't be used: {error}.", cure=_CURES.get(error.reason))
    except aiomqtt.MqttError as error:
        yield Finding(ok=False, what=f"The broker cut the connection: {error}.", cure="Look at the broker's log.")


async def _hear(client: aiomqtt.Client, settings: Settings, listen_seconds: float) -> AsyncIterator[Finding]:
    namespace = settings.prefix.rpartition("/")[0]
    rpc = Rpc(settings, Health(settings.bot, "hummingbot"))
    rpc.use(client)
    await broker.subscribe(client, [f"{settings.prefix}/{part}" for part in ("hb", "events", "log")])
    await broker.subscribe(client, [f"{rpc.replies}/+"])
    with contextlib.suppress(BrokerRefused):  # others' heartbeats only help to find a name that was misspelt
        await broker.subscribe(client, [f"{namespace}/+/hb"])
    beat, others = await _listen(client, settings, listen_seconds)
    if not beat:
        heard = f"; heard there: {', '.join(sorted(others))}" if others else "; no other instance is heard there either"
        yield Finding(
            ok=False,
            what=f"No heartbeat of {settings.prefix} within {listen_seconds:g} s{heard}.",
            cure="Give one of these as instance." if others else _BRIDGE,
        )
        return
    yield Finding(ok=True, what=f"Heartbeats of {settings.prefix} come.")
    reading = asyncio.create_task(_answer(client, rpc))
    try:
        yield await _ask(rpc)
    finally:
        reading.cancel()
        with contextlib.suppress(asyncio.CancelledError, aiomqtt.MqttError):
            await reading
    if settings.venue is None:
        yield Finding(
            ok=None,
            what="Orders don't say their connector: history does, and orders before it says are at `hummingbot`.",
            cure="Give venue, where it trades on one connector only.",
        )
    if settings.script is None and settings.conf is None:
        yield Finding(
            ok=None,
            what="Once stopped, Hummingbot knows no strategy any more: `set_mode active` can't start one.",
            cure="Give script and conf, as its start command takes them.",
        )


async def _listen(client: aiomqtt.Client, settings: Settings, seconds: float) -> tuple[bool, set[str]]:
    """Whether its heartbeat was heard, and who else's."""
    others: set[str] = set()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            async for message in client.messages:
                topic = str(message.topic)
                told = decode(message.payload)
                if message.retain or not topic.endswith("/hb") or told is None or moment(told.get("ts")) is None:
                    continue
                if topic == f"{settings.prefix}/hb":
                    return True, others
                if len(others) < MOST_NAMED:
                    others.add(name(topic.removesuffix("/hb").rpartition("/")[2]))
    return False, others


async def _answer(client: aiomqtt.Client, rpc: Rpc) -> None:
    async for message in client.messages:
        if str(message.topic).startswith(rpc.replies):
            rpc.answered(str(message.topic), message.payload)


async def _ask(rpc: Rpc) -> Finding:
    strategy = Strategy()
    try:
        reply = await rpc.ask("status", {"async_backend": False})
    except NoReply as error:
        return Finding(
            ok=None,
            what=f"It does not reply, so it can't be commanded, and no gap can be closed: {error}.",
            cure="In Hummingbot: config mqtt_bridge.mqtt_commands True; let both its user and ours use reply_topic.",
        )
    strategy.status(reply)
    if strategy.answers:
        return Finding(ok=True, what=f"It replies to commands; a strategy runs: {'yes' if strategy.runs else 'no'}.")
    return Finding(
        ok=None,
        what=f"It replies to commands, and can't say whether a strategy runs: {name(reply.message, 200)}.",
        cure="Keep mqtt_logger on: then its log shows when a strategy starts and stops.",
    )
