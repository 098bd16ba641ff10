"""Commands for a bot that is watched: each begun once, and only while its peer can be reached."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from deskwatch.errors import NotSynced
from deskwatch.events import CommandFailed, CommandStarted, CommandSucceeded, Event, Mode
from deskwatch.journal import Writer, names
from deskwatch.sources.memory import Memory
from deskwatch.sources.watched import Watched, wanted_mode
from tests.sources.watching import BOT, give, journaled


@asynccontextmanager
async def watching(home: Path) -> AsyncIterator[Watched]:
    one = Watched(home, BOT, names.MAIN, kind="example", peer="p", memory=Memory()).open()
    try:
        yield one
    finally:
        one.close()


def reached() -> asyncio.Event:
    """The peer answers."""
    event = asyncio.Event()
    event.set()
    return event


async def test_a_command_is_begun_once(home: Path) -> None:
    """A restart does not begin it again, and what expired meanwhile is not begun."""
    given = give(home, "close_all")
    give(home, "close_position", {"symbol": "S"}, seconds=-1)
    async with watching(home) as one:
        command = await one.next_command(reached())
        assert command.id == given
    async with watching(home) as one:
        later = give(home, "ping")
        command = await one.next_command(reached())
        assert command.id == later
        command.succeed()
    begun = [event.command_id for event in journaled(home) if isinstance(event, CommandStarted)]
    assert begun == [given, later]


async def test_a_command_is_begun_only_while_the_peer_can_be_reached(home: Path) -> None:
    """Also one that comes in the moment in which the peer is lost, while the next is awaited."""
    reachable = reached()
    async with watching(home) as one:
        taking = asyncio.create_task(one.next_command(reachable))
        await asyncio.sleep(0)
        reachable.clear()
        given = give(home, "ping")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await asyncio.shield(taking)
        reachable.set()
        reachable.clear()
        for _ in range(5):
            await asyncio.sleep(0)
        assert not taking.done()
        reachable.set()
        assert (await taking).id == given


@pytest.mark.parametrize(("leaves_halted", "end"), [(False, CommandFailed), (True, CommandSucceeded)])
async def test_only_who_may_leads_out_of_halted(home: Path, leaves_halted: bool, end: type[Event]) -> None:
    async with watching(home) as one:
        one.started("1", Mode.HALTED, host="h")
        give(home, "set_mode", {"mode": "active"}, leaves_halted=leaves_halted)
        give(home, "set_mode", {"mode": "halted"})
        command = await one.next_command(reached())
        if leaves_halted:
            assert wanted_mode(command) is Mode.ACTIVE
            command.succeed()
            command = await one.next_command(reached())
        assert wanted_mode(command) is Mode.HALTED
        command.succeed()
    first = next(event for event in journaled(home) if isinstance(event, CommandFailed | CommandSucceeded))
    assert type(first) is end


async def test_a_mode_that_is_none_is_refused_in_words(home: Path) -> None:
    async with watching(home) as one:
        give(home, "set_mode", {"mode": "up"})
        give(home, "ping")
        command = await one.next_command(reached())
        assert (command.type, wanted_mode(command)) == ("ping", None)
    (failed,) = [event for event in journaled(home) if isinstance(event, CommandFailed)]
    assert failed.error == "expected one of active, standby, closing, halted, was 'up'"


async def test_a_halt_is_begun_although_the_disk_does_not_confirm(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other commands wait for the disk: they must not be begun twice."""
    monkeypatch.setattr(Writer, "_confirm", _never)
    async with watching(home) as one:
        give(home, "set_mode", {"mode": "halted"})
        command = await one.next_command(reached())
        assert wanted_mode(command) is Mode.HALTED
        command.succeed()
        give(home, "close_all")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await one.next_command(reached())
        monkeypatch.undo()
        assert (await one.next_command(reached())).type == "close_all"
    assert [event.command for event in journaled(home) if isinstance(event, CommandSucceeded)] == ["set_mode"]


def _never(_: Writer, seq: int) -> bool:
    raise NotSynced("the disk stalls", seq)


async def test_another_writer_than_main_gets_no_command(home: Path) -> None:
    """The bot that journals itself has them."""
    give(home, "ping")
    one = Watched(home, BOT, "chain", kind="example", peer="p", memory=Memory()).open()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await one.next_command(reached())
    one.close()


async def test_the_mode_last_asked_is_known_after_a_restart(home: Path) -> None:
    """So that a peer that came up riskier is lowered again."""
    async with watching(home) as one:
        assert one.asked_mode() is None
        give(home, "set_mode", {"mode": "standby"})
        (await one.next_command(reached())).succeed()
    async with watching(home) as one:
        one.started("2", Mode.ACTIVE, host="h")
        assert one.asked_mode() is Mode.STANDBY
