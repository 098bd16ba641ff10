"""The supervised process, over HTTP."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deskwatch.events import ProcessActed
from deskwatch.sidecar.supervisor import Supervisor, log_tail
from tests.lines import events_in
from tests.unit.sidecar.serving import Desk, serving
from tests.waiting import eventually_async

BOT = "import time; print('token=topsecret', flush=True); time.sleep(60)"


@pytest.fixture
async def desk(home: Path) -> AsyncIterator[Desk]:
    async with serving(home, ("arb-1", [sys.executable, "-c", BOT])) as one:
        await one.caught_up()
        await eventually_async(lambda: "arb-1" in one.parts.feed.projections.state.bots)
        yield one


async def test_the_process_is_stopped_started_and_restarted(desk: Desk, home: Path) -> None:
    await eventually_async(lambda: log_tail.tail(desk.home, "arb-1", 1), 10)
    stopped = await desk.operate("POST", "/bots/arb-1/process/stop", {"reason": "update"})
    told = stopped.json()
    assert (told["running"], told["pid"], told["exit_code"], told["restarts"]) == (False, None, -15, 0)
    assert (told["held"]["action"], told["held"]["actor"], told["held"]["reason"]) == ("stop", "operator", "update")
    assert told["last_lines"] == ["token=[redacted]"]
    started = (await desk.operate("POST", "/bots/arb-1/process/start")).json()
    assert started["pid"]
    restarted = (await desk.operate("POST", "/bots/arb-1/process/restart", {})).json()
    assert restarted["pid"] not in (None, started["pid"])
    acted = [event for event in events_in(home, writer="control") if isinstance(event, ProcessActed)]
    assert [(event.action, event.actor) for event in acted] == [
        ("start", "supervisor"),
        ("stop", "operator"),
        ("exit", "supervisor"),
        ("start", "operator"),
        ("stop", "operator"),
        ("exit", "supervisor"),
        ("start", "operator"),
    ]
    assert acted[1].reason == "update"


async def test_logs_are_shown_scrubbed(desk: Desk) -> None:
    await eventually_async(lambda: log_tail.tail(desk.home, "arb-1", 1), 10)
    answer = (await desk.operate("GET", "/bots/arb-1/logs?lines=5")).json()
    assert answer["lines"] == ["token=[redacted]"]
    assert answer["files"] == [{"file": 0, "bytes": len("token=topsecret\n")}]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/bots/arb-1/process/explode", {}, 422),
        ("POST", "/bots/arb-1/process/stop", {"force": True}, 422),
        ("GET", "/bots/arb-1/logs?lines=0", None, 422),
        ("POST", "/bots/arb-9/process/stop", {}, 404),
    ],
)
async def test_requests_that_make_no_sense_are_told(
    method: str, path: str, body: object, status: int, desk: Desk
) -> None:
    answer = await desk.operate(method, path, body)
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"


async def test_a_bot_that_is_not_supervised_here_is_a_conflict(desk: Desk, home: Path) -> None:
    await desk.parts.commanding.journal("arb-2", ProcessActed(action="start", actor="a"))
    await eventually_async(lambda: "arb-2" in desk.parts.feed.projections.state.bots)
    answer = await desk.operate("POST", "/bots/arb-2/process/stop", {})
    assert answer.status_code == 409
    assert "deskwatch run --bot arb-2" in answer.json()["detail"]


async def test_a_command_that_the_system_refuses_is_a_problem(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: object) -> None:
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(Supervisor, "start", refuse)
    answer = await desk.operate("POST", "/bots/arb-1/process/start", {})
    assert answer.status_code == 500
    assert "Resource temporarily unavailable" in answer.json()["detail"]
