"""The hub: what changes goes to everyone, and waits for nobody."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import pytest

from deskwatch.events import Event, HeartbeatSent, LogRecorded
from deskwatch.projections import Projections
from deskwatch.sidecar import hub as hub_module
from deskwatch.sidecar.hub import CLIENT_BUFFER, Hub, TooManyClients
from tests.lines import record_of

NOTE = LogRecorded(message="m", levelname="INFO", name="n")
BEAT = HeartbeatSent(uptime_seconds=1.0, idle_seconds=0.0)


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    async with Hub(Projections()) as one:
        yield one


def fold(hub: Hub, *events: Event) -> None:
    """Fold events in, as the feed does, and tell the hub."""
    entries = [hub._projections.apply(record_of(event)) for event in events]
    hub.publish([entry for entry in entries if entry is not None])


async def following(stream: AsyncGenerator[bytes, None]) -> Any:
    return json.loads(await asyncio.wait_for(anext(stream), 5))


async def test_a_stream_begins_with_all_there_is(hub: Hub) -> None:
    fold(hub, NOTE)
    stream = hub.stream()
    first = await following(stream)
    assert (first["type"], first["position"], first["bots"][0]["bot"]) == ("snapshot", 1, "arb-1")
    await stream.aclose()


async def test_activity_comes_at_once_and_state_after_it_conflated(hub: Hub) -> None:
    stream = hub.stream()
    await following(stream)
    for _ in range(3):
        fold(hub, NOTE)
    events = [await following(stream) for _ in range(3)]
    assert [(one["type"], one["position"]) for one in events] == [("events", 1), ("events", 2), ("events", 3)]
    assert events[0]["events"][0]["raw"]["message"] == "m"
    state = await following(stream)
    assert (state["type"], state["position"], len(state["bots"])) == ("state", 3, 1)
    assert state["bots"][0]["counts"]["events"] == 3
    await stream.aclose()


async def test_what_is_no_activity_changes_state_only(hub: Hub) -> None:
    stream = hub.stream()
    await following(stream)
    fold(hub, BEAT)
    assert (await following(stream))["type"] == "state"
    await stream.aclose()


async def test_silence_is_filled_with_heartbeats(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "HEARTBEAT_SECONDS", 0.05)
    stream = hub.stream()
    await following(stream)
    assert await following(stream) == {"type": "heartbeat", "position": 0}
    await stream.aclose()


async def test_a_slow_client_is_dropped_and_the_others_get_everything(hub: Hub) -> None:
    slow, quick = hub.stream(), hub.stream()
    await following(slow)
    await following(quick)
    got = []
    for _ in range(CLIENT_BUFFER + 20):
        fold(hub, NOTE)
        got.append(await following(quick))
    assert len([one for one in got if one["type"] == "events"]) >= CLIENT_BUFFER
    assert hub.drops == {"slow": 1, "full": 0}
    assert len(hub.clients) == 1
    with pytest.raises(StopAsyncIteration):
        await following(slow)
    await quick.aclose()
    assert hub.clients == set()


async def test_there_is_room_for_so_many_clients_only(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "MAX_CLIENTS", 2)
    streams = [hub.stream() for _ in range(3)]
    await following(streams[0])
    await following(streams[1])
    with pytest.raises(TooManyClients):
        await following(streams[2])
    assert hub.drops == {"slow": 0, "full": 1}
    await streams[0].aclose()
    late = hub.stream()
    await following(late)
    await late.aclose()
    await streams[1].aclose()


async def test_closing_ends_all_streams_and_starts_no_more(hub: Hub) -> None:
    stream = hub.stream()
    await following(stream)
    hub.close()
    with pytest.raises(StopAsyncIteration):
        await following(stream)
    assert hub.drops["slow"] == 0
    with pytest.raises(TooManyClients):
        await following(hub.stream())


async def test_changes_while_nobody_reads_are_not_kept(hub: Hub) -> None:
    fold(hub, NOTE)
    assert hub._changed == set()
    assert hub._projections.state.changed == set()
