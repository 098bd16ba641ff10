"""The stream, as WebSocket and as server-sent events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from deskwatch.events import LogRecorded
from deskwatch.sidecar import hub as hub_module
from tests.lines import write
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
async def test_streams_end_when_the_sidecar_stops(kind: str, desk: Desk) -> None:
    async with connected(desk, kind, "/stream") as connection:
        await opened(connection, kind)
        desk.parts.hub.close()
        assert (await of_type(connection, "dropped"))["reason"] == "closing"
        last = await connection.message()
        assert last.get("more_body") is False if kind == "http" else last["code"] == 1013
