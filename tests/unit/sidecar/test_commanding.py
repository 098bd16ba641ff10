"""Taking commands."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import math
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deskwatch.encoding import encode
from deskwatch.events import (
    BotStarted,
    CommandAccepted,
    CommandExpired,
    CommandStarted,
    CommandSucceeded,
    Mode,
    ProcessActed,
)
from deskwatch.journal import names
from deskwatch.journal.chained import ChainedWriter
from deskwatch.projections.life import CommandState
from deskwatch.sidecar import commanding as commanding_module
from deskwatch.sidecar.commanding import Commanding, KeyReused
from deskwatch.sidecar.feed import Feed
from deskwatch.sidecar.on_disk import OnDisk
from tests.lines import START_NS, events_in, lines_in, segment_files, write
from tests.waiting import eventually_async

STARTED = BotStarted(pid=1, host="h", mode=Mode.STANDBY)


@contextlib.asynccontextmanager
async def commanding(home: Path) -> AsyncIterator[Commanding]:
    async with Feed(home, 3600) as feed, Commanding(home, feed) as one:
        await asyncio.wait_for(feed.caught_up.wait(), 30)
        yield one


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commanding_module, "LOOK_SECONDS", 0.05)


async def looked_twice(one: Commanding) -> None:
    """The second look from now on is over: the first may have been under way."""
    commands, looks = one._feed.projections.commands, 0
    overdue = commands.overdue

    def look(now: float) -> list[CommandState]:
        nonlocal looks
        looks += 1
        return overdue(now)

    commands.overdue = look  # type: ignore[method-assign]  # counted, and answered as ever
    await eventually_async(lambda: looks > 2)


async def test_an_accepted_command_is_on_disk_and_visible(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    real = os.fdatasync

    def fdatasync(fd: int) -> None:
        real(fd)
        synced.append(os.fstat(fd).st_size)

    monkeypatch.setattr(os, "fdatasync", fdatasync)
    async with commanding(home) as one:
        before = time.time_ns()
        command = await one.accept("arb-1", "ping", {}, actor="operator", reason="why", key=None)
        (event,) = events_in(home, writer="control")
        assert synced[-1] == sum(len(line) + 1 for line in lines_in(home, writer="control"))
    assert isinstance(event, CommandAccepted)
    assert (event.command_id, event.command, event.actor, event.reason) == (command.id, "ping", "operator", "why")
    assert before <= event.expires_ts - 30 * 10**9 <= time.time_ns()
    assert (command.status, command.bot) == ("accepted", "arb-1")
    assert command.accepted_at is not None


async def test_the_same_key_and_command_give_the_same_resource(home: Path) -> None:
    async with commanding(home) as one:
        tries = [one.accept("arb-1", "close_all", {"n": 1}, actor="operator", reason=None, key="k") for _ in range(5)]
        commands = await asyncio.gather(*tries)
        assert len({command.id for command in commands}) == 1
        assert len(lines_in(home, writer="control")) == 1
        for kind, params in (("close_all", {"n": 2}), ("ping", {"n": 1})):
            with pytest.raises(KeyReused):
                await one.accept("arb-1", kind, params, actor="operator", reason=None, key="k")
        other = await one.accept("arb-2", "close_all", {"n": 1}, actor="operator", reason=None, key="k")
        assert other.id != commands[0].id


async def test_a_key_is_remembered_over_a_restart(home: Path) -> None:
    async with commanding(home) as one:
        first = await one.accept("arb-1", "ping", {}, actor="operator", reason=None, key="k")
    async with commanding(home) as again:
        assert (await again.accept("arb-1", "ping", {}, actor="operator", reason=None, key="k")).id == first.id


async def test_events_of_one_bot_at_the_same_time_share_one_writer(home: Path) -> None:
    async with commanding(home) as one:
        await asyncio.gather(*(one.journal("arb-1", ProcessActed(action="start", actor=str(n))) for n in range(20)))
    assert len(lines_in(home, writer="control")) == 20


async def test_a_command_that_nobody_starts_expires_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commanding_module, "EXPIRY_SECONDS", 0.05)
    monkeypatch.setattr(commanding_module, "GRACE_SECONDS", 0.05)
    async with commanding(home) as one:
        command = await one.accept("arb-1", "close_all", {}, actor="operator", reason=None, key=None)
        await eventually_async(lambda: command.status == "expired")
        await looked_twice(one)  # and found nothing more to say
    assert [type(event) for event in events_in(home, writer="control")] == [CommandAccepted, CommandExpired]


async def test_a_command_that_was_started_does_not_expire(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commanding_module, "EXPIRY_SECONDS", 0.0)
    async with commanding(home) as one:
        monkeypatch.setattr(commanding_module, "GRACE_SECONDS", 3600.0)  # until it was seen to be started
        command = await one.accept("arb-1", "close_all", {}, actor="operator", reason=None, key=None)
        write(home, [CommandStarted(command_id=command.id, command="close_all")])
        await eventually_async(lambda: command.status == "running")
        monkeypatch.setattr(commanding_module, "GRACE_SECONDS", 0.0)
        await looked_twice(one)
        assert command.status == "running"


async def test_an_expiry_that_cant_be_journaled_is_tried_again(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commanding_module, "EXPIRY_SECONDS", 0.0)
    monkeypatch.setattr(commanding_module, "GRACE_SECONDS", 0.0)
    real = Commanding.journal
    refused: list[object] = []

    async def full(self: Commanding, bot: str, event: object) -> None:
        if isinstance(event, CommandExpired) and not refused:
            refused.append(event)
            raise OSError(28, "No space left on device")
        await real(self, bot, event)  # type: ignore[arg-type]  # an event

    monkeypatch.setattr(Commanding, "journal", full)
    async with commanding(home) as one:
        command = await one.accept("arb-1", "close_all", {}, actor="operator", reason=None, key=None)
        await eventually_async(lambda: command.status == "expired")
    assert len(refused) == 1


async def test_old_commands_do_not_expire_before_the_bots_journal_was_read(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    accepted = CommandAccepted(command_id="c", command="ping", params={}, actor="a", expires_ts=START_NS)
    write(home, [accepted], writer=names.CONTROL)
    write(
        home,
        [STARTED, CommandStarted(command_id="c", command="ping"), CommandSucceeded(command_id="c", command="ping")],
    )
    said: list[object] = []
    looked = asyncio.Event()

    async def nap(_: float) -> None:
        looked.set()
        await real_sleep(0.01)

    real_sleep = asyncio.sleep
    async with Feed(home, 3600) as feed:
        for task in feed._tasks:
            task.cancel()  # the feed is slow: it has read the control journal only
        (batch,) = (one for one in feed._follower.read() if one.writer == names.CONTROL)
        feed.projections.apply_batch(batch)
        async with Commanding(home, feed) as one:
            monkeypatch.setattr(asyncio, "sleep", nap)
            monkeypatch.setattr(one, "journal", said.append)
            await real_sleep(0.05)
            assert feed.projections.commands.overdue(time.time())
            assert said == []
            assert not looked.is_set()


async def test_a_command_that_stays_invisible_is_answered_all_the_same(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commanding_module, "VISIBLE_SECONDS", 0.01)
    async with Feed(home, 3600) as feed:
        for task in feed._tasks:
            task.cancel()
        async with Commanding(home, feed) as one:
            command = await one.accept("arb-1", "ping", {"a": 1}, actor="operator", reason=None, key=None)
    assert (command.status, command.params) == ("accepted", {"a": 1})
    assert events_in(home, writer="control")[0].command_id == command.id


class StuckDisk:
    """A disk that takes lines and doesn't confirm them while `refusals` are left."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, refusals: float) -> None:
        self.refusals = refusals
        real = os.fdatasync

        def fdatasync(fd: int) -> None:
            if self.refusals > 0:
                self.refusals -= 1
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            real(fd)

        monkeypatch.setattr(os, "fdatasync", fdatasync)


