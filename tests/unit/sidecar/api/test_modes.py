"""Modes by HTTP: their tags, and who may lead a bot where."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from deskwatch.events import BotStarted, CommandAccepted, Mode, ModeChanged
from deskwatch.sidecar import commanding
from deskwatch.sidecar.auth import Gate
from deskwatch.tokens.token import Token, digest
from tests.lines import events_in, write
from tests.unit.sidecar.api.test_control import assert_problem
from tests.unit.sidecar.serving import Desk, serving
from tests.waiting import eventually_async

TRADER, WATCHER = "t" * 20, "w" * 20


@pytest.fixture
async def desk(home: Path) -> AsyncIterator[Desk]:
    write(home, [BotStarted(pid=1, host="h", mode=Mode.STANDBY), ModeChanged(mode=Mode.STANDBY)])
    async with serving(home) as one:
        yield await one.caught_up()


def given(home: Path) -> list[Any]:
    return [event for event in events_in(home, writer="control") if isinstance(event, CommandAccepted)]


async def become(desk: Desk, mode: Mode) -> None:
    """The bot is in another mode by its own doing."""
    write(desk.home, [ModeChanged(mode=mode, previous=Mode.STANDBY, actor="bot")])
    await eventually_async(lambda: desk.parts.feed.projections.state.bots["arb-1"].mode.actual == mode)


async def test_a_mode_is_shown_with_its_tag_which_its_state_has_too(desk: Desk) -> None:
    answer = await desk.ask("GET", "/bots/arb-1/mode")
    assert answer.status_code == 200
    mode = answer.json()
    assert (mode["actual"], mode["desired"]) == ("standby", None)
    assert answer.headers["ETag"] == f'"{mode["etag"]}"'
    bots = (await desk.ask("GET", "/bots")).json()["bots"]
    assert bots[0]["mode"] == mode
    assert_problem(await desk.ask("GET", "/bots/arb-9/mode"), 404, "arb-9")


async def test_a_stale_writer_changes_nothing(desk: Desk, home: Path) -> None:
    stale = (await desk.ask("GET", "/bots/arb-1/mode")).headers["ETag"]
    first = await desk.operate("PUT", "/bots/arb-1/mode", {"mode": "active"}, If_Match=stale)
    assert first.status_code == 202
    second = await desk.operate("PUT", "/bots/arb-1/mode", {"mode": "standby"}, If_Match=stale)
    assert_problem(second, 412, "look at the mode again")
    assert [event.params for event in given(home)] == [{"mode": "active"}]
    fresh = (await desk.ask("GET", "/bots/arb-1/mode")).headers["ETag"]
    answer = await desk.operate("PUT", "/bots/arb-1/mode", {"mode": "standby"}, If_Match=f'"other", {fresh}')
    assert answer.status_code == 202


async def test_of_many_writers_with_the_same_tag_one_wins(desk: Desk, home: Path) -> None:
    tag = (await desk.ask("GET", "/bots/arb-1/mode")).headers["ETag"]
    tries = [desk.operate("PUT", "/bots/arb-1/mode", {"mode": "active"}, If_Match=tag) for _ in range(10)]
    statuses = sorted(answer.status_code for answer in await asyncio.gather(*tries))
    assert statuses == [202] + [412] * 9
    assert len(given(home)) == 1


async def test_a_bots_own_change_makes_a_tag_stale(desk: Desk) -> None:
    stale = (await desk.ask("GET", "/bots/arb-1/mode")).headers["ETag"]
    await become(desk, Mode.HALTED)
    assert_problem(await desk.operate("PUT", "/bots/arb-1/mode", {"mode": "active"}, If_Match=stale), 412)


async def test_the_same_key_is_answered_though_its_tag_is_stale_by_now(desk: Desk, home: Path) -> None:
    tag = (await desk.ask("GET", "/bots/arb-1/mode")).headers["ETag"]
    named = {"If_Match": tag, "Idempotency_Key": "k"}
    answers = [await desk.operate("PUT", "/bots/arb-1/mode", {"mode": "active"}, **named) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {202}
    assert len(given(home)) == 1


@pytest.mark.parametrize(("tag", "status"), [("*", 202), ("abc", 400), ('"abc', 400), ('W/"abc"', 412), ('""', 412)])
async def test_any_tag_may_be_asked_for_and_a_malformed_one_is_told(tag: str, status: int, desk: Desk) -> None:
    answer = await desk.operate("PUT", "/bots/arb-1/mode", {"mode": "active"}, If_Match=tag)
    assert answer.status_code == status


async def test_the_tag_is_not_compared_before_an_earlier_command_is_known(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commanding, "VISIBLE_SECONDS", 0.05)
    monkeypatch.setattr(desk.parts.feed.projections.commands, "apply", lambda _: False)
    assert (await desk.operate("PUT", "/bots/arb-1/mode", {"mode": "active"})).status_code == 202
    answer = await desk.operate("PUT", "/bots/arb-1/mode", {"mode": "active"})
    assert_problem(answer, 503, "an earlier command is still on its way")
    assert answer.headers["Retry-After"] == "1"


async def as_others(desk: Desk) -> None:
    """Let the sidecar know an operator that may not trade and a trader that may not operate."""
    tokens = [
        Token(name="watcher", hash=digest(WATCHER), scopes=frozenset({"read", "operate"})),
        Token(name="trader", hash=digest(TRADER), scopes=frozenset({"read", "trade"})),
        Token(
            name="operator",
            hash=digest(desk.operator["Authorization"].split()[1]),
            scopes=frozenset({"read", "operate", "trade"}),
        ),
    ]
    desk.parts.gate = Gate(desk.parts.settings, tokens)


async def put(desk: Desk, mode: str, token: str) -> int:
    answer = await desk.ask("PUT", "/bots/arb-1/mode", {"mode": mode}, Authorization=f"Bearer {token}")
    posted = await desk.ask(
        "POST",
        "/bots/arb-1/commands",
        {"type": "set_mode", "params": {"mode": mode}},
        Authorization=f"Bearer {token}",
    )
    assert posted.status_code == answer.status_code
    return answer.status_code


async def test_who_may_only_operate_leads_a_bot_neither_into_closing_nor_out_of_halted(desk: Desk) -> None:
    await as_others(desk)
    assert [await put(desk, mode, WATCHER) for mode in ("active", "standby", "closing")] == [202, 202, 403]
    assert await put(desk, "closing", TRADER) == 202
    assert await put(desk, "standby", TRADER) == 403
    await become(desk, Mode.HALTED)
    assert [await put(desk, mode, WATCHER) for mode in ("active", "standby", "halted")] == [403, 403, 202]
    assert [await put(desk, mode, TRADER) for mode in ("halted", "standby")] == [403, 202]


async def test_a_bot_that_is_asked_to_halt_counts_as_halted(desk: Desk, home: Path) -> None:
    await as_others(desk)
    assert await put(desk, "halted", WATCHER) == 202
    assert await put(desk, "active", WATCHER) == 403
    assert (await desk.operate("PUT", "/bots/arb-1/mode", {"mode": "active"})).status_code == 202
    assert [event.leaves_halted for event in given(home)] == [False, False, True]


async def test_a_bot_whose_mode_was_never_heard_counts_as_halted(home: Path) -> None:
    write(home, [], bot="arb-1")
    write(home, [BotStarted(pid=1, host="h", mode=Mode.STANDBY)])  # an old one: it tells no ModeChanged
    async with serving(home) as one:
        await one.caught_up()
        await as_others(one)
        assert await put(one, "standby", WATCHER) == 403
        assert await put(one, "halted", WATCHER) == 202


async def test_desired_falls_back_once_a_raising_command_expired(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commanding, "GRACE_SECONDS", 0.0)
    monkeypatch.setattr(commanding, "EXPIRY_SECONDS", 0.05)
    await desk.operate("PUT", "/bots/arb-1/mode", {"mode": "active"})
    mode = desk.parts.feed.projections.state.bots["arb-1"].mode
    assert mode.desired == "active"
    await eventually_async(lambda: mode.desired is None)
    shown = (await desk.ask("GET", "/metrics")).text
    assert 'tradebot_desired_mode{bot="arb-1",mode="active"} 0' in shown
