"""From a mode's HTTP request to the state that shows it, in milliseconds, for a bot that asks for commands.

It is looked for where people and machines look: in `/snapshot`, in the WebSocket stream, in `/metrics`.
"""

from __future__ import annotations

import json
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from benchmarks.report import percentile, report
from deskwatch import Mode, Recorder
from tests import running

SWITCHES = 500
BUDGET_MS = 100


def main() -> None:
    """Measure."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        done = threading.Event()
        with Recorder.open("bench", home=home, mode=Mode.ACTIVE) as recorder, running.sidecar(home) as sidecar:

            def trade() -> None:
                while not done.is_set():
                    recorder.next_command(timeout_seconds=0.5)

            bot = threading.Thread(target=trade)
            bot.start()
            try:
                _measure_all(sidecar)
            finally:
                done.set()
                bot.join()


def _measure_all(sidecar: running.Http) -> None:
    _measure("/snapshot", sidecar, lambda mode: _poll(lambda: sidecar.bot("bench")["mode"]["actual"] == mode))
    url = f"ws{sidecar.url.removeprefix('http')}/stream"
    token = {"Authorization": f"Bearer {sidecar.token}"}
    with connect(url, additional_headers=token, max_size=None) as stream:  # opened here: who does not read is let go
        _measure("stream", sidecar, lambda mode: _read(stream, mode))
    _measure(
        "/metrics",
        sidecar,
        lambda mode: _poll(lambda: f'tradebot_mode{{bot="bench",mode="{mode}"}} 1' in sidecar.metrics()),
    )


def _measure(name: str, sidecar: running.Http, see: Callable[[str], None]) -> None:
    times, plain = [], []
    for number in range(SWITCHES):
        mode = ("standby", "active")[number % 2]
        began = time.perf_counter()
        sidecar.request("PUT", "/bots/bench/mode", {"mode": mode}, token=sidecar.token)
        see(mode)
        times.append((time.perf_counter() - began) * 1000)
        began = time.perf_counter()
        sidecar.get("/healthz")
        plain.append((time.perf_counter() - began) * 1000)
    report(
        f"mode change to {name} p99, ms",
        ours=percentile(times, 0.99),
        baseline=percentile(plain, 0.99),
        budget=BUDGET_MS,
        more={"p50": percentile(times, 0.5), "max": max(times)},
    )


def _poll(is_seen: Callable[[], bool]) -> None:
    while not is_seen():
        pass


def _read(stream: ClientConnection, mode: str) -> None:
    """Read on until a state, or an event, says that the mode is in force."""
    while True:
        message: dict[str, Any] = json.loads(stream.recv(timeout=10))
        states = [bot for bot in message.get("bots", []) if bot["bot"] == "bench"]
        if any(bot["mode"]["actual"] == mode and bot["mode"]["desired"] == mode for bot in states):
            return


if __name__ == "__main__":
    main()
