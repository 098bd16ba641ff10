"""Starts chain, sidecar and bot, shows what to do with them, and stops them all."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from deskwatch.config import Settings
from deskwatch.demo.part import Part
from deskwatch.errors import ConfigError, DeskwatchError
from deskwatch.journal.names import prepare_home

BOT = "arb-1"
START_SECONDS = 60.0
LOOK_SECONDS = 0.25
EXIT_USAGE = 2
"""Status of a part that was told something wrong: starting it again is no use."""
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Our own sidecar is on this machine: no proxy gets to see its token."""
RESTART_SECONDS = 1.0
"""Pause before a part that died is started again."""


class DemoFailed(DeskwatchError):
    """A part of the demo did not start or could not go on."""


def run(settings: Settings, *, seconds: float | None = None, seed: int = 1) -> int:
    """Run the demo until Ctrl-C, SIGTERM or the end of `seconds`; returns the exit status.

    Raises:
        DemoFailed: A part did not start, with its last words.
        ConfigError: The example is not there.
    """
    if settings.tls_cert is not None:
        raise ConfigError(
            "expected the demo without --tls-cert, as it asks its own sidecar by plain HTTP; leave it out"
        )
    prepare_home(settings.home)
    stopping = _Stop(seconds)
    demo = Demo(settings, seed)
    try:
        demo.start(stopping)
        demo.watch(stopping)
    except KeyboardInterrupt:
        pass
    finally:
        print("stopping …", flush=True)
        demo.stop()
    return 0


class _Stop:
    """Whether to stop: after a signal, or when the time is over."""

    def __init__(self, seconds: float | None) -> None:
        self._deadline = None if seconds is None else time.monotonic() + seconds
        self._signalled = False
        signal.signal(signal.SIGTERM, self._signal)
        signal.signal(signal.SIGINT, self._signal)

    def __bool__(self) -> bool:
        return self._signalled or (self._deadline is not None and time.monotonic() >= self._deadline)

    def _signal(self, *_: object) -> None:
        self._signalled = True


class Demo:
    """The demo's parts: the chain with the other traders, the sidecar, the bot."""

    def __init__(self, settings: Settings, seed: int) -> None:
        self._settings = settings
        self._ready = settings.home / "demo-chain.json"
        logs = settings.home / "logs"
        logs.mkdir(mode=0o700, exist_ok=True)
        path = _examples()
        self.chain = Part(
            "chain",
            ["arbitrage_bot.chain", "--port", "0", "--seed", str(seed), "--ready-file", str(self._ready)],
            logs,
            path,
        )
        self.sidecar = Part("sidecar", _sidecar_command(settings), logs, path)
        self.bot = Part(BOT, [], logs, path)
        self._logs, self._path = logs, path
        self._began = 0.0
        self._url = f"http://{'127.0.0.1' if settings.host == '0.0.0.0' else settings.host}:{settings.port}"  # noqa: S104

    def start(self, stopping: _Stop) -> None:
        """Start all parts, in the order in which they need each other.

        Raises:
            DemoFailed: One did not start.
        """
        self._began = time.monotonic()
        if self._get("/healthz") is not None:
            raise DemoFailed(f"expected {self._url} to be free, but a sidecar answers there; choose another --port")
        print("deskwatch demo: starting a local chain …", flush=True)
        self.sidecar.start()
        _await(self.sidecar, lambda: self._get("/healthz") is not None, stopping)  # the home and the port are ours
        self._ready.unlink(missing_ok=True)
        self.chain.start()
        _await(self.chain, self._ready.exists, stopping)
        if stopping:
            return
        deployment = json.loads(self._ready.read_text())
        module = ["arbitrage_bot", "--bot", BOT, "--rpc", deployment["url"], "--deployment", str(self._ready)]
        self.bot = Part(BOT, [*module, "--home", str(self._settings.home)], self._logs, self._path)
        self.bot.start()
        _await(self.sidecar, self._serves_our_bot, stopping)
        if not stopping:
            print(self._welcome(), flush=True)

    def watch(self, stopping: _Stop) -> None:
        """Tell of the first trade, and start again what dies, until it is time to stop.

        Raises:
            DemoFailed: The chain died: it is in memory only, so there is nothing to go on with.
        """
        told = False
        before = self._bot_state()
        while not stopping:
            time.sleep(LOOK_SECONDS)
            if not told and before is not None and (state := self._bot_state()) is not None:
                told = self._tell_first_trade(before, state)
            if self.chain.exit_code is not None:
                raise DemoFailed(f"the chain ended with {self.chain.exit_code}:\n{self.chain.last_words()}")
            for part in (self.sidecar, self.bot):
                if part.exit_code == EXIT_USAGE:
                    raise DemoFailed(f"{part.name} can't run:\n{part.last_words()}")
                if part.exit_code is not None:
                    print(f"{part.name} ended with {part.exit_code}; starting it again", flush=True)
                    time.sleep(RESTART_SECONDS)
                    part.start()

    def _tell_first_trade(self, before: dict[str, Any], state: dict[str, Any]) -> bool:
        """Say what the first trade since the start made, once there is one."""
        if state["counts"]["trades_closed"] == before["counts"]["trades_closed"]:
            return False
        made = {asset: pnl - before["realized_pnl"].get(asset, 0.0) for asset, pnl in state["realized_pnl"].items()}
        pnl = ", ".join(f"{value:+.2f} {asset}" for asset, value in made.items())
        print(f"first trade {time.monotonic() - self._began:.0f} s after the start: {pnl}", flush=True)
        return True

    def stop(self) -> None:
        """Stop all parts: the bot first, so that its last words are still served and shipped."""
        for part in (self.bot, self.sidecar, self.chain):
            part.stop()
        if self.chain.was_started:  # else the file may be another demo's, which is running on this home
            self._ready.unlink(missing_ok=True)

    def _serves_our_bot(self) -> bool:
        """Whether it is our sidecar that answers: one that knows the bot's process."""
        state = self._bot_state()
        return state is not None and state["pid"] == self.bot.pid

    def _bot_state(self) -> dict[str, Any] | None:
        snapshot = self._get(f"/bots/{BOT}/snapshot")
        return None if snapshot is None else snapshot["bot"]

    def _get(self, path: str) -> dict[str, Any] | None:
        request = urllib.request.Request(self._url + path)  # noqa: S310  our own sidecar
        with contextlib.suppress(OSError):
            request.add_header("Authorization", f"Bearer {(self._settings.home / 'token').read_text().strip()}")
        try:
            with _DIRECT.open(request, timeout=2) as response:
                answer: dict[str, Any] = json.load(response)
                return answer
        except (OSError, ValueError):
            return None

    def _welcome(self) -> str:
        home = _short(self._settings.home)
        token = f'-H "Authorization: Bearer $(cat {home}/token)"'
        json_type = "-H 'Content-Type: application/json'"
        state = self._bot_state()
        mode = state["mode"]["actual"] if state is not None else None
        left = (
            "" if mode in (None, "active") else f"\n  {BOT} is in {mode}, as it was left. Set it to active to trade.\n"
        )
        return f"""
  page       {self._url}/
  metrics    {self._url}/metrics
  activity   {self._url}/activity/recent?limit=5
  token      {home}/token   (the page asks for it when you press a button)
  logs       {_short(self._logs)}/
{left}
  Watch:     curl -s '{self._url}/activity/recent?limit=5'
  Standby:   curl -X PUT {token} {json_type} \\
                  -d '{{"mode":"standby","reason":"trying it out"}}' {self._url}/bots/{BOT}/mode
  Close all: curl -X POST {token} {json_type} \\
                  -d '{{"type":"close_all","reason":"trying it out"}}' {self._url}/bots/{BOT}/commands
  Terminal:  {_itself()} top --url {self._url} --home {home}

  Ctrl-C stops everything.
"""


