"""Commands for a scripted Hummingbot at a real broker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from deskwatch.events import (
    BotStarted,
    CommandFailed,
    CommandOffered,
    CommandSucceeded,
    HeartbeatSent,
    Mode,
    ModeChanged,
)
from tests.fakes.hummingbot import ScriptedHummingbot
from tests.sources.watching import Watching
from tests.unit.recording import operator
from tests.unit.sources.hummingbot.conftest import BOT
from tests.waiting import eventually_async

Watch = Callable[..., Watching]


class Operated:
    """A watched Hummingbot, and someone who gives it commands."""

    def __init__(self, watching: Watching, home: Path) -> None:
        self.watching = watching
        self._home = home

    def give(self, kind: str, params: dict[str, Any] | None = None) -> str:
        with operator(self._home, BOT) as control:
            return control.give(kind, params)

    async def outcome(self, command_id: str) -> CommandSucceeded | CommandFailed:
        def ended() -> list[Any]:
            ends = self.watching.of(CommandSucceeded, CommandFailed)
            return [end for end in ends if end.command_id == command_id]

        end: CommandSucceeded | CommandFailed = (await eventually_async(ended))[0]
        return end

    async def ask(self, kind: str, params: dict[str, Any] | None = None) -> CommandSucceeded | CommandFailed:
        return await self.outcome(self.give(kind, params))

    @property
    def mode(self) -> ModeChanged:
        mode: ModeChanged = self.watching.of(ModeChanged)[-1]
        return mode


@pytest.fixture
def operated(watching: Watch, home: Path) -> Callable[..., Any]:
    @asynccontextmanager
    async def one(**more: Any) -> AsyncIterator[Operated]:
        running = watching(**more)
        async with running.running():
            await eventually_async(lambda: running.of(HeartbeatSent))
            yield Operated(running, home)

    return one


async def test_ping_is_answered_by_hummingbot_itself(hummingbot: ScriptedHummingbot, operated: Any) -> None:
    async with operated() as desk:
        end = await desk.ask("ping")
        assert isinstance(end, CommandSucceeded)
        assert end.result["strategy_runs"] is True


@pytest.mark.parametrize("tells_status", [True, False])
async def test_a_halt_stops_its_strategy_and_counts_once_hummingbot_shows_it(
    hummingbot: ScriptedHummingbot, operated: Any, tells_status: bool
) -> None:
    """By its status; by its log where its version can't tell that."""
    hummingbot.tells_status = tells_status
    hummingbot.create(1.0, 100.0)
    async with operated() as desk:
        command_id = desk.give("set_mode", {"mode": "halted"})
        end = await desk.outcome(command_id)
        assert isinstance(end, CommandSucceeded), end
        assert end.result == {"mode": "halted", "shown_by": "its status" if tells_status else "its reply and its log"}
        assert (desk.mode.mode, desk.mode.actor, desk.mode.cause) == (Mode.HALTED, "operator", command_id)
        assert len(desk.watching.of(ModeChanged)) == 2
        assert not hummingbot.running
        assert hummingbot.open == {}


@pytest.mark.parametrize("tells_status", [True, False])
async def test_a_reply_alone_is_no_halt(hummingbot: ScriptedHummingbot, operated: Any, tells_status: bool) -> None:
    hummingbot.tells_status = tells_status
    hummingbot.stops = False
    async with operated() as desk:
        end = await desk.ask("set_mode", {"mode": "halted"})
        assert isinstance(end, CommandFailed)
        assert "neither its status nor its log shows it" in end.error
        assert desk.mode.mode is Mode.ACTIVE


async def test_active_starts_the_configured_script(hummingbot: ScriptedHummingbot, operated: Any) -> None:
    hummingbot.running = False
    async with operated(script="pmm.py", conf="conf_pmm.yml") as desk:
        assert desk.mode.mode is Mode.HALTED
        end = await desk.ask("set_mode", {"mode": "active"})
        assert isinstance(end, CommandSucceeded), end
        assert (desk.mode.mode, desk.mode.actor) == (Mode.ACTIVE, "operator")
        again = await desk.ask("set_mode", {"mode": "active"})
        assert isinstance(again, CommandSucceeded)
    started = [data for command, data in hummingbot.commands if command == "start"]
    assert started == [{"script": "pmm.py", "conf": "conf_pmm.yml", "async_backend": False}]


async def test_a_start_that_hummingbot_refuses_fails_with_its_words(
    hummingbot: ScriptedHummingbot, operated: Any
) -> None:
    """As all from 2.7 on, and those of a Hummingbot that knows no strategy."""
    hummingbot.running = False
    async with operated() as desk:
        end = await desk.ask("set_mode", {"mode": "active"})
        assert isinstance(end, CommandFailed)
        assert end.error == "Hummingbot refused to start: Strategy check: Please import or create a strategy."
        assert desk.mode.mode is Mode.HALTED


