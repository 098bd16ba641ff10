"""Clients of the hub that go on where they were: nothing is missed, nothing is silent, nobody is sent in circles."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deskwatch.journal import Position, names
from deskwatch.sidecar import hub as hub_module
from deskwatch.sidecar.feed import Feed
from deskwatch.sidecar.hub import Hub
from deskwatch.sidecar.streaming import missed
from deskwatch.sidecar.streaming import reader as reader_module
from deskwatch.sidecar.streaming.cursor import Place, Places, shown
from deskwatch.sidecar.streaming.message import heartbeat
from deskwatch.sidecar.streaming.replay import Piece, Replay
from tests.lines import line_of
from tests.unit.sidecar.test_hub import NOTE, Client, all_events, feed, fold, hub
from tests.waiting import eventually_async

__all__ = ["feed", "hub"]  # fixtures


@contextlib.asynccontextmanager
async def resuming(hub: Hub, seen: Places) -> AsyncIterator[Client]:
    with hub.seat() as reader:
        one = Client(hub, reader, seen)
        try:
            yield one
        finally:
            await one.close()


async def test_who_resumes_where_a_segment_can_not_be_read_is_told_so_and_lives_on(
    hub: Hub, feed: Feed, home: Path
) -> None:
    folder = names.writer_folder(home, "arb-1", "main")
    folder.mkdir(parents=True)
    for first in (1, 3, 5):
        lines = b"".join(line_of(NOTE, seq=first + more) + b"\n" for more in (0, 1))
        (folder / names.segment_name(first)).write_bytes(lines)
        await eventually_async(lambda first=first: hub.view.position == first + 1)  # type: ignore[misc]  # bound at once
    size = len(line_of(NOTE, seq=1)) + 1
    (folder / names.segment_name(3)).unlink()
    (folder / names.segment_name(3)).mkdir()  # opens, and can't be read: as with a disk that fails there
    for _ in range(2):  # it would come again with the same cursor, for ever
        async with resuming(hub, {("arb-1", "main"): Place(Position(1, size))}) as one:
            assert (await one.next())["type"] == "resumed"
            snapshot = await one.of_type("snapshot")
            assert "arb-1/main can't be read" in snapshot["reset"]
            assert snapshot["cursor"] == shown(feed.places)
    async with resuming(hub, dict(feed.places)) as one:
        await one.of_type("resumed")
        await fold(home, hub, NOTE)
        assert len(await all_events(one, 1)) == 1


async def test_who_resumes_and_can_not_keep_up_is_told_from_the_journal_without_a_gap(
    hub: Hub, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader_module, "MAX_WAITING", 1)
    monkeypatch.setattr(missed, "MAX_ROUNDS", 1)
    monkeypatch.setattr(Replay.read, "__defaults__", (2,))
    await fold(home, hub, *[NOTE] * 6)
    async with resuming(hub, {}) as slow:
        assert (await slow.next())["type"] == "resumed"
        found = (await slow.of_type("events"))["events"]
        for _ in range(5):
            await fold(home, hub, NOTE)
            hub.flush()
        assert not slow.reader.is_live
        position = 0
        while len(found) < 11:
            message = await slow.next()
            assert message["type"] != "snapshot"
            assert message["position"] >= position
            position = message["position"]
            found += message.get("events", [])
        assert len({event["id"] for event in found}) == 11


async def test_a_heartbeat_that_waited_takes_no_position_back(hub: Hub, home: Path) -> None:
    await fold(home, hub, NOTE)
    with hub.seat() as reader:
        reader.put(heartbeat(0))
        one = Client(hub, reader, {})
        assert (await one.of_type("resumed"))["position"] == 1
        assert (await one.of_type("heartbeat"))["position"] == 1
        await one.close()


async def test_heartbeats_come_while_the_disk_is_slow(feed: Feed, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(missed, "IDLE_SECONDS", 0.01)
    monkeypatch.setattr(hub_module, "HEARTBEAT_SECONDS", 0.01)
    is_readable = threading.Event()
    read = Replay.read

    def read_late(replay: Replay) -> Piece | None:
        assert is_readable.wait(20)
        return read(replay)

    monkeypatch.setattr(Replay, "read", read_late)
    try:
        async with Hub(feed) as hub:
            feed.listen(hub.publish)
            await fold(home, hub, NOTE)
            async with resuming(hub, {}) as one:
                await one.of_type("resumed")
                assert [(await one.next())["type"] for _ in range(3)] == ["heartbeat"] * 3
                is_readable.set()
                assert len(await all_events(one, 1)) == 1
    finally:
        is_readable.set()
