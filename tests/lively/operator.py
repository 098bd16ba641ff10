"""Who commands the bots: gives every kind of command with every end, errs with tokens, and reads along."""

from __future__ import annotations

import contextlib
import itertools
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from typing import Any

from tests.running import ROOT, Http

PAUSE_SECONDS = 0.5
REVOKED_AFTER = 6
"""Commands until a token is revoked: the sidecar looks at tokens once a second."""
MODES = ("standby", "active", "closing", "active", "halted", "active")
"""One after the other; bots that are halted are led out of it by the same person."""
COMMANDS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("sage-1", "set_watchlist", {"symbols": ["SOL/USDC"]}),
    ("carry-1", "close_position", {"symbol": "WETH/USDC"}),
    ("carry-1", "set_watchlist", {"symbols": ["WETH/USDC", "WBTC/USDC"]}),
    ("carry-1", "reload_config", {}),
    ("carry-1", "close_all", {}),
    ("arb-1", "ping", {}),
    ("arb-1", "reload_config", {}),
    ("sage-1", "rebalance", {"share": 0.5}),
    ("sage-1", "rebalance", {"share": 2}),
    ("sage-1", "close_position", {"position_id": "gone"}),
)
"""Bot, type, parameters: the first is never confirmed, two fail."""


@contextlib.contextmanager
def operating(http: Http) -> Iterator[None]:
    """Someone commands the bots meanwhile."""
    stopped = threading.Event()
    thread = threading.Thread(target=_operate, args=(http, stopped))
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join(30)


def _operate(http: Http, stopped: threading.Event) -> None:
    for arguments in (("add", "night-shift", "--scope", "operate"), ("add", "guest", "--scope", "read")):
        _token(http, *arguments)
    with _listening(http):
        for number in itertools.count():
            bot, kind, params = COMMANDS[number % len(COMMANDS)]
            with contextlib.suppress(OSError):  # the sidecar may be about to end
                http.request("POST", f"/bots/{bot}/commands", {"type": kind, "params": params}, token=http.token)
                if number == REVOKED_AFTER:
                    _token(http, "revoke", "guest")
                if number % 4 == 2:
                    _err(http, number)
                if number % 12 == 6:
                    mode = {"mode": MODES[number // 12 % len(MODES)], "reason": "to look at it"}
                    for one in ("sage-1", "carry-1"):
                        http.request("PUT", f"/bots/{one}/mode", mode, token=http.token)
            if stopped.wait(PAUSE_SECONDS):
                return


def _err(http: Http, number: int) -> None:
    """What nobody should do: a wrong token, none, a path that is not there; and a command to a bot that is gone."""
    late = {"type": "ping", "params": {}, "expires_seconds": 1}
    http.request("POST", "/bots/old-1/commands", late, token=http.token)
    http.request("GET", "/bots/absent/snapshot", token=http.token)
    http.request("POST", "/bots/arb-1/commands", {}, token="wrong" if number % 8 == 2 else None)


def _token(http: Http, *arguments: str) -> None:
    command = [sys.executable, "-m", "deskwatch", "token", *arguments, "--home", str(http.home)]
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT)


@contextlib.contextmanager
def _listening(http: Http) -> Iterator[None]:
    """A reader of the stream."""
    gone = threading.Event()

    def read() -> None:
        request = urllib.request.Request(f"{http.url}/stream", headers={"Authorization": f"Bearer {http.token}"})
        with contextlib.suppress(OSError), urllib.request.urlopen(request, timeout=5) as answer:
            while not gone.is_set() and answer.read1(65536):
                pass

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield
    finally:
        gone.set()
        thread.join(10)