async def test_a_halt_waits_for_no_start(hummingbot: ScriptedHummingbot, operated: Any) -> None:
    hummingbot.running = False
    async with operated(script="pmm.py", reply_seconds=20.0, confirm_seconds=30.0) as desk:
        hummingbot.delay_seconds = 60.0
        start = desk.give("set_mode", {"mode": "active"})
        await eventually_async(lambda: hummingbot.commands[-1][0] in ("start", "status"))
        halt = desk.give("set_mode", {"mode": "halted"})
        end = await desk.outcome(start)
        assert isinstance(end, CommandFailed)
        assert "asked to halt meanwhile" in end.error
        hummingbot.delay_seconds = 0.0
        assert halt in [event.cause for event in desk.watching.events() if event.cause]


@pytest.mark.parametrize(
    ("kind", "params", "said"),
    [
        ("set_mode", {"mode": "standby"}, "it can't watch without trading"),
        ("set_mode", {"mode": "closing"}, "can't be asked over MQTT to close its positions"),
        ("close_all", {}, "can't be asked over MQTT to close its positions"),
        ("cancel_orders", {}, "ask for halted"),
        ("reload_config", {}, "when a strategy starts"),
        ("make_coffee", {}, "can't be asked for make_coffee"),
    ],
)
async def test_what_hummingbot_cannot_do_fails_with_words_and_is_not_asked_of_it(
    hummingbot: ScriptedHummingbot, operated: Any, kind: str, params: dict[str, Any], said: str
) -> None:
    async with operated() as desk:
        end = await desk.ask(kind, params)
        assert isinstance(end, CommandFailed)
        assert said in end.error
    assert hummingbot.changes == 0


async def test_status_and_history_are_commands_of_its_own(hummingbot: ScriptedHummingbot, operated: Any) -> None:
    async with operated() as desk:
        hummingbot.fill(hummingbot.create(1.0, 100.0))
        assert {offer.command for offer in desk.watching.of(CommandOffered)} == {"status", "history"}
        status = await desk.ask("status")
        assert "Exchange  Market" in status.result["status"]
        history = await desk.ask("history", {"days": 2})
        assert history.result["trades"] == 1
        refused = await desk.ask("history", {"days": "two"})
        assert isinstance(refused, CommandFailed)


async def test_one_that_was_halted_and_is_started_anew_is_stopped_again(
    hummingbot: ScriptedHummingbot, operated: Any
) -> None:
    """A restart never raises the risk: its configuration may start its strategy by itself."""
    async with operated() as desk:
        await desk.ask("set_mode", {"mode": "halted"})
        await hummingbot.crash()
        hummingbot.running = True
        await hummingbot.boot()
        await eventually_async(lambda: not hummingbot.running)
        await eventually_async(lambda: desk.mode.mode is Mode.HALTED)
        await eventually_async(lambda: desk.mode.actor == "deskwatch")


async def test_what_starts_by_itself_a_while_after_hummingbot_is_stopped_again(
    hummingbot: ScriptedHummingbot, operated: Any
) -> None:
    async with operated() as desk:
        await desk.ask("set_mode", {"mode": "halted"})
        await hummingbot.crash()
        await hummingbot.boot()
        await eventually_async(lambda: len(desk.watching.of(BotStarted)) == 2)
        hummingbot.running = True
        hummingbot.log("hummingbot.core.trading_core", "Strategy pmm started successfully")
        await eventually_async(lambda: not hummingbot.running)


async def test_a_restarted_one_that_did_not_answer_is_asked_to_stop_until_it_does(
    hummingbot: ScriptedHummingbot, operated: Any
) -> None:
    """What was known of the one before says nothing of it."""
    async with operated(reply_seconds=0.3) as desk:
        await desk.ask("set_mode", {"mode": "halted"})
        await hummingbot.crash()
        hummingbot.running, hummingbot.replies = True, False
        await hummingbot.boot()
        await eventually_async(lambda: len(desk.watching.of(BotStarted)) == 2)
        hummingbot.replies, hummingbot.stops = True, False
        stops = hummingbot.changes
        await eventually_async(lambda: hummingbot.changes >= stops + 2)
        hummingbot.stops = True
        await eventually_async(lambda: not hummingbot.running)
        await eventually_async(lambda: desk.mode.mode is Mode.HALTED and desk.mode.actor == "deskwatch")


async def test_one_that_a_person_starts_at_its_own_console_is_left_alone(
    hummingbot: ScriptedHummingbot, operated: Any
) -> None:
    async with operated() as desk:
        await desk.ask("set_mode", {"mode": "halted"})
        hummingbot.running = True
        hummingbot.log("hummingbot.core.trading_core", "Strategy pmm started successfully")
        await eventually_async(lambda: desk.mode.mode is Mode.ACTIVE)
        await asyncio.sleep(0.3)
        assert hummingbot.running
        assert desk.mode.actor == "hummingbot"
