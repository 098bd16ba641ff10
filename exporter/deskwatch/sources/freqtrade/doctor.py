"""What `deskwatch doctor` finds out of a freqtrade. It only reads."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

from deskwatch.errors import ConfigError
from deskwatch.sources.freqtrade.client import Client
from deskwatch.sources.freqtrade.errors import Refused, Unauthorized, Unreachable
from deskwatch.sources.freqtrade.settings import Settings
from deskwatch.sources.freqtrade.stream import Cut, messages
from deskwatch.sources.freqtrade.trader import PAUSED, RUNNING, STOPPED
from deskwatch.sources.health import Health
from deskwatch.sources.source import Finding

TRIED = "2026.9"
"""The version that deskwatch is tested with."""
PAUSES_SINCE = (2025, 4)
"""From this version on there is a state `paused`; before, a pause could not be seen."""
CLOCK_SECONDS = 3
"""A clock that differs by more is worth a word."""
STILL_SECONDS = 120
"""A loop that has not ended a round for so long is worth a word."""
_CURES = {
    "refused": "Start freqtrade, enable api_server in its configuration, and compare listen_ip_address and "
    "listen_port; in Docker it has to listen at 0.0.0.0.",
    "dns": "Compare the host's name in url.",
    "tls": "Give the certificate's authority as ca_file, or compare the scheme of url: freqtrade itself speaks http.",
    "timeout": "See whether a firewall lies between; or raise timeout_seconds.",
    "redirect": "Give the address that it points to as url.",
    "garbage": "Something else than freqtrade answers: compare url.",
}


async def examine(settings: Settings) -> AsyncGenerator[Finding, None]:
    """Try the settings, change nothing, and say what is found."""
    told = _of_settings(settings)
    for finding in told:
        yield finding
    health = Health(settings.bot, "freqtrade")
    try:
        async with Client(settings, health) as client, contextlib.aclosing(_of_peer(client)) as findings:
            async for finding in findings:
                yield finding
    except Unauthorized as error:
        if not any(str(error) in one.what for one in told):  # what can't be read was never shown to it
            yield Finding(ok=False, what=f"It answers, but lets nobody in: {error}.", cure=_sign_in(settings))
    except Unreachable as error:
        yield Finding(ok=False, what=f"It can't be reached: {error}.", cure=_CURES.get(error.reason))
    except Refused as error:
        cure = "Compare url, and see freqtrade's log: its API is below /api/v1 there."
        yield Finding(ok=False, what=f"It does not say what it is: {error}.", cure=cure)


def _of_settings(settings: Settings) -> list[Finding]:
    found = []
    if not settings.is_tls and not settings.is_local:
        found.append(
            Finding(
                ok=None,
                what="The password goes over the network unencrypted: url begins with http and is another machine's.",
                cure="Put a proxy with TLS before freqtrade, or a tunnel, and give its https address as url.",
            )
        )
    if settings.requests_per_second > 2:
        found.append(
            Finding(
                ok=None, what=f"Up to {settings.requests_per_second:g} requests a second take time from its trading."
            )
        )
    for what, secret, file in (
        ("password", settings.password, settings.password_file),
        ("WebSocket's token", settings.ws_token, settings.ws_token_file),
    ):
        if not secret.is_given():
            continue
        try:
            secret.read()
        except ConfigError as error:
            found.append(Finding(ok=False, what=f"The {what} can't be read: {error}."))
        if file is not None and _is_open(file):
            found.append(
                Finding(
                    ok=None,
                    what=f"Others on this machine can read {file}.",
                    cure=f"Keep it to yourself: `chmod 600 {file}`.",
                )
            )
    return found


async def _of_peer(client: Client) -> AsyncGenerator[Finding, None]:
    seconds = await client.ping()
    yield Finding(ok=True, what=f"It answers at {client.settings.peer} within {seconds * 1000:.0f} ms.")
    config = await client.get("show_config")
    if not isinstance(config, dict):
        raise Unreachable("garbage", f"expected show_config as an object, was {type(config).__name__}")
    yield Finding(ok=True, what=f"The user {client.settings.user} is let in, and may do all that the API can do.")
    for finding in (_version(config), _what(config), _state(config)):
        yield finding
    if config.get("runmode") not in ("webserver", "util_exchange"):
        for look in (_loop, _history, _log):
            with contextlib.suppress(Refused):  # an older version may lack it; what needs it says so
                if (found := await look(client, config)) is not None:
                    yield found
    yield _clock(client)
    yield await _stream(client)
    yield Finding(
        ok=None,
        what="Not seen over its API: the exchange's own view of orders and balances between two of its rounds, its "
        "process (unless it runs here and its metrics come from elsewhere), and what was deleted from its database.",
    )


def _version(config: dict[str, Any]) -> Finding:
    version, api = _said(config, "version"), config.get("api_version")
    api = f"{api:.2f}" if isinstance(api, float) else "not said"  # 2.50 comes as 2.5
    if (known := _release(version)) is not None and known < PAUSES_SINCE:
        return Finding(
            ok=None,
            what=f"It is freqtrade {version} (API {api}), which can't be seen to pause: standby and closing will fail.",
            cure="Update it to 2025.4 or later.",
        )
    tried = "" if version == TRIED else f"; deskwatch is tested with {TRIED}"
    return Finding(ok=True if known is not None else None, what=f"It is freqtrade {version} (API {api}){tried}.")


def _what(config: dict[str, Any]) -> Finding:
    if config.get("runmode") == "webserver":
        return Finding(
            ok=False, what="It runs as a web server and trades nothing.", cure="Give the url of a `freqtrade trade`."
        )
    money = "a dry run, with simulated money" if config.get("dry_run") is True else "LIVE, with real money"
    return Finding(
        ok=True,
        what=f"It is {money}: {_said(config, 'strategy')} trades {_said(config, 'trading_mode')} at "
        f"{_said(config, 'exchange')} in {_said(config, 'stake_currency')}.",
    )


def _state(config: dict[str, Any]) -> Finding:
    state = config.get("state")
    words = {
        RUNNING: "It is running: the mode is active.",
        PAUSED: "It is paused, and opens nothing: the mode is standby.",
        STOPPED: "It is stopped, and looks after nothing that is open: the mode is halted.",
    }
    if state in words:
        return Finding(ok=None if state == STOPPED else True, what=words[state])
    return Finding(ok=None, what=f"Its state is {_said(config, 'state')!r}: it may be reading its configuration.")


async def _loop(client: Client, config: dict[str, Any]) -> Finding | None:
    health = await client.get("health")
    last = health.get("last_process_ts") if isinstance(health, dict) else None
    if config.get("state") == STOPPED or isinstance(last, bool) or not isinstance(last, int | float):
        return None
    seconds = time.time() + (client.ahead_seconds or 0.0) - last
    if seconds <= STILL_SECONDS:
        return Finding(ok=True, what=f"Its loop ended a round {max(seconds, 0):.0f} s ago.")
    return Finding(
        ok=None, what=f"Its loop has ended no round for {seconds:.0f} s.", cure="See its log: its exchange may be away."
    )


async def _history(client: Client, _: dict[str, Any]) -> Finding | None:
    trades = await client.get("trades", limit=1)
    total = trades.get("total_trades") if isinstance(trades, dict) else None
    if not isinstance(total, int):
        return None
    return Finding(ok=True, what=f"Its history holds {total} closed trades, which are read once, at first contact.")


async def _log(client: Client, _: dict[str, Any]) -> Finding | None:
    logs = await client.get("logs", limit=1)
    count = logs.get("log_count") if isinstance(logs, dict) else None
    if count:
        return Finding(ok=True, what="Its log can be read: warnings and errors become events.")
    return Finding(ok=None, what="Its log is empty: a reload can be told by its start time alone.")


def _clock(client: Client) -> Finding:
    ahead = client.ahead_seconds
    if ahead is None:
        return Finding(ok=None, what="Its clock can't be compared: it sends no date.")
    if abs(ahead) <= CLOCK_SECONDS:
        return Finding(ok=True, what="Its clock agrees with this machine's, to a few seconds.")
    return Finding(
        ok=None,
        what=f"Its clock is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} this machine's.",
        cure="Have both synchronized (NTP): times of its trades and of ours don't fit together.",
    )


async def _stream(client: Client) -> Finding:
    async with contextlib.aclosing(messages(client)) as stream:
        async for message in stream:
            if isinstance(message, Cut):
                return Finding(
                    ok=None,
                    what=f"Its WebSocket can't be had ({message.reason}): {message.detail}. All is seen, but some "
                    "seconds later.",
                    cure="Compare ws_token, and whether a proxy passes WebSockets on.",
                )
            break
    return Finding(ok=True, what="Its WebSocket is open to us: what happens is seen at once.")


def _sign_in(settings: Settings) -> str:
    if settings.password.is_given() and settings.password_file is None:
        return "A process sees the environment that it was started with: after a change start deskwatch again."
    return "Compare the user too; freqtrade reads both when it starts."


def _release(version: str) -> tuple[int, int] | None:
    """`2026.9` → (2026, 9); None for a development version, which says `2026.10-dev-…` or a commit."""
    year, _, month = version.partition(".")
    digits = month[:2] if month[:2].isdigit() else month[:1]
    return (int(year), int(digits)) if year.isdecimal() and digits.isdecimal() else None


def _said(config: dict[str, Any], name: str) -> str:
    value = config.get(name)
    return value[:100] if isinstance(value, str) and value else "(not said)"


def _is_open(file: Path) -> bool:
    try:
        return bool(os.stat(file).st_mode & 0o077)
    except OSError:
        return False  # that it can't be read is told already
