"""A bot that emits nonsense leaves `/metrics` valid, bounded and prompt, and its neighbour's figures exact."""

from __future__ import annotations

import contextlib
import random
import subprocess
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from deskwatch import OrderFilled, Recorder
from deskwatch.journal import names
from deskwatch.projections.metrics.label import MAX_LABEL_LENGTH
from tests import nonsense, running, servers
from tests.soak import count
from tests.waiting import MOST_PATIENCE, eventually, patience

SECONDS = count(20, 60)
MAX_SERIES = 150
"""Low, so that the flood meets the cap soon, and above what a bot has of event types and writers."""
PROMPT_SECONDS = 8.0
"""No budget (a benchmark measures that), but what a scrape must never take: Prometheus gives up at 10."""


@contextlib.contextmanager
def babbling(home: Path, seed: int) -> Iterator[None]:
    """A bot that emits absurd events, and appends lines that no recorder would write."""
    stop = threading.Event()

    def babble() -> None:
        dice = random.Random(seed)
        folder = names.writer_folder(home, "mad", "foreign")
        folder.mkdir(parents=True, mode=0o700)
        first = folder / names.segment_name(1)
        with Recorder.open("mad", home=home) as recorder, first.open("ab", buffering=0) as foreign:
            while not stop.wait(0.01):
                for _ in range(20):
                    recorder.emit(nonsense.event(dice))
                    foreign.write(nonsense.line(dice).replace(b"\n", b" ") + b"\n")

    bot = threading.Thread(target=babble, daemon=True)
    bot.start()
    try:
        yield
    finally:
        stop.set()
        bot.join()


def scrape(url: str, accept: str = "text/plain") -> str:
    """One scrape; it fails where it is not prompt."""
    began = time.monotonic()
    request = urllib.request.Request(f"{url}/metrics", headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=30) as answer:
        text: str = answer.read().decode()
    assert time.monotonic() - began < PROMPT_SECONDS * patience()
    return text


def check_bounds(family: Metric) -> None:
    """A family holds few label sets of the mad bot, and their values are short and clean."""
    sets = {tuple((name, value) for name, value in one.labels.items() if name != "le") for one in family.samples}
    assert sum(("bot", "mad") in labels for labels in sets) <= MAX_SERIES + 1, family.name
    for labels in sets:
        assert all(len(value) <= MAX_LABEL_LENGTH and value.isprintable() for _, value in labels), labels


def lines_counted(text: str) -> Counter[tuple[str, str]]:
    """(bot, writer) → lines that a scrape says were followed, as events or as invalid."""
    found: Counter[tuple[str, str]] = Counter()
    for family in parse_text(text):
        if family.name in ("deskwatch_events", "deskwatch_invalid_lines"):
            for one in family.samples:
                found[one.labels["bot"], one.labels["writer"]] += int(one.value)
    return found


def test_nonsense_leaves_the_metrics_valid_bounded_and_prompt(tmp_path: Path):
    home = tmp_path / "home"
    promtool = servers.require("promtool")
    fill: dict[str, Any] = {"venue": "v", "symbol": "S", "side": "buy", "quantity": 1, "price": 2, "final": True}
    filled = 0
    with running.sidecar(home, "--max-series", str(MAX_SERIES)) as desk:
        with Recorder.open("sane", home=home) as recorder, babbling(home, seed=7):
            began, is_full = time.monotonic(), False
            while (spent := time.monotonic() - began) < SECONDS or (not is_full and spent < SECONDS * MOST_PATIENCE):
                recorder.emit(OrderFilled(order_id=f"o-{filled}", **fill))
                filled += 1
                for family in parse_text(scrape(desk.url)):
                    check_bounds(family)
                    is_full |= family.name == "deskwatch_series_folded"
                list(parse_openmetrics(scrape(desk.url, "application/openmetrics-text")))
        held = Counter({key: len(lines) for key, lines in running.journal_lines(home).items()})
        with contextlib.suppress(AssertionError):  # the one below says what is missing
            eventually(lambda: lines_counted(scrape(desk.url)) == held, 60, every=1)
        assert lines_counted(scrape(desk.url)) == held, (home / "sidecar.out").read_text()[-3000:]
        text = scrape(desk.url)
    told = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert (told.returncode, told.stdout + told.stderr) == (0, "")
    families = {family.name: family.samples for family in parse_text(text)}
    assert [one.value for one in families["tradebot_orders_filled"] if one.labels["bot"] == "sane"] == [filled]
    assert families["deskwatch_refused_values"]
    assert families["deskwatch_series_folded"]
    assert {one.value for one in families["deskwatch_fold_failures"]} == {0}
