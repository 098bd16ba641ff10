"""`deskwatch verify` on a running sidecar and Loki: it finds what was lost, mends it, and raises no false alarm."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from deskwatch import ErrorOccurred, OrderFilled, PriceObserved, Recorder
from deskwatch.journal.walk import Walk
from deskwatch.sinks.cursor import Cursor
from tests import running
from tests.fakes.loki_query import entries_of
from tests.functional.loki_servers import Fake, Loki, running_fake, running_real
from tests.soak import count
from tests.waiting import eventually

BOT = "arb-1"


@pytest.fixture(params=[running_fake, running_real], ids=["fake", "real"])
def loki(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Loki]:
    """A fake Loki, and a real one where there is one."""
    with request.param(tmp_path) as server:
        yield server


def write_some(recorder: Recorder, rounds: int) -> None:
    """Four events of three kinds a round."""
    for number in range(rounds):
        recorder.emit(PriceObserved(venue="amber", symbol="WETH/USDC", price=3000 + number / 7))
        recorder.emit(PriceObserved(venue="basalt", symbol="WETH/USDC", price=3000 - number / 7))
        recorder.emit(ErrorOccurred(component="test", kind="Odd", message=f'"{number}" \\ \u2028 \x1b ünï'))
        recorder.emit(
            OrderFilled(
                order_id=f"o-{number}", venue="amber", symbol="WETH/USDC", side="buy", quantity=1, price=2, final=True
            )
        )


def verify(home: Path, sidecar: running.Http, loki: Loki, *flags: str) -> tuple[int, Any]:
    """Status and the JSON document of `deskwatch verify`."""
    argv = [sys.executable, "-m", "deskwatch", "verify", "--home", str(home), "--url", sidecar.url]
    done = subprocess.run(
        [*argv, "--loki-url", loki.url, "--json", *flags], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def is_delivered(home: Path) -> bool:
    """Whether the sink's cursor has come to the journal's end."""
    cursor = Cursor(home, "loki")
    cursor.load()
    end = Walk(home, BOT, "main").stop
    return cursor.positions.get((BOT, "main")) == end


def lose(home: Path, loki: Loki, recorder: Recorder) -> list[int]:
    """Have lines that the sink says are delivered, and that Loki has not; their `seq`. The sidecar is stopped."""
    if isinstance(loki, Fake):
        lost = [100, 101, 2000]
        for stored in loki.server.streams.values():
            entries_of(stored)[:] = [one for one in entries_of(stored) if int(dict(one[2])["seq"]) not in lost]
        return lost
    before = len(list(Walk(home, BOT, "main")))
    write_some(recorder, 1)
    walk = Walk(home, BOT, "main")
    lost = [json.loads(line.text)["seq"] for line in list(walk)[before:]]
    file = home / "sinks" / "loki.json"
    state = json.loads(file.read_text())
    end = (walk.position.segment, walk.position.offset)
    state["positions"] = [[bot, writer, *(end if writer == "main" else at)] for bot, writer, *at in state["positions"]]
    file.write_bytes(msgspec.json.encode(state))
    return lost


def test_a_lost_line_is_found_and_mended(home: Path, loki: Loki):
    """All agree; lines are lost on purpose and exactly they are named; a repair brings them back, and all agree."""
    with Recorder.open(BOT, home=home) as recorder:
        with running.sidecar(home, "--loki-url", loki.url) as sidecar:
            write_some(recorder, 1000)
            eventually(lambda: is_delivered(home), 60, every=0.2)
            status, document = verify(home, sidecar, loki)
            assert (status, document["differences"]) == (0, [])
            rows = {(row["writer"], row["kind"]): row for row in document["rows"]}
            assert rows["main", "market"]["loki"] == rows["main", "market"]["metrics"] == 2000
        lost = lose(home, loki, recorder)
        recorder.close()
        with running.sidecar(home) as sidecar:  # without a Loki of its own: it is stopped, as far as Loki goes
            state = (home / "sinks" / "loki.json").read_bytes()
            status, document = verify(home, sidecar, loki)
            assert status == 1
            named = {
                seq
                for one in document["differences"]
                if one["what"] == "missing"
                for first, last in one["ranges"]
                for seq in range(first, last + 1)
            }
            assert named - set(_closing_seqs(home, lost)) == set(lost)
            status, document = verify(home, sidecar, loki, "--repair")
            assert (status, document["differences"]) == (0, [])
            assert document["repaired"]["shipped"] == len(named)
            assert verify(home, sidecar, loki)[0] == 0
            assert (home / "sinks" / "loki.json").read_bytes() == state


def _closing_seqs(home: Path, lost: list[int]) -> list[int]:
    """Lines that the recorder wrote by itself within what was lost (a heartbeat, say)."""
    return [
        json.loads(line.text)["seq"]
        for line in Walk(home, BOT, "main")
        if json.loads(line.text)["type"] in ("heartbeat_sent", "bot_stopped")
        and json.loads(line.text)["seq"] > min(lost)
    ]


def test_a_busy_bot_raises_no_false_alarm(home: Path):
    """While a bot writes and the sidecar ships, verify finds no difference, time after time."""
    done = threading.Event()
    with running_fake(home) as loki, Recorder.open(BOT, home=home) as recorder:

        def trade() -> None:
            while not done.wait(0.002):
                write_some(recorder, 1)

        bot = threading.Thread(target=trade)
        with running.sidecar(home, "--loki-url", loki.url) as sidecar:
            bot.start()
            try:
                for _ in range(count(20, 100)):
                    status, document = verify(home, sidecar, loki)
                    assert (status, document["differences"]) == (0, [])
            finally:
                done.set()
                bot.join()
            recorder.close()
            eventually(lambda: is_delivered(home), 30)
            status, document = verify(home, sidecar, loki)
            assert (status, document["differences"]) == (0, [])
            assert all(row["loki"] == row["metrics"] == row["journal"] for row in document["rows"])