async def test_a_disk_that_confirms_late_is_waited_for(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commanding_module, "SYNC_PAUSE_SECONDS", 0.01)
    async with commanding(home) as one:
        disk = StuckDisk(monkeypatch, 7)
        await one.accept("arb-1", "ping", {}, actor="operator", reason=None, key=None)
        assert disk.refusals == 0
        assert one.unsynced == set()
    assert len(lines_in(home, writer="control")) == 1


async def test_a_command_whose_journal_never_gets_on_disk_is_accepted_once_and_told_of(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bot reads it at once and may have acted by it: to say it was not accepted would be a falsehood."""
    monkeypatch.setattr(commanding_module, "SYNC_SECONDS", 0.05)
    monkeypatch.setattr(commanding_module, "SYNC_PAUSE_SECONDS", 0.01)
    async with commanding(home) as one:
        disk = StuckDisk(monkeypatch, math.inf)
        command = await one.accept("arb-1", "set_mode", {"mode": "halted"}, actor="operator", reason=None, key="k")
        again = await one.accept("arb-1", "set_mode", {"mode": "halted"}, actor="operator", reason=None, key="k")
        assert again.id == command.id
        assert command.status == "accepted"
        assert one.unsynced == {"arb-1"}
        disk.refusals = 0
        await eventually_async(lambda: one.unsynced == set())  # without anybody asking
    assert [type(event) for event in events_in(home, writer="control")] == [CommandAccepted]


def test_what_was_removed_before_the_disk_had_it_is_written_again(home: Path) -> None:
    writer = ChainedWriter(names.writer_folder(home, "arb-1", names.CONTROL)).open()
    on_disk = OnDisk(writer)
    on_disk.append(encode(CommandExpired(command_id="a", command="ping")))
    assert on_disk.sync()
    on_disk.append(encode(CommandExpired(command_id="b", command="ping")))
    for file in segment_files(home, writer=names.CONTROL):
        file.unlink()
    assert on_disk.sync()
    assert [event.command_id for event in events_in(home, writer="control")] == ["b"]
    assert (on_disk.written, on_disk.confirmed) == (2, 2)
    writer.close()
