"""The sidecar dies by SIGKILL while a bot trades: nothing is lost, nothing counts twice, no counter falls."""

from __future__ import annotations

import os
import signal
from collections import Counter
from functools import partial
from itertools import pairwise
from pathlib import Path

from deskwatch.journal import read
from tests import running
from tests.fakes import loki as fake_loki
from tests.waiting import eventually

KILLS = 30 if os.environ.get("DESKWATCH_SOAK") else 3
COUNTERS = '{__name__=~"tradebot_.*_total|deskwatch_(events|invalid_lines|sink_delivered)_total"}'


def test_killed_sidecar_loses_nothing(tmp_path: Path):
    """After kills in mid-run, Prometheus saw no counter fall, and metrics and Loki equal the journal."""
    with (
        fake_loki.running() as loki,
        running.demo(tmp_path, "--loki-url", loki.url, seed=5) as demo,
        running.prometheus(tmp_path, demo.port) as prometheus,
    ):
        eventually(lambda: demo.bot()["counts"]["orders_submitted"], 90)
        for _ in range(KILLS):
            before = demo.bot()["counts"]["events"]
            killed = demo.sidecar_pid()
            os.kill(killed, signal.SIGKILL)
            eventually(partial(_is_restarted, demo, killed), 20)
            eventually(lambda: demo.try_get("/readyz"), 20)
            eventually(partial(_has_counted, demo, before + 50), 60)
            eventually(lambda: prometheus.value("up") == 1, 20)
        demo.set_mode("halted")
        series = prometheus.query(f"{COUNTERS}[60m]")
        assert len(series) > 20
        assert [one["metric"] for one in series if _falls(one["values"])] == []
        _stop_bot(demo)
        lines = running.journal_lines(demo.home)
        total = sum(map(len, lines.values()))
        eventually(lambda: _followed(demo) == total, 20)
        counted = _events_by_type(demo.metrics())
        held = Counter(
            (bot, writer, read(line, bot, writer).type) for (bot, writer), many in lines.items() for line in many
        )
        assert counted == held
        eventually(lambda: len(loki.entries()) == total, 30)
        shipped = Counter(line for _, line in loki.entries())
        assert shipped == Counter(line.decode() for many in lines.values() for line in many)


def _is_restarted(demo: running.Demo, killed: int) -> bool:
    return _pid(demo) not in (None, killed)


def _has_counted(demo: running.Demo, events: int) -> bool:
    return bool(demo.bot()["counts"]["events"] >= events)


def _pid(demo: running.Demo) -> int | None:
    try:
        return demo.sidecar_pid()
    except Exception:  # no such process yet
        return None


def _falls(samples: list[tuple[float, str]]) -> bool:
    values = [float(value) for _, value in samples]
    return any(after < before for before, after in pairwise(values))


def _stop_bot(demo: running.Demo) -> None:
    """Freeze the bot, so that its journal stands still while it is compared."""
    os.kill(demo.bot()["pid"], signal.SIGSTOP)


def _followed(demo: running.Demo) -> float:
    return sum(_events_by_type(demo.metrics()).values())


def _events_by_type(metrics: str) -> Counter[tuple[str, str, str]]:
    found: Counter[tuple[str, str, str]] = Counter()
    for line in metrics.splitlines():
        if line.startswith("deskwatch_events_total{"):
            labels, _, value = line.partition("{")[2].partition("} ")
            pairs = dict(pair.split("=") for pair in labels.split(","))
            key = tuple(pairs[name].strip('"') for name in ("bot", "writer", "type"))
            found[key[0], key[1], key[2]] = int(float(value))
    return found
