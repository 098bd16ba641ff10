"""The supervised process, over HTTP."""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]  # it has no types
import pytest

from deskwatch.events import ProcessActed
from deskwatch.sidecar.api.process import PROCESS
from deskwatch.sidecar.commanding import Commanding
from deskwatch.sidecar.supervisor import log_tail
from deskwatch.sidecar.supervisor.supervisor import Supervisor
from deskwatch.supervised import Supervised
from tests.lines import events_in
from tests.unit.sidecar.serving import READER, Desk, serving
from tests.waiting import eventually_async

BOT = "import time; print('token=topsecret', flush=True); time.sleep(60)"


@pytest.fixture
async def desk(home: Path) -> AsyncIterator[Desk]:
    async with serving(home, ("arb-1", [sys.executable, "-c", BOT])) as one:
        await one.caught_up()
        await eventually_async(lambda: "arb-1" in one.parts.feed.projections.state.bots)
        yield one


async def test_the_process_is_stopped_started_and_restarted(desk: Desk, home: Path) -> None:
    await eventually_async(lambda: log_tail.tail(desk.home, "arb-1", 1))
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
    await eventually_async(lambda: log_tail.tail(desk.home, "arb-1", 1))
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


async def test_the_document_says_all_that_is_known(desk: Desk) -> None:
    told = (await desk.ask("GET", "/bots/arb-1/process")).json()
    assert told == {
        "bot": "arb-1",
        "pid": desk.parts.supervisors["arb-1"].pid,
        "running": True,
        "exit_code": None,
        "restarts": 0,
        "gave_up": False,
        "last_lines": [],
        "restart_at": None,
        "started_at": pytest.approx(time.time(), abs=60),
        "held": None,
        "policy": "on-failure",
        "detached": False,
    }
    jsonschema.validate(told, PROCESS)


async def test_a_kill_answers_with_how_the_hook_went(home: Path) -> None:
    hook = ("echo", "canceled; api_key=k-12345")
    one = Supervised(bot="arb-1", command=(sys.executable, "-c", BOT), cancel_hook=hook)
    async with serving(home, one) as desk:
        told = (await desk.operate("POST", "/bots/arb-1/process/kill", {"reason": "it hangs"})).json()
    assert (told["running"], told["exit_code"], told["held"]["action"]) == (False, -9, "kill")
    assert told["hook"] == {"exit_code": 0, "error": None, "output": ["canceled; api_key=[redacted]"]}
    jsonschema.validate(told, PROCESS)


async def test_a_bot_that_never_journaled_is_seen_and_reached(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that fails at import, on a disk so full that not even its start is journaled."""

    async def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Commanding, "journal", full)
    crash = Supervised(bot="arb-1", command=(sys.executable, "-c", "import nothing_there"), crash_limit=1)
    async with serving(home, crash) as desk:
        await desk.caught_up()
        await eventually_async(lambda: desk.parts.supervisors["arb-1"].status.gave_up, 20)
        assert "arb-1" not in desk.parts.feed.projections.state.bots
        (shown,) = (await desk.ask("GET", "/bots")).json()["bots"]
        assert (shown["bot"], shown["supervised"], shown["mode"]["actual"]) == ("arb-1", True, None)
        told = (await desk.operate("GET", "/bots/arb-1/process")).json()
        assert (told["exit_code"], told["gave_up"]) == (1, True)
        assert told["last_lines"][-1] == "ModuleNotFoundError: No module named 'nothing_there'"
        logs = (await desk.operate("GET", "/bots/arb-1/logs?lines=1&file=0")).json()
        assert logs["lines"] == told["last_lines"][-1:]
        assert (await desk.operate("POST", "/bots/arb-1/process/start")).status_code == 200


async def test_what_is_not_supervised_says_so_in_its_state(desk: Desk) -> None:
    await desk.parts.commanding.journal("arb-2", ProcessActed(action="start", actor="a"))
    await eventually_async(lambda: "arb-2" in desk.parts.feed.projections.state.bots)
    bots = (await desk.ask("GET", "/bots")).json()["bots"]
    assert {one["bot"]: one["supervised"] for one in bots} == {"arb-1": True, "arb-2": False}
    assert (await desk.ask("GET", "/bots/arb-1/snapshot")).json()["bot"]["supervised"]
    assert (await desk.ask("GET", "/bots/arb-2/process")).status_code == 409


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", f"/bots/arb-1/process/{one}") for one in ("start", "stop", "restart", "kill")]
    + [("GET", "/bots/arb-1/logs")],
)
async def test_reading_gives_no_way_to_act_or_to_read_output(method: str, path: str, desk: Desk) -> None:
    assert (await desk.ask(method, path)).status_code == 401
    assert desk.parts.supervisors["arb-1"].status.held is None


async def test_a_token_that_may_read_sees_the_process_and_no_more(home: Path, tmp_path: Path) -> None:
    (tmp_path / "reader").write_text(READER)
    as_reader = {"Authorization": f"Bearer {READER}"}
    async with serving(home, ("arb-1", [sys.executable, "-c", BOT]), read_token_file=tmp_path / "reader") as desk:
        assert (await desk.ask("GET", "/bots/arb-1/process", None, **as_reader)).status_code == 200
        assert (await desk.ask("GET", "/bots/arb-1/logs", None, **as_reader)).status_code == 403
        for action in ("stop", "kill"):
            assert (await desk.ask("POST", f"/bots/arb-1/process/{action}", {}, **as_reader)).status_code == 403
        assert desk.parts.supervisors["arb-1"].status.running


async def test_a_file_of_output_that_is_not_there_is_told(desk: Desk) -> None:
    answer = await desk.operate("GET", "/bots/arb-1/logs?file=7")
    assert answer.status_code == 404
    assert answer.json()["detail"].endswith("files of output, was 7")


async def test_the_routes_and_their_errors_are_in_the_openapi_document(desk: Desk) -> None:
    paths = (await desk.ask("GET", "/openapi.json")).json()["paths"]
    for path, method in (("process/kill", "post"), ("process/{action}", "post"), ("process", "get"), ("logs", "get")):
        told = paths[f"/bots/{{bot}}/{path}"][method]["responses"]
        assert {"200", "401", "403", "404", "409", "422"} <= told.keys()
        assert "bot" in told["200"]["content"]["application/json"]["schema"]["required"]
        assert "application/problem+json" in told["422"]["content"]
        assert ("500" in told) == (method == "post")


async def test_metrics_tell_of_the_process(desk: Desk) -> None:
    await desk.operate("POST", "/bots/arb-1/process/kill")
    text = (await desk.ask("GET", "/metrics")).text
    assert 'deskwatch_process_running{bot="arb-1"} 0.0' in text
    assert 'deskwatch_process_last_exit_code{bot="arb-1"} -9.0' in text
    assert 'deskwatch_process_restarts_total{bot="arb-1"} 0.0' in text
