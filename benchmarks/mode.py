"""From a mode's HTTP request to the state that shows it, in milliseconds, for a bot that asks for commands."""

from __future__ import annotations

import tempfile
import threading
import time
from pathlib import Path

from benchmarks.report import percentile, report
from deskwatch import Mode, Recorder
from tests import running

SWITCHES = 200


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
            times, plain = [], []
            for number in range(SWITCHES):
                mode = ("standby", "active")[number % 2]
                began = time.perf_counter()
                sidecar.request("PUT", "/bots/bench/mode", {"mode": mode}, token=sidecar.token)
                while sidecar.bot("bench")["mode"]["actual"] != mode:
                    pass
                times.append((time.perf_counter() - began) * 1000)
                began = time.perf_counter()
                sidecar.get("/healthz")
                plain.append((time.perf_counter() - began) * 1000)
            done.set()
            bot.join()
    name = "mode change to visible state p99, ms"
    report(
        name,
        ours=percentile(times, 0.99),
        baseline=percentile(plain, 0.99),
        budget=100,
        more={"p50": percentile(times, 0.5)},
    )


if __name__ == "__main__":
    main()
