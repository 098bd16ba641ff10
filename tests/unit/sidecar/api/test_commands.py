"""Commands by HTTP: their types, a bot's own, and the list of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from deskwatch.events import (
    BotStarted,
    BotStopped,
    CommandOffered,
    CommandStarted,
    CommandSucceeded,
    Mode,
    ModeChanged,
    OrderCanceled,
    OrderSubmitted,
    PositionClosed,
    PositionOpened,
    WatchlistChanged,
)
from deskwatch.projections.life import CommandState
from deskwatch.sidecar import commanding
from deskwatch.sidecar.api.documents import schema_of
from tests.lines import events_in, write
from tests.unit.sidecar.api.test_control import assert_problem
from tests.unit.sidecar.serving import Desk, serving
from tests.waiting import eventually_async

SCHEMA = {
    "$ref": "#/$defs/Rebalance",
    "$defs": {
        "Rebalance": {
            "type": "object",
            "properties": {"ratio": {"type": "number", "maximum": 1}},
            "required": ["ratio"],
        }
    },
}


@pytest.fixture
async def desk(home: Path) -> AsyncIterator[Desk]:
    events = [
        BotStarted(pid=1, host="h", mode=Mode.STANDBY),
        ModeChanged(mode=Mode.STANDBY),
        CommandOffered(command="rebalance", description="Even out.", schema=SCHEMA),
        CommandOffered(command="broken", description="", schema={"type": 7}),
        WatchlistChanged(symbols=["S"]),
        OrderSubmitted(order_id="o", venue="v", symbol="S", side="buy", quantity=1.0),
    ]
    write(home, events)
    async with serving(home) as one:
        yield await one.caught_up()


async def post(desk: Desk, kind: str, params: Any = None, **more: Any) -> Any:
    return await desk.operate("POST", "/bots/arb-1/commands", {"type": kind, "params": params or {}, **more})


def bot(desk: Desk) -> Any:
    return desk.parts.feed.projections.state.bots["arb-1"]


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("cancel_orders", {}),
        ("cancel_orders", {"symbol": "S"}),
        ("set_watchlist", {"symbols": ["S", "T"]}),
        ("set_watchlist", {"symbols": []}),
        ("reload_config", {}),
        ("close_position", {"symbol": "S", "quantity": 0.5}),
        ("close_position", {"position_id": "p", "ratio": 1}),
        ("rebalance", {"ratio": 0.5}),
    ],
)
async def test_a_command_of_each_type_is_accepted(kind: str, params: dict[str, Any], desk: Desk) -> None:
    answer = await post(desk, kind, params)
    assert answer.status_code == 202, answer.text
    assert (answer.json()["type"], answer.json()["params"]) == (kind, params)


@pytest.mark.parametrize(
    ("kind", "params", "more", "words"),
    [
        ("cancel_orders", {"symbol": None}, {}, "expected a symbol"),
        ("cancel_orders", {"symbol": ""}, {}, "symbol"),
        ("set_watchlist", {}, {}, "symbols"),
        ("set_watchlist", {"symbols": ["S"] * 201}, {}, "symbols"),
        ("close_position", {"symbol": "S", "quantity": 1, "ratio": 0.5}, {}, "not both"),
        ("close_position", {"symbol": "S", "ratio": 0}, {}, "ratio"),
        ("close_position", {"symbol": "S", "ratio": 1.1}, {}, "ratio"),
        ("close_position", {"symbol": "S", "quantity": -1}, {}, "quantity"),
        ("close_position", {"symbol": None}, {}, "no null"),
        ("close_all", {}, {"expires_seconds": 31}, "expires_seconds"),
        ("cancel_orders", {}, {"expires_seconds": 31}, "expires_seconds"),
        ("set_mode", {"mode": "closing"}, {"expires_seconds": 31}, "at most 30"),
        ("ping", {}, {"expires_seconds": 3601}, "expires_seconds"),
        ("ping", {}, {"expires_seconds": 0}, "expires_seconds"),
        ("rebalance", {}, {}, "ratio"),
        ("rebalance", {"ratio": 2}, {}, "params.ratio"),
        ("rebalance", {"ratio": 0.1, "x": "y" * 9000}, {}, "at most 8192 bytes"),
    ],
)
async def test_what_does_not_fit_is_refused_and_journaled_nowhere(
    kind: str, params: dict[str, Any], more: dict[str, Any], words: str, desk: Desk, home: Path
) -> None:
    assert_problem(await post(desk, kind, params, **more), 422, words)
    assert events_in(home, writer="control") == []


@pytest.mark.parametrize(
    ("kind", "words"), [("dance", "(rebalance, broken), was 'dance'"), ("broken", "can't be used")]
)
async def test_what_the_bot_does_not_offer_or_offers_badly_is_a_conflict(kind: str, words: str, desk: Desk) -> None:
    assert_problem(await post(desk, kind), 409, words)


async def test_a_new_run_offers_anew(desk: Desk, home: Path) -> None:
    assert [offer["type"] for offer in bot(desk).offers] == ["rebalance", "broken"]
    write(home, [BotStarted(pid=2, host="h", mode=Mode.STANDBY)])
    await eventually_async(lambda: bot(desk).offers == [])
    assert_problem(await post(desk, "rebalance", {"ratio": 0.5}), 409, "(none)")


async def test_a_callers_time_is_kept(desk: Desk, home: Path) -> None:
    command = (await post(desk, "ping", expires_seconds=600)).json()
    assert command["expires_seconds"] == 600
    assert 598 < command["expires_at"] - command["accepted_at"] <= 600
    assert events_in(home, writer="control")[0].expires_seconds == 600


async def test_another_reason_or_time_is_another_body(desk: Desk) -> None:
    body = {"type": "ping", "params": {}, "reason": "a"}
    for change, status in (({}, 202), ({"reason": "b"}, 422), ({"expires_seconds": 5}, 422), ({}, 202)):
        answer = await desk.operate("POST", "/bots/arb-1/commands", {**body, **change}, Idempotency_Key="k")
        assert answer.status_code == status


async def test_the_answer_says_when_the_bot_is_away(desk: Desk, home: Path) -> None:
    command = (await post(desk, "ping")).json()
    assert command["waiting_for"] == "the bot to begin it"  # it was heard just now
    write(home, [BotStopped(reason="closed")])
    await eventually_async(lambda: not bot(desk).running)
    command = (await post(desk, "ping")).json()
    assert command["waiting_for"].startswith("the bot to begin it: it is not running, and the command expires")


async def test_commands_are_listed_newest_first_and_by_status(desk: Desk, home: Path) -> None:
    ids = [(await post(desk, "ping")).json()["id"] for _ in range(3)]
    write(
        home, [CommandStarted(command_id=ids[0], command="ping"), CommandSucceeded(command_id=ids[0], command="ping")]
    )
    await eventually_async(lambda: desk.parts.feed.projections.commands.get(ids[0]).status == "succeeded")  # type: ignore[union-attr]  # it is there

    async def listed(query: str = "") -> list[str]:
        answer = await desk.ask("GET", f"/bots/arb-1/commands{query}")
        return [command["id"] for command in answer.json()["commands"]]

    assert await listed() == ids[::-1]
    assert await listed("?limit=1") == ids[-1:]
    assert await listed("?status=succeeded") == ids[:1]
    assert await listed("?status=accepted&status=running") == [ids[2], ids[1]]
    assert (await desk.ask("GET", "/bots/arb-1/commands?status=odd")).status_code == 422


async def test_a_bots_state_shows_its_commands_orders_and_watchlist(desk: Desk, home: Path) -> None:
    assert (bot(desk).open_orders, bot(desk).watchlist) == (1, ["S"])
    long = {"symbols": ["S" * 100] * 50}
    ids = [(await post(desk, "set_watchlist", long)).json()["id"]]
    ids += [(await post(desk, "ping")).json()["id"] for _ in range(11)]
    write(home, [OrderCanceled(order_id="o", venue="v", symbol="S")])
    await eventually_async(lambda: bot(desk).open_orders == 0)
    assert [command.id for command in bot(desk).commands] == ids[:1:-1]
    write(home, [CommandSucceeded(command_id=each, command="ping") for each in ids[1:]])
    await eventually_async(lambda: bot(desk).commands[-1].id == ids[0])  # what has not ended comes before what has
    assert len(bot(desk).commands) == 10
    assert bot(desk).commands[-1].params == {}
    assert desk.parts.feed.projections.commands.get(ids[0]).params == long  # type: ignore[union-attr]  # it is there


async def test_what_the_journal_does_not_show_in_time_is_unknown_until_it_does(
    desk: Desk, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commanding, "CONFIRM_SECONDS", 0.2)
    opened = PositionOpened(
        position_id="p", venue="v", symbol="S", side="long", quantity=1.0, entry_price=1.0, asset="A"
    )
    write(home, [opened])
    command_id = (await post(desk, "close_all")).json()["id"]
    named = {"command_id": command_id, "command": "close_all"}
    write(home, [CommandStarted(**named), CommandSucceeded(**named)])
    command = desk.parts.feed.projections.commands.get(command_id)
    assert command is not None
    await eventually_async(lambda: command.reported == "succeeded")
    await eventually_async(lambda: command.status == "unknown")
    assert command.error is not None
    assert command.error.endswith("still open: p")
    write(home, [PositionClosed(position_id="p", venue="v", symbol="S", realized_pnl=0.0, asset="A")])
    await eventually_async(lambda: command.status == "succeeded")
    kinds = [type(event).__name__ for event in events_in(home, writer="control")]
    assert kinds == ["CommandAccepted", "CommandUnconfirmed"]


async def test_the_document_names_all_types_and_all_fields_of_an_answer(desk: Desk) -> None:
    document = (await desk.ask("GET", "/openapi.json")).json()
    operation = document["paths"]["/bots/{bot}/commands"]["post"]
    body = operation["requestBody"]["content"]["application/json"]["schema"]
    assert len(body["oneOf"]) == 8
    shown = operation["responses"]["202"]["content"]["application/json"]["schema"]
    assert set(shown["properties"]) == set(CommandState.__struct_fields__) == set(schema_of(CommandState)["required"])
    assert {"401", "403", "404", "409", "421", "422", "503"} <= set(operation["responses"])
    assert "412" in document["paths"]["/bots/{bot}/mode"]["put"]["responses"]
