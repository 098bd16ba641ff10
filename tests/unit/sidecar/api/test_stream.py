"""The stream, as WebSocket and as server-sent events."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from deskwatch.events import LogRecorded, SignalRaised
from deskwatch.sidecar import hub as hub_module
from deskwatch.sidecar.api import stream as stream_module
from tests.lines import segment_files, write
from tests.unit.sidecar.serving import Connection, Desk, connected, serving
from tests.waiting import eventually_async

NOTE = LogRecorded(message="m", levelname="INFO", name="n")


@pytest.fixture
async def desk(home: Path) -> AsyncIterator[Desk]:
    write(home, [NOTE])
    async with serving(home) as one:
        yield await one.caught_up()


async def opened(connection: Connection, kind: str) -> Any:
    """The first message of a stream that was let in."""
    head = await connection.message()
    assert head.get("status") == 200 if kind == "http" else head["type"] == "websocket.accept"
    return await connection.json()


async def of_type(connection: Connection, kind: str) -> Any:
    while (message := await connection.json())["type"] != kind:
        pass
    return message


@pytest.mark.parametrize("kind", ["http", "websocket"])
async def test_a_stream_is_a_snapshot_and_then_what_changes(kind: str, desk: Desk, home: Path) -> None:
    async with connected(desk, kind, "/stream") as connection:
        first = await opened(connection, kind)
        assert (first["type"], first["position"], len(first["bots"])) == ("snapshot", 1, 1)
        write(home, [NOTE])
        events = await of_type(connection, "events")
        assert (events["position"], events["events"][0]["raw"]["message"]) == (2, "m")
        state = await of_type(connection, "state")
        assert state["bots"][0]["counts"]["events"] == 2
        assert len(desk.parts.hub.readers) == 1
    await eventually_async(lambda: desk.parts.hub.readers == set())


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer wrong"},
        {"host": "evil.example"},
        {"origin": "http://evil.example"},
        {"origin": "http://127.0.0.1:1"},
    ],
    ids=["wrong token", "another host", "another origin", "another port"],
)
async def test_a_websocket_is_refused_to_strangers(headers: dict[str, str], desk: Desk) -> None:
    async with connected(desk, "websocket", "/stream", **headers) as connection:
        assert await connection.message() == {"type": "websocket.close", "code": 1008, "reason": ""}


async def test_a_websocket_of_the_sidecars_own_page_is_let_in(desk: Desk) -> None:
    async with connected(desk, "websocket", "/stream", origin="http://127.0.0.1:9464") as connection:
        assert (await opened(connection, "websocket"))["type"] == "snapshot"


async def test_there_is_room_for_so_many_readers_only(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "MAX_CLIENTS", 1)
    async with connected(desk, "websocket", "/stream") as first:
        await opened(first, "websocket")
        async with connected(desk, "websocket", "/stream") as second:
            assert (await second.message())["type"] == "websocket.accept"
            assert await second.json() == {"n": 1, "type": "dropped", "reason": "full"}
            closed = await second.message()
            assert (closed["code"], closed["reason"]) == (1013, "full")
        answer = await desk.ask("GET", "/stream")
        assert answer.status_code == 503
        assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("kind", ["http", "websocket"])
async def test_readers_without_a_token_keep_no_operator_from_looking(
    kind: str, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "MAX_CLIENTS", 1)
    monkeypatch.setattr(hub_module, "RESERVE", 1)
    bearer = {"authorization": desk.operator["Authorization"]}
    async with connected(desk, kind, "/stream") as stranger:
        await opened(stranger, kind)
        async with connected(desk, kind, "/stream", **bearer) as operator:
            assert (await opened(operator, kind))["type"] == "snapshot"
            assert (await desk.operate("GET", "/stream")).status_code == 503


@pytest.mark.parametrize("kind", ["http", "websocket"])
async def test_streams_end_when_the_sidecar_stops(kind: str, desk: Desk) -> None:
    async with connected(desk, kind, "/stream") as connection:
        await opened(connection, kind)
        desk.parts.hub.close()
        assert (await of_type(connection, "dropped"))["reason"] == "closing"
        last = await connection.message()
        assert last.get("more_body") is False if kind == "http" else last["code"] == 1013


async def held_by(desk: Desk) -> Any:
    """The cursor that a client of now holds."""
    return (await desk.ask("GET", "/snapshot")).json()["cursor"]


def as_token(cursor: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(cursor).encode()).decode().rstrip("=")


@contextlib.asynccontextmanager
async def resumed(desk: Desk, kind: str, cursor: Any) -> AsyncIterator[Connection]:
    """A stream whose client says from where it goes on."""
    if kind == "websocket":
        async with connected(desk, kind, "/stream?resume=1") as connection:
            connection.say(json.dumps({"type": "resume", "cursor": cursor}))
            yield connection
    elif kind == "header":
        async with connected(desk, "http", "/stream", **{"last-event-id": as_token(cursor)}) as connection:
            yield connection
    else:
        async with connected(desk, "http", f"/stream?cursor={as_token(cursor)}") as connection:
            yield connection


ROADS = ["websocket", "header", "query"]


def road(kind: str) -> str:
    return "websocket" if kind == "websocket" else "http"


@pytest.mark.parametrize("kind", ROADS)
async def test_who_comes_back_is_told_what_it_missed_and_then_what_happens(kind: str, desk: Desk, home: Path) -> None:
    cursor = await held_by(desk)
    write(home, [NOTE] * 3)
    write(home, [NOTE], bot="arb-2")  # that did not exist when the cursor was given
    await eventually_async(lambda: desk.parts.hub.view.position == 5)
    async with resumed(desk, kind, cursor) as connection:
        first = await opened(connection, road(kind))
        assert (first["n"], first["type"], first["position"]) == (1, "resumed", 5)
        assert first["cursor"] == {**cursor, "arb-2/main": "0.0"}
        assert [bot["counts"]["events"] for bot in first["bots"]] == [4, 1]
        missed = await of_type(connection, "events")
        assert (missed["n"], missed["replayed"]) == (2, True)
        assert [event["number"] for event in missed["events"]] == [None] * 4
        await of_type(connection, "state")  # it is live by now: what was journaled earlier may come as missed, too
        write(home, [NOTE])
        live = await of_type(connection, "events")
        assert live["replayed"] is False
        assert [event["number"] for event in live["events"]] == [6]
        merged = {**cursor, **missed["cursor"], **live["cursor"]}
        assert merged == await held_by(desk)
    assert desk.parts.hub.resumes == {"resumed": 1, "reset": 0}


@pytest.mark.parametrize("kind", ROADS)
async def test_who_cant_go_on_gets_a_snapshot_that_says_why(kind: str, desk: Desk) -> None:
    async with resumed(desk, kind, {"arb-1/main": "1.99999"}) as connection:
        first = await opened(connection, road(kind))
        assert (first["type"], first["cursor"]) == ("snapshot", await held_by(desk))
        assert "ahead of what arb-1/main holds" in first["reset"]
    assert desk.parts.hub.resumes == {"resumed": 0, "reset": 1}


async def test_what_is_missed_comes_with_ids_that_it_can_be_gone_on_from(desk: Desk, home: Path) -> None:
    cursor = await held_by(desk)
    write(home, [NOTE] * 3)
    await eventually_async(lambda: desk.parts.hub.view.position == 4)
    async with resumed(desk, "header", cursor) as connection:
        await opened(connection, "http")
        data = (await connection.message())["body"].decode()
        token = data.partition("\n")[0].removeprefix("id: ")
        assert json.loads(base64.urlsafe_b64decode(token + "==")) == await held_by(desk)


@pytest.mark.parametrize(
    "frame",
    ["", "no json", "[]", '{"type":"resume"}', '{"type":"hello","cursor":{}}', '{"type":"resume","cursor":{"a":"b"}}'],
)
async def test_a_malformed_first_frame_ends_the_websocket(frame: str, desk: Desk) -> None:
    async with connected(desk, "websocket", "/stream?resume=1") as connection:
        connection.say(frame)
        assert (await connection.message())["type"] == "websocket.accept"
        closed = await connection.message()
        assert (closed["type"], closed["code"]) == ("websocket.close", 1008)
        assert closed["reason"].startswith("expected")


async def test_a_websocket_that_does_not_say_from_where_gets_a_snapshot(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_module, "RESUME_SECONDS", 0.02)
    async with connected(desk, "websocket", "/stream?resume=1") as connection:
        first = await opened(connection, "websocket")
        assert first["type"] == "snapshot"
        assert "first frame" in first["reset"]


@pytest.mark.parametrize("how", [{"last_event_id": "!"}, {"last_event_id": "e30x"}])
async def test_a_malformed_last_event_id_is_told(how: dict[str, str], desk: Desk) -> None:
    answer = await desk.ask("GET", "/stream", **how)
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("kind", ["http", "websocket"])
async def test_a_stream_is_of_the_bots_and_kinds_that_were_asked_for(kind: str, desk: Desk, home: Path) -> None:
    async with connected(desk, kind, "/stream?bot=arb-2&bot=arb-3&kind=logs&kind=orders") as connection:
        assert (await opened(connection, kind))["bots"] == []
        write(home, [NOTE])
        write(home, [SignalRaised(signal="s", provider="p"), NOTE], bot="arb-3")
        events = await of_type(connection, "events")
        assert [(event["bot"], event["kind"]) for event in events["events"]] == [("arb-3", "logs")]
        assert set(events["cursor"]) == {"arb-3/main"}
        assert [bot["bot"] for bot in (await of_type(connection, "state"))["bots"]] == ["arb-3"]


async def test_the_servers_answer_names_its_protocol_to_who_asks_for_it(desk: Desk) -> None:
    bearer = desk.operator["Authorization"].split()[1]
    asked = {"sec-websocket-protocol": f"deskwatch.v1, bearer.{bearer}"}
    async with connected(desk, "websocket", "/stream", **asked) as connection:
        assert (await connection.message())["subprotocol"] == "deskwatch.v1"


async def test_followers_of_the_activity_count_as_readers_too(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "MAX_CLIENTS", 1)
    async with connected(desk, "http", "/activity/stream?since=0") as first:
        await first.message()
        await first.json()
        for path in ("/activity/stream", "/stream"):
            answer = await desk.ask("GET", path)
            assert answer.status_code == 503
    assert desk.parts.hub.drops["full"] == 2


async def test_a_journal_that_is_cut_while_it_is_watched_sends_its_readers_away(desk: Desk, home: Path) -> None:
    """They come again, and are told that what they hold is not what there is."""
    write(home, [NOTE] * 5)
    await eventually_async(lambda: desk.parts.hub.view.position == 6)
    cursor = await held_by(desk)
    (file,) = segment_files(home)
    lines = file.read_bytes().splitlines(keepends=True)
    async with connected(desk, "websocket", "/stream") as connection:
        await opened(connection, "websocket")
        file.write_bytes(b"".join(lines[:2]))
        write(home, [NOTE])
        assert (await of_type(connection, "dropped"))["reason"] == "resync"
    await eventually_async(lambda: desk.parts.hub.view.position == 7)
    async with resumed(desk, "websocket", cursor) as connection:
        first = await opened(connection, "websocket")
        assert first["type"] == "snapshot"
        assert "arb-1/main" in first["reset"]