def _sidecar_command(settings: Settings) -> list[str]:
    argv = ["deskwatch", "sidecar", "--with-parent", str(os.getpid()), "--home", str(settings.home)]
    argv += ["--host", settings.host, "--port", str(settings.port)]
    for host in settings.allowed_hosts:
        argv += ["--allowed-host", host]
    for origin in settings.allowed_origins:
        argv += ["--allowed-origin", origin]
    if settings.insecure_http:
        argv.append("--insecure-http")
    for flag, value in (
        ("--config", settings.config),
        ("--loki-url", settings.loki_url),
        ("--loki-tenant", settings.loki_tenant),
        ("--loki-user", settings.loki_user),
        ("--loki-password-file", settings.loki_password_file),
        ("--loki-token-file", settings.loki_token_file),
        ("--loki-ca-file", settings.loki_ca_file),
        ("--otlp-endpoint", settings.otlp_endpoint),
        ("--read-token-file", settings.read_token_file),
    ):
        if value is not None:
            argv += [flag, str(value)]
    return argv


def _examples() -> Path:
    """The folder that holds `arbitrage_bot`: beside this file in a wheel, `examples/` in a checkout."""
    here = Path(__file__).parent
    for folder in (here, here.parents[2] / "examples"):
        if (folder / "arbitrage_bot" / "__main__.py").exists():
            return folder
    raise ConfigError("expected the example arbitrage_bot beside the package or in the checkout's examples/")


def _await(part: Part, condition: Callable[[], bool], stopping: _Stop) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not stopping:
        if part.exit_code is not None:
            raise DemoFailed(f"{part.name} ended with {part.exit_code} instead of starting:\n{part.last_words()}")
        if condition():
            return
        if time.monotonic() > deadline:
            raise DemoFailed(f"{part.name} did not start within {START_SECONDS:.0f} s:\n{part.last_words()}")
        time.sleep(LOOK_SECONDS)


def _itself() -> str:
    """The command as it was typed, where it was: a person's shell may not find it by its name alone."""
    return sys.argv[0] if Path(sys.argv[0]).name == "deskwatch" else "deskwatch"


def _short(path: Path) -> str:
    with contextlib.suppress(ValueError):
        return str(path.relative_to(Path.cwd()))
    return str(path)
