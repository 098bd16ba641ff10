"""Sidecars that find no usable checkpoint: the journal is read again, and every figure is what it was and more."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from deskwatch.events import BotStarted, Event, LogRecorded, Mode, OrderFilled, OrderSubmitted
from deskwatch.projections import FORMAT
from tests import running
from tests.lines import write


def lost(path: Path) -> None:
    path.unlink()


def empty(path: Path) -> None:
    path.write_bytes(b"")


def torn(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


def of_another_version(path: Path) -> None:
    file = json.loads(path.read_bytes())
    path.write_text(json.dumps({**file, "format": FORMAT - 1, "projections": {}}))


def as_it_was(path: Path) -> None:
    """The one that is good, for comparison."""
    json.loads(path.read_bytes())


def trading(count: int) -> list[Event]:
    """What a bot says that trades."""
    events: list[Event] = [BotStarted(pid=1, host="h", mode=Mode.ACTIVE)]
    for number in range(count):
        order = {"order_id": f"o-{number}", "venue": "amber", "symbol": "WETH/USDC", "side": "buy"}
        events.append(OrderSubmitted(**order, quantity=1.5))  # type: ignore[arg-type]  # texts, all of them
        events.append(OrderFilled(**order, quantity=1.5, price=3000.5, final=True, asset="USDC"))  # type: ignore[arg-type]
        events.append(LogRecorded(message="filled", levelname="INFO", name="bot"))
    return events


def figures(http: running.Http) -> set[str]:
    """All that is derived from journals; not the sidecar's samples of itself."""
    derived = ("deskwatch_events", "deskwatch_invalid", "deskwatch_journal", "tradebot_")
    return {line for line in http.metrics().splitlines() if line.startswith(derived)}


@pytest.mark.parametrize("broken", [lost, empty, torn, of_another_version, as_it_was])
def test_without_a_checkpoint_the_counters_go_on_as_with_one(broken: Callable[[Path], None], tmp_path: Path):
    home, fresh = tmp_path / "home", tmp_path / "fresh"
    for folder in (home, fresh):
        folder.mkdir()
    write(home, trading(100))
    write(home, trading(10), bot="arb-2", writer="feeder")
    with running.sidecar(home) as sidecar:
        before = figures(sidecar)
    assert 'deskwatch_events_total{bot="arb-1",type="order_filled",writer="main"} 100.0' in before
    broken(home / "checkpoint.json")
    write(home, trading(7))
    (home / "journal").rename(fresh / "journal")
    with running.sidecar(fresh) as sidecar:
        expected = figures(sidecar)
    (fresh / "journal").rename(home / "journal")
    with running.sidecar(home) as sidecar:
        after = figures(sidecar)
    assert after == expected
    assert 'deskwatch_events_total{bot="arb-1",type="order_filled",writer="main"} 107.0' in after
    assert 'deskwatch_journal_missing_events{bot="arb-1",writer="main"} 0.0' in after
    faults = [line for line in after if line.startswith(("deskwatch_journal_faults", "deskwatch_invalid"))]
    assert faults
    assert all(line.endswith(" 0.0") for line in faults)
