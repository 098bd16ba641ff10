"""The whole sidecar dies by SIGKILL again and again: while it starts, folds, saves, ships, or is scraped."""

from __future__ import annotations

import contextlib
import http.client
import multiprocessing
import os
import random
import signal
import threading
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deskwatch import OrderFilled, OrderSubmitted, PriceObserved, Recorder
from deskwatch.config import Settings
from deskwatch.journal import read
from tests import running
from tests.fakes import loki as fake_loki
from tests.fakes import metrics
from tests.soak import count
from tests.waiting import eventually

KILLS = count(30, 500)
PAUSE_SECONDS = 0.002
"""Between the bot's rounds of three events."""
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["deskwatch.sidecar.serve"])


def serve(settings: Settings) -> None:
    """A sidecar; its imports are there already, so that it starts at once."""
    from deskwatch.sidecar import serve as serving

    serving.run(settings)


class Scraper:
    """Asks for `/metrics` all the time, as Prometheus would, and notes each counter that falls.

    Attributes:
        falls: Series that fell, with both values.
        scrapes: Answers with figures.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._seen: dict[str, float] = {}
        self._stop = threading.Event()
        self.falls: list[tuple[str, float, float]] = []
        self.scrapes = 0

    @contextlib.contextmanager
    def at_work(self) -> Iterator[None]:
        thread = threading.Thread(target=self._run, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()

    def counters(self) -> dict[str, float]:
        """Counters of what happened, as they are now; empty while there is no answer."""
        try:
            with urllib.request.urlopen(f"{self._url}/metrics", timeout=5) as answer:
                text = answer.read().decode()
        except (OSError, http.client.HTTPException):
            return {}  # killed, before it answered or in the middle of its answer
        return counters_in(text)

    def _run(self) -> None:
        while not self._stop.wait(0.02):
            found = self.counters()
            self.scrapes += bool(found)
            for series, value in found.items():
                if value < self._seen.get(series, 0.0):
                    self.falls.append((series, self._seen[series], value))
                self._seen[series] = value


def counters_in(text: str) -> dict[str, float]:
    """Series → value of what an exposition counts of bots, lines and deliveries; failures are since a start only."""
    found = {}
    for line in text.splitlines():
        name = line.partition("{")[0].partition(" ")[0]
        if not name.startswith(("tradebot_", "deskwatch_events", "deskwatch_invalid", "deskwatch_sink_")):
            continue
        if name.endswith(("_total", "_bucket", "_count", "_sum")) and name != "deskwatch_sink_failures_total":
            series, _, value = line.rpartition(" ")
            found[series] = float(value)
    return found


def trade(recorder: Recorder, stop: threading.Event) -> None:
    """A bot that is never quiet."""
    number = 0
    while not stop.wait(PAUSE_SECONDS):
        number += 1
        order = f"o-{number}"
        place: dict[str, Any] = {"venue": "v", "symbol": "S"}
        recorder.emit(PriceObserved(price=number / 7, **place))
        recorder.emit(OrderSubmitted(order_id=order, side="buy", quantity=1, **place))
        recorder.emit(OrderFilled(order_id=order, side="buy", quantity=1, price=2, final=True, asset="USD", **place))


def test_no_kill_loses_a_line_or_takes_a_counter_back(tmp_path: Path):
    """After KILLS kills journal, counters and Loki are equal, and no scrape ever showed less than one before it.

    Each of the bot's counters, buckets and sums is what one fold over the whole journal makes.
    """
    dice = random.Random(11)
    port = running.free_port()
    scraper = Scraper(f"http://127.0.0.1:{port}")
    stop = threading.Event()
    with fake_loki.running() as loki, Recorder.open("arb-1", home=tmp_path) as recorder, scraper.at_work():
        settings = Settings(home=recorder.home, port=port, loki_url=loki.url, checkpoint_seconds=0.1)
        bot = threading.Thread(target=trade, args=(recorder, stop), daemon=True)
        bot.start()
        for _ in range(KILLS):
            _run_and_kill(settings, loki, dice)
        stop.set()
        bot.join()
        recorder.close()
        last = _start(settings)
        try:
            held = Counter(
                read(line, *key).type for key, lines in running.journal_lines(tmp_path).items() for line in lines
            )
            wanted = {_series(kind): float(number) for kind, number in held.items()}
            eventually(lambda: _events(scraper.counters()) == wanted, 30)
            eventually(lambda: len(loki.entries()) == held.total(), 30)
            folded = counters_in(metrics.of_journals(tmp_path, followed=False))
            eventually(lambda: folded.items() <= scraper.counters().items(), 30)
            eventually(lambda: scraper.counters()['deskwatch_sink_delivered_total{kind="loki"}'] == held.total(), 30)
        finally:
            os.kill(last, signal.SIGTERM)
    shipped = Counter(line.encode() for _, line in loki.entries())
    assert shipped == Counter(line for lines in running.journal_lines(tmp_path).values() for line in lines)
    assert scraper.scrapes > KILLS
    assert scraper.falls == []


def _start(settings: Settings) -> int:
    child = _context.Process(target=serve, args=(settings,), daemon=True)
    child.start()
    assert child.pid is not None
    return child.pid


def _run_and_kill(settings: Settings, loki: fake_loki.FakeLoki, dice: random.Random) -> None:
    """Start a sidecar; kill it right after Loki stored a push, before it can have written that down, or at any time."""
    child = _context.Process(target=serve, args=(settings,), daemon=True)
    stored, killed = threading.Event(), threading.Event()

    def hold() -> None:
        stored.set()
        killed.wait(5)

    if dice.random() < 0.3:
        loki.on_stored = hold
    child.start()
    stored.wait(5.0 if loki.on_stored is hold else dice.uniform(0.0, 1.5))
    child.kill()
    killed.set()
    loki.on_stored = lambda: None
    child.join()


def _series(kind: str) -> str:
    return f'deskwatch_events_total{{bot="arb-1",type="{kind}",writer="main"}}'


def _events(counters: dict[str, float]) -> dict[str, float]:
    return {series: value for series, value in counters.items() if series.startswith("deskwatch_events_total")}
