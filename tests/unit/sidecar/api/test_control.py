"""Control: modes, commands, and who may give them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from deskwatch.events import BotStarted, CommandAccepted, CommandSucceeded, Mode, SignInRefused
from deskwatch.sidecar import commanding
from deskwatch.sidecar.commanding import Commanding
from tests.lines import events_in, write
from tests.unit.sidecar.serving import READER, Desk, serving
from tests.waiting import eventually_async

PING = {"type": "ping", "params": {}, "reason": "alive?"}


@pytest.fixture
async def desk(home: Path, tmp_path: Path) -> AsyncIterator[Desk]:
    (tmp_path / "reader").write_text(READER)
    write(home, [BotStarted(pid=1, host="h", mode=Mode.STANDBY)])
    async with serving(home, read_token_file=tmp_path / "reader") as one:
        yield await one.caught_up()


def assert_problem(answer: httpx.Response, status: int, words: str = "") -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["title"]
    assert words in problem["detail"]


async def test_a_mode_is_asked_for_and_answered_by_a_resource_to_watch(desk: Desk, home: Path) -> None:
    answer = await desk.operate("PUT", "/bots/arb-1/mode", {"mode": "active", "reason": "go"})
    assert answer.status_code == 202
    command = answer.json()
    assert answer.headers["Location"] == f"/commands/{command['id']}"
    assert (command["type"], command["params"], command["status"]) == ("set_mode", {"mode": "active"}, "accepted")
    assert (command["actor"], command["reason"]) == ("operator", "go")
    (event,) = events_in(home, writer="control")
    assert isinstance(event, CommandAccepted)
    seen = await desk.ask("GET", f"/commands/{command['id']}")
    assert seen.json() == command
    bots = (await desk.ask("GET", "/bots")).json()["bots"]
    assert bots[0]["mode"]["desired"] == "active"


async def test_a_commands_resource_shows_its_outcome(desk: Desk, home: Path) -> None:
    command_id = (await desk.operate("POST", "/bots/arb-1/commands", PING)).json()["id"]
    write(home, [CommandSucceeded(command_id=command_id, command="ping", result={"mode": "standby"})])
    await eventually_async(lambda: desk.parts.feed.projections.commands.get(command_id).status == "succeeded")  # type: ignore[union-attr]  # it is there
    shown = (await desk.ask("GET", f"/commands/{command_id}")).json()
    assert (shown["status"], shown["result"]) == ("succeeded", {"mode": "standby"})


@pytest.mark.parametrize(
    "body",
    [
        {"type": "ping"},
        {"type": "set_mode", "params": {"mode": "halted"}},
        {"type": "close_position", "params": {"position_id": "p"}},
        {"type": "close_position", "params": {"symbol": "ETH"}},
        {"type": "close_all", "reason": "rain"},
    ],
    ids=str,
)
async def test_commands_of_the_vocabulary_are_accepted(body: dict[str, Any], desk: Desk) -> None:
    answer = await desk.operate("POST", "/bots/arb-1/commands", body)
    assert answer.status_code == 202
    assert answer.json()["params"] == body.get("params", {})


@pytest.mark.parametrize(
    ("method", "path", "body", "words"),
    [
        ("PUT", "mode", {"mode": "fast"}, "body.mode"),
        ("PUT", "mode", {}, "body.mode"),
        ("PUT", "mode", {"mode": "active", "force": True}, "body.force"),
        ("PUT", "mode", b"{not json", "body"),
        ("PUT", "mode", [], "body"),
        ("PUT", "mode", {"mode": "active", "reason": "x" * 501}, "body.reason"),
        ("POST", "commands", {"type": "Self-Destruct"}, "body"),
        ("POST", "commands", {"params": {}}, "body"),
        ("POST", "commands", {"type": "ping", "params": {"a": 1}}, "params.a"),
        ("POST", "commands", {"type": "set_mode", "params": {}}, "params.mode"),
        ("POST", "commands", {"type": "close_position", "params": {}}, "either position_id or symbol"),
        (
            "POST",
            "commands",
            {"type": "close_position", "params": {"symbol": "a", "position_id": "b"}},
            "either position_id or symbol",
        ),
    ],
    ids=str,
)
async def test_a_request_that_is_wrong_says_where(
    method: str, path: str, body: Any, words: str, desk: Desk, home: Path
) -> None:
    answer = await desk.operate(method, f"/bots/arb-1/{path}", body)
    assert_problem(answer, 422, words)
    assert answer.json()["faults"]
    assert events_in(home, writer="control") == []


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("PUT", "mode", {"mode": "active"}), ("POST", "commands", PING)],
    ids=["mode", "command"],
)
async def test_an_unknown_bot_is_not_found(method: str, path: str, body: Any, desk: Desk) -> None:
    assert_problem(await desk.operate(method, f"/bots/arb-9/{path}", body), 404, "arb-9")


async def test_an_unknown_command_and_an_unknown_path_are_not_found(desk: Desk) -> None:
    assert_problem(await desk.ask("GET", "/commands/none"), 404, "none")
    assert_problem(await desk.ask("GET", "/nothing/here"), 404)
    assert_problem(await desk.operate("DELETE", "/bots"), 405)


ROUTES = [
    ("PUT", "/bots/arb-1/mode", {"mode": "active"}),
    ("POST", "/bots/arb-1/commands", PING),
    ("POST", "/bots/arb-1/process/stop", {}),
    ("GET", "/bots/arb-1/logs", None),
]


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
async def test_whatever_changes_things_needs_the_operators_token(method: str, path: str, body: Any, desk: Desk) -> None:
    missing = await desk.ask(method, path, body)
    assert_problem(missing, 401, "<home>/token")
    assert missing.headers["WWW-Authenticate"] == "Bearer"
    assert_problem(await desk.ask(method, path, body, Authorization="Bearer wrong"), 401)
    assert_problem(await desk.ask(method, path, body, Authorization=f"Bearer {READER}"), 403, "operate")


async def test_a_wrong_request_without_a_token_learns_nothing_of_what_is_wrong(desk: Desk) -> None:
    assert_problem(await desk.ask("PUT", "/bots/arb-9/mode", {"mode": "fast"}), 401)


async def test_refused_sign_ins_are_journaled(desk: Desk, home: Path) -> None:
    await desk.ask("GET", "/bots", Authorization="Bearer wrong")
    await desk.ask("PUT", "/bots/arb-1/mode", {"mode": "active"})
    await desk.ask("PUT", "/bots/arb-1/mode", {"mode": "active"}, Authorization=f"Bearer {READER}")
    await eventually_async(lambda: len(events_in(home, bot="_sidecar", writer="control")) == 3)
    refused = events_in(home, bot="_sidecar", writer="control")
    assert refused == [
        SignInRefused(route=route, remote="127.0.0.1", problem=problem)
        for route, problem in (
            ("GET /bots", "wrong"),
            ("PUT /bots/arb-1/mode", "missing"),
            ("PUT /bots/arb-1/mode", "scope"),
        )
    ]


async def test_many_wrong_tokens_at_once_are_all_refused(desk: Desk, home: Path) -> None:
    tries = [desk.ask("GET", "/bots", Authorization=f"Bearer wrong{number}") for number in range(20)]
    assert [answer.status_code for answer in await asyncio.gather(*tries)] == [401] * 20
    await eventually_async(lambda: events_in(home, bot="_sidecar", writer="control"))
    (together,) = events_in(home, bot="_sidecar", writer="control")
    later = desk.parts.gate.refusals._noted  # what came after it was told is told together when its pause is over
    assert together.attempts + sum(attempts for _, attempts in later.values()) == 20


async def test_a_full_disk_refuses_commands_and_still_refuses_strangers(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Commanding, "_append", full)
    assert_problem(await desk.operate("POST", "/bots/arb-1/commands", PING), 503, "No space left")
    assert_problem(await desk.ask("POST", "/bots/arb-1/commands", PING, Authorization="Bearer wrong"), 401)


async def test_an_idempotency_key_gives_a_command_once(desk: Desk, home: Path) -> None:
    answers = [await desk.operate("POST", "/bots/arb-1/commands", PING, Idempotency_Key="k") for _ in range(3)]
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(events_in(home, writer="control")) == 1
    other = await desk.operate("POST", "/bots/arb-1/commands", {"type": "close_all"}, Idempotency_Key="k")
    assert_problem(other, 422, "Idempotency-Key")
    long = await desk.operate("POST", "/bots/arb-1/commands", PING, Idempotency_Key="k" * 201)
    assert_problem(long, 422)


async def test_our_own_fault_is_a_problem_too(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(desk.parts.feed.projections.commands, "get", fail)
    answer = await desk.ask("GET", "/commands/x")
    assert_problem(answer, 500)
    assert "secret detail" not in answer.text


async def test_strangers_are_turned_away_before_their_body_is_read(desk: Desk) -> None:
    """A missing token is 401 whatever the body; a body too large or of unknown length is refused to anyone."""
    assert_problem(await desk.ask("PUT", "/bots/arb-1/mode", b"{bad"), 401)
    assert_problem(await desk.operate("PUT", "/bots/arb-1/mode", b"x" * 70_000), 413, "65536")
    assert_problem(await desk.operate("PUT", "/bots/arb-1/mode", b"{}", Transfer_Encoding="chunked"), 411)


async def test_a_key_is_known_while_the_feed_lags(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A repeated request gives the same command even if the first has not come back through the journal."""
    monkeypatch.setattr(commanding, "VISIBLE_SECONDS", 0.05)
    monkeypatch.setattr(desk.parts.feed.projections.commands, "apply", lambda _: None)
    first = await desk.operate("POST", "/bots/arb-1/commands", PING, Idempotency_Key="k")
    again = await desk.operate("POST", "/bots/arb-1/commands", PING, Idempotency_Key="k")
    other = await desk.operate("POST", "/bots/arb-1/commands", {"type": "close_all"}, Idempotency_Key="k")
    assert first.json()["id"] == again.json()["id"]
    assert other.status_code == 422


async def test_a_command_that_is_not_known_to_be_on_disk_is_accepted_with_a_warning(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bot gets it, so that 503 would be a falsehood; once the disk confirms, answers carry no warning."""

    def stuck(_: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as refused:
        refused.setattr("os.fdatasync", stuck)
        refused.setattr(commanding, "SYNC_SECONDS", 0.05)
        answer = await desk.operate("POST", "/bots/arb-1/commands", PING)
        assert answer.status_code == 202
        assert "not known to be on disk" in answer.headers["Warning"]
    assert "Warning" not in (await desk.operate("POST", "/bots/arb-1/commands", PING)).headers
