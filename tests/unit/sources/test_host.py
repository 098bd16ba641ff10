"""Sources beside a sidecar: whatever one does, the others and the sidecar go on, and nothing is lost."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import pairwise
from pathlib import Path

import pytest

from deskwatch.errors import ConfigError
from deskwatch.events import CommandSucceeded, LogRecorded, Mode, WatchStopped
from deskwatch.journal import Writer, WriterFollower, names
from deskwatch.projections import Projections
from deskwatch.recorder import Recorder
from deskwatch.sources import health, host
from deskwatch.sources.blocking import DaemonThreads
from deskwatch.sources.host import Sources
from deskwatch.sources.kinds import Assigned
from deskwatch.sources.memory import Memory
from deskwatch.sources.source import Finding, Source
from deskwatch.sources.watched import Watched
from tests.sources.watching import BOT, give, journaled
from tests.standstill import Standstill
from tests.waiting import eventually, eventually_async, patience

Watch = Callable[[Watched], Awaitable[None]]
STOP_SECONDS = 0.6
"""How long sources may take to end, in these tests."""


class Doing:
    """A source that does what the test says."""

    kind = "example"
    peer = "peer"

    def __init__(self, *watches: Watch) -> None:
        self.watches = list(watches)
        self.begun = 0

    def memory(self) -> Memory:
        return Memory()

    async def watch(self, watched: Watched) -> None:
        """The first time as the first, and so on; the last one again and again."""
        self.begun += 1
        await self.watches[min(self.begun, len(self.watches)) - 1](watched)

    async def examine(self) -> AsyncIterator[Finding]:
        yield Finding(ok=True, what="It is there.")


async def well(watched: Watched) -> None:
    watched.health.heard()
    await asyncio.Event().wait()


async def waits(_: Watched) -> None:
    await asyncio.Event().wait()


async def ends(_: Watched) -> None:
    pass


async def raises(_: Watched) -> None:
    raise ValueError("http://u:hunter2@peer is odd")


async def exits(_: Watched) -> None:
    raise SystemExit(3)


async def cancels_itself(_: Watched) -> None:
    raise asyncio.CancelledError


async def blocks(watched: Watched) -> None:
    watched.health.heard()
    time.sleep(2.0)  # noqa: ASYNC251  the fault


async def blocks_a_thread(watched: Watched) -> None:
    watched.health.heard()
    await asyncio.to_thread(threading.Event().wait, 30.0)


async def will_not_end(watched: Watched) -> None:
    watched.health.heard()
    deadline = time.monotonic() + 2.0
    while time.monotonic() < deadline:
        try:
            await asyncio.sleep(0.05)
        except asyncio.CancelledError:
            continue


async def returns_when_canceled(watched: Watched) -> None:
    with contextlib.suppress(asyncio.CancelledError):
        await well(watched)


async def needs_telling_twice(watched: Watched) -> None:
    watched.health.heard()
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        await asyncio.Event().wait()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(host, "STOP_SECONDS", STOP_SECONDS)
    monkeypatch.setattr(host, "TURN_SECONDS", 0.05)
    monkeypatch.setattr(host, "SWEEP_SECONDS", 0.2)


def sources(home: Path, *some: Source, bots: tuple[str, ...] = (BOT, "watched-2")) -> Sources:
    return Sources(home, [Assigned(one, bot, names.MAIN) for one, bot in zip(some, bots, strict=False)])


def reasons(home: Path) -> list[str]:
    return [event.reason for event in journaled(home) if isinstance(event, WatchStopped)]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (ends, "it ended by itself"),
        (raises, "ValueError: http://u:[redacted]@peer is odd"),
        (exits, "SystemExit: 3"),
        (cancels_itself, "it was canceled from within"),
    ],
)
async def test_a_source_that_fails_is_begun_again(fault: Watch, reason: str, home: Path) -> None:
    """Why is in the journal; the one beside it never notices."""
    failing, other = Doing(fault, fault, well), Doing(well)
    async with sources(home, failing, other) as running:
        await eventually_async(lambda: running.healths[0].is_up)
        assert [one.restarts for one in running.healths] == [2, 0]
        assert other.begun == 1
    assert reasons(home) == [reason, reason, "closed"]


async def test_what_a_failed_source_left_running_is_ended(home: Path) -> None:
    left: list[asyncio.Task[bool]] = []

    async def leaves(_: Watched) -> None:
        left.append(asyncio.create_task(asyncio.Event().wait()))
        await asyncio.sleep(0)
        raise ValueError("no")

    async with sources(home, Doing(leaves, well)) as running:
        await eventually_async(lambda: running.healths[0].is_up)
        assert left[0].cancelled()


async def test_a_command_that_a_failure_left_open_is_settled_by_what_the_journal_shows(home: Path) -> None:
    """One is in force, which shows; of the other nothing does, and so it is unknown, with words that say why."""

    async def begins(watched: Watched) -> None:
        reachable = asyncio.Event()
        reachable.set()
        watched.started("1", Mode.ACTIVE, host="h")
        for _ in range(2):
            command = await watched.next_command(reachable)
            if command.type == "set_mode":
                watched.show_mode(Mode.STANDBY, cause=command.id)
        raise ValueError("the peer said something odd")

    mode, order = give(home, "set_mode", {"mode": "standby"}), give(home, "rebalance")
    async with sources(home, Doing(begins, well)) as running:
        await eventually_async(lambda: running.healths[0].is_up)
    projections = folded(home)
    shown = projections.commands.get(mode), projections.commands.get(order)
    assert [one and one.status for one in shown] == ["succeeded", "unknown"]
    assert shown[1] is not None
    assert shown[1].error == (
        "deskwatch ceased to watch the bot before it saw what became of it; look at what the bot shows"
    )
    assert not [event for event in journaled(home) if isinstance(event, CommandSucceeded)]


def folded(home: Path) -> Projections:
    projections = Projections()
    for writer in (names.CONTROL, names.MAIN):
        follower = WriterFollower(home, BOT, writer)
        while (batch := follower.read()) is not None:
            projections.apply_batch(batch)
        follower.close()
    return projections


async def test_a_full_disk_is_waited_for_and_loses_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = [True]
    append = Writer.append

    def refuse(journal: Writer, body: bytes, *, durable: bool = False) -> int:
        if full and b'"log_recorded"' in body:
            raise OSError(errno.ENOSPC, "No space left on device")
        return append(journal, body, durable=durable)

    async def tells(watched: Watched) -> None:
        watched.emit(LogRecorded(message="m", levelname="INFO", name="n"))
        await well(watched)

    monkeypatch.setattr(Writer, "append", refuse)
    async with sources(home, Doing(tells)) as running:
        await eventually_async(lambda: running.healths[0].restarts >= 1)
        full.clear()
        await eventually_async(lambda: running.healths[0].is_up)
    assert [event.message for event in journaled(home) if isinstance(event, LogRecorded)] == ["m"]
    assert "No space left on device" in reasons(home)[0]


async def test_a_journal_that_another_writes_is_told_at_the_start_and_stops_all(home: Path) -> None:
    other = Doing(well)
    with Recorder.open(BOT, home=home), pytest.raises(ConfigError) as raised:
        async with sources(home, other, Doing(well), bots=("watched-2", BOT)):
            pass
    told = str(raised.value)
    assert told.startswith(f"expected to write the journal of {BOT}, which a source of kind example watches, but:")
    assert "holds its lock" in told
    assert told.endswith("where the bot writes its journal itself, give the source another writer")
    async with sources(home, other, bots=("watched-2",)):  # it was released
        pass


async def test_a_disk_that_refuses_the_journal_at_the_start_is_tried_again(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[Writer] = []
    opened = Writer.open

    def refuse_twice(journal: Writer) -> Writer:
        tried.append(journal)
        if len(tried) <= 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        return opened(journal)

    monkeypatch.setattr(Writer, "open", refuse_twice)
    async with sources(home, Doing(well)) as running:
        await eventually_async(lambda: running.healths[0].is_up)
        assert running.healths[0].restarts == 2


@pytest.mark.parametrize("fault", [blocks, blocks_a_thread, will_not_end, needs_telling_twice])
async def test_the_end_is_bounded_whatever_a_source_does(fault: Watch, home: Path) -> None:
    """And the loop of the sidecar turns meanwhile."""
    turns: list[float] = []

    async def turn() -> None:
        while True:
            turns.append(time.monotonic())
            await asyncio.sleep(0.01)

    with Standstill() as machine:
        async with sources(home, Doing(fault)) as running:
            await eventually_async(lambda: running.healths[0].up)
            turning = asyncio.create_task(turn())
            began = time.monotonic()
        turning.cancel()
        ended = time.monotonic()
    assert ended - began < (STOP_SECONDS + 0.5) * patience() + machine.longest
    gaps = [after - before for before, after in pairwise([began, *turns, ended])]
    assert max(gaps) < 0.2 * patience() + 2 * machine.longest
    eventually(lambda: not [one for one in threading.enumerate() if one.name == f"deskwatch-source-{BOT}"])


async def test_a_source_that_needs_telling_twice_ends_in_good_order(home: Path) -> None:
    async with sources(home, Doing(needs_telling_twice)) as running:
        await eventually_async(lambda: running.healths[0].is_up)
    assert reasons(home) == ["closed"]


async def test_a_source_that_returns_when_it_is_canceled_ends_in_good_order(home: Path) -> None:
    """It is told as such, no warning, and its memory is kept."""
    async with sources(home, Doing(returns_when_canceled)) as running:
        await eventually_async(lambda: running.healths[0].is_up)
    assert reasons(home) == ["closed"]
    assert (home / "sources" / f"{BOT}@main.json").exists()


async def test_whether_the_peer_answers_is_said_once_each_time(
    home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """On stderr, with what went wrong."""
    monkeypatch.setattr(host, "SILENT_SECONDS", 0.2)
    caplog.set_level("INFO", logger=host.__name__)

    def said() -> list[str]:
        return [one.message for one in caplog.records if one.message.startswith("what is watched")]

    async with sources(home, Doing(waits)) as running:
        (one,) = running.healths
        one.failed("unauthorized")
        await eventually_async(lambda: len(said()) == 1)
        one.heard()
        await eventually_async(lambda: len(said()) == 2)
        one.lost()
        await eventually_async(lambda: len(said()) == 3)
    away, back = "what is watched does not answer; deskwatch doctor says why", "what is watched answers"
    assert said() == [away, back, away]
    (first, *_) = (one for one in caplog.records if one.message == away)
    assert first.__dict__["failures"] == {"unauthorized": 1}


async def test_a_source_that_hangs_is_not_up(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it said last of its peer is old."""
    monkeypatch.setattr(health, "HUNG_SECONDS", 0.5)
    async with sources(home, Doing(blocks, well)) as running:
        (one,) = running.healths
        await eventually_async(lambda: one.up)
        await eventually_async(lambda: not one.is_up)
        assert one.up
        await eventually_async(lambda: one.restarts == 1)


async def test_its_memory_is_written_down_now_and_then(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a process that is killed has little to read again."""
    monkeypatch.setattr(host, "SAVE_SECONDS", 0.05)
    async with sources(home, Doing(well)):
        await eventually_async((home / "sources" / f"{BOT}@main.json").exists)


def test_calls_that_block_run_beside_each_other_and_hold_up_nothing() -> None:
    """Results and errors come back; a shutdown waits for none."""
    threads = DaemonThreads()
    hung = threads.submit(threading.Event().wait, 30.0)
    assert threads.submit(max, 1, 2).result(5) == 2
    with pytest.raises(ZeroDivisionError):
        threads.submit(divmod, 1, 0).result(5)
    began = time.monotonic()
    threads.shutdown()
    assert time.monotonic() - began < 5
    assert not hung.done()
