"""What a bot journals is in Loki: each line once, within a second, whatever Loki did in between."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from deskwatch import ErrorOccurred, OrderFilled, PriceObserved, Recorder
from tests import running
from tests.functional.loki_servers import Fake, Loki, running_fake, running_real
from tests.shipping import owed, quarantined, write_at, writer
from tests.waiting import eventually

SECOND = 1.0


@pytest.fixture(params=[running_fake, running_real], ids=["fake", "real"])
def loki(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Loki]:
    """A fake Loki, and a real one where there is one."""
    with request.param(tmp_path) as server:
        yield server


def journaled(home: Path, bot: str) -> Counter[str]:
    """Each line of a bot's journal, and how often it is there."""
    lines = running.journal_lines(home)
    return Counter(line.decode() for (owner, _), many in lines.items() if owner == bot for line in many)


def write_some(recorder: Recorder, count: int) -> None:
    for number in range(count):
        recorder.emit(PriceObserved(venue="amber", symbol="WETH/USDC", price=3000 + number / 7))
        if number % 10 == 0:
            recorder.emit(ErrorOccurred(component="test", kind="Odd", message=f'"{number}" \\ \u2028 ünï'))
        if number % 3 == 0:
            recorder.emit(
                OrderFilled(
                    order_id=f"o-{number}",
                    venue="amber",
                    symbol="WETH/USDC",
                    side="buy",
                    quantity=1,
                    price=2,
                    final=True,
                )
            )


def test_every_line_arrives_once(home: Path, loki: Loki):
    """All that was journaled, before and while the sidecar runs and across its restart, is in Loki exactly once."""
    with Recorder.open("arb-1", home=home) as recorder:
        write_some(recorder, 3000)
        for _ in range(2):
            with running.sidecar(home, "--loki-url", loki.url):
                write_some(recorder, 500)
                eventually(lambda: len(loki.lines("arb-1")) >= sum(journaled(home, "arb-1").values()), 40, every=0.2)
        write_some(recorder, 100)
    with running.sidecar(home, "--loki-url", loki.url):
        expected = journaled(home, "arb-1")
        eventually(lambda: len(loki.lines("arb-1")) >= sum(expected.values()), 40, every=0.2)
        assert Counter(loki.lines("arb-1")) == expected


def test_an_event_is_in_loki_within_a_second(home: Path, loki: Loki):
    """From emit to a query that finds it, a second is enough in the usual case (median of ten)."""
    with Recorder.open("arb-1", home=home) as recorder, running.sidecar(home, "--loki-url", loki.url):
        took = []
        for number in range(10):
            began = time.monotonic()
            recorder.emit(ErrorOccurred(component="test", kind="Timed", message=f"number {number}."))
            eventually(partial(_has, loki, f"number {number}."), 20)
            took.append(time.monotonic() - began)
    assert sorted(took)[5] <= SECOND


def _has(loki: Loki, text: str) -> bool:
    return any(text in line for line in loki.lines("arb-1"))


def test_loki_going_away_loses_nothing(home: Path):
    """Whatever Loki answers for a while, refuses, hangs up or stores without saying so, each line ends there once."""
    with running_fake(home) as loki, Recorder.open("arb-1", home=home) as recorder:
        assert isinstance(loki, Fake)
        loki.server.answers.extend([500, 429, 0, -1, 260, 404])
        with running.sidecar(home, "--loki-url", loki.url) as sidecar:
            write_some(recorder, 200)
            eventually(lambda: not loki.server.answers, 60)
            recorder.close()
            expected = journaled(home, "arb-1")
            eventually(lambda: len(loki.lines("arb-1")) >= sum(expected.values()), 60)
            assert Counter(loki.lines("arb-1")) == expected
            assert loki.server.repeats > 0  # what was stored without a word was sent again, and dropped as a repeat
            eventually(
                lambda: f'deskwatch_sink_delivered_total{{kind="loki"}} {sum(expected.values())}.0' in sidecar.metrics()
            )
            assert 'deskwatch_sink_quarantined_total{kind="loki"} 0.0' in sidecar.metrics()


def test_poison_lines_are_quarantined_alone(home: Path):
    """A line that Loki refuses is put aside with the reason; its neighbours arrive."""
    with running_fake(home) as loki, Recorder.open("arb-1", home=home) as recorder:
        assert isinstance(loki, Fake)
        loki.server.max_line_bytes = 5000
        write_some(recorder, 50)
        recorder.emit(ErrorOccurred(component="test", kind="Long", message="x" * 6000))
        recorder.close()
        segment = next((home / "journal" / "arb-1" / "main").glob("*.ndjson"))
        with segment.open("ab") as journal:
            journal.write(b"not an event at all\n")
        with running.sidecar(home, "--loki-url", loki.url) as sidecar:
            eventually(lambda: len(quarantined(home)) == 2, 30)
            expected = Counter({line: 1 for bot, line in owed(home) if bot == "arb-1"})
            eventually(lambda: len(loki.lines("arb-1")) >= sum(expected.values()), 30)
            assert Counter(loki.lines("arb-1")) == expected
            assert {row["reason"].partition(" size")[0] for row in quarantined(home)} == {"json", "400 max entry"}
            eventually(lambda: 'deskwatch_sink_quarantined_total{kind="loki"} 2.0' in sidecar.metrics())
            assert 'deskwatch_invalid_lines_total{bot="arb-1",reason="json",writer="main"} 1.0' in sidecar.metrics()


def test_lines_that_are_too_old_for_loki_are_in_its_late_lane(home: Path, loki: Loki):
    """A backlog of eight days is all there: what is past Loki's window is stored now, and carries its own time."""
    with writer(home) as one:
        write_at(one, [time.time() - 192 * 3600 + n for n in range(300)])
        write_at(one, [time.time() - 1800 + n for n in range(300)])
    with running.sidecar(home, "--loki-url", loki.url) as sidecar:
        eventually(lambda: len(loki.lines("arb-1")) >= 600, 40, every=0.2)
        assert Counter(loki.lines("arb-1")) == journaled(home, "arb-1")
        eventually(lambda: 'deskwatch_sink_late_total{kind="loki"} 300.0' in sidecar.metrics())
        assert not quarantined(home)


def test_a_loki_that_asks_who_is_there_is_told(home: Path, tmp_path: Path):
    """User and password by flag; the secret stands neither in the logs nor in the process's arguments."""
    password = tmp_path / "password"
    password.write_text("right\n")
    with running_fake(home) as loki, Recorder.open("arb-1", home=home) as recorder:
        assert isinstance(loki, Fake)
        loki.server.authorization = "Basic ZGVzazpyaWdodA=="
        recorder.emit(PriceObserved(venue="amber", symbol="WETH/USDC", price=3000))
        flags = ("--loki-user", "desk", "--loki-password-file", str(password))
        with running.sidecar(home, "--loki-url", loki.url, *flags):
            eventually(lambda: len(loki.lines("arb-1")) >= 2, 20)
        assert "right" not in (home / "sidecar.out").read_text()
