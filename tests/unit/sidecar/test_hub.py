"""The hub: what changes goes to everyone, and waits for nobody."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from deskwatch.events import Event, HeartbeatSent, LogRecorded, Mode, ModeChanged
from deskwatch.sidecar import hub as hub_module
from deskwatch.sidecar.feed import Feed, Round
from deskwatch.sidecar.hub import Hub, TooManyClients
from deskwatch.sidecar.streaming import reader as reader_module
from deskwatch.sidecar.streaming.cursor import Places
from deskwatch.sidecar.streaming.reader import Reader
from deskwatch.sidecar.streaming.topic import EVERYTHING, Topic
from tests.lines import segment_files, write
from tests.waiting import eventually_async

NOTE = LogRecorded(message="m", levelname="INFO", name="n")
BEAT = HeartbeatSent(uptime_seconds=1.0, idle_seconds=0.0)


@pytest.fixture
async def feed(home: Path) -> AsyncIterator[Feed]:
    async with Feed(home, 3600) as one:
        yield one


@pytest.fixture
async def hub(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hub]:
    monkeypatch.setattr(hub_module, "HEARTBEAT_SECONDS", 3600)
    async with Hub(feed) as one:
        feed.listen(one.publish)
        yield one


class Client:
    """A reader of the hub, without a connection."""

    def __init__(self, hub: Hub, reader: Reader, seen: Places | None = None) -> None:
        self.reader = reader
        self._messages = hub.stream(reader, seen)

    async def next(self) -> Any:
        message = await asyncio.wait_for(anext(self._messages), 30)
        return json.loads(message.as_text(1))

    async def of_type(self, kind: str) -> Any:
        while (message := await self.next())["type"] != kind:
            pass
        return message

    async def close(self) -> None:
        await self._messages.aclose()


@contextlib.asynccontextmanager
async def client(hub: Hub, topic: Topic = EVERYTHING) -> AsyncIterator[Client]:
    with hub.seat(topic) as reader:
        one = Client(hub, reader)
        try:
            yield one
        finally:
            await one.close()


async def fold(home: Path, hub: Hub, *events: Event, bot: str = "arb-1") -> None:
    """Journal events, and wait until they are folded in."""
    position = hub.view.position
    write(home, events, bot=bot)
    await eventually_async(lambda: hub.view.position == position + len(events))


async def test_a_stream_begins_with_all_there_is(hub: Hub, home: Path) -> None:
    await fold(home, hub, NOTE)
    async with client(hub) as one:
        first = await one.next()
        assert (first["type"], first["position"], first["bots"][0]["bot"]) == ("snapshot", 1, "arb-1")
        assert (first["epoch"], first["reset"], list(first["cursor"])) == (hub.view.epoch, None, ["arb-1/main"])


async def test_activity_comes_at_once_and_state_after_it_conflated(hub: Hub, home: Path) -> None:
    async with client(hub) as one:
        await one.next()
        for _ in range(3):
            await fold(home, hub, NOTE)
        events: list[Any] = []
        while len(events) < 3:
            events += (await one.of_type("events"))["events"]
        assert [event["number"] for event in events] == [1, 2, 3]
        state = await one.of_type("state")
        while state["position"] < 3:
            state = await one.of_type("state")
        assert (len(state["bots"]), state["bots"][0]["counts"]["events"]) == (1, 3)


async def test_a_new_mode_does_not_wait_until_state_is_due(
    hub: Hub, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "STATE_SECONDS", 3600)
    async with client(hub) as one:
        await one.next()
        await fold(home, hub, BEAT)
        await one.of_type("state")
        await fold(home, hub, BEAT)  # from here on the next state is an hour away
        await fold(home, hub, ModeChanged(mode=Mode.HALTED))
        state = await one.of_type("state")
        assert (state["bots"][0]["mode"]["actual"], state["bots"][0]["counts"]["events"]) == ("halted", 3)


async def test_what_is_no_activity_changes_state_only_and_moves_the_cursor(hub: Hub, home: Path) -> None:
    async with client(hub) as one:
        await one.next()
        await fold(home, hub, BEAT)
        state = await one.next()
        assert (state["type"], list(state["cursor"])) == ("state", ["arb-1/main"])


async def test_a_client_that_comes_later_is_not_told_again_what_its_snapshot_holds(
    hub: Hub, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "FLUSH_SECONDS", 3600)
    async with client(hub) as early:
        await early.next()
        await fold(home, hub, NOTE)  # sent at once
        await early.of_type("events")
        await fold(home, hub, NOTE)  # waits to be sent with others
        async with client(hub) as late:
            assert (await late.next())["position"] == 2
            assert (await early.of_type("events"))["position"] == 2
            await fold(home, hub, NOTE)
            hub.flush()
            assert [event["number"] for event in (await late.of_type("events"))["events"]] == [3]


async def test_every_client_hears_a_heartbeat_though_there_is_more_to_tell(
    feed: Feed, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "HEARTBEAT_SECONDS", 0.05)
    async with Hub(feed) as hub:
        feed.listen(hub.publish)
        async with client(hub) as one:
            await one.of_type("snapshot")
            for _ in range(3):
                await fold(home, hub, NOTE)
                beat = await one.of_type("heartbeat")
                assert set(beat) == {"n", "type", "position", "now"}


async def test_a_client_is_told_only_of_its_bots_and_kinds(hub: Hub, home: Path) -> None:
    topic = Topic(frozenset(["arb-1"]), frozenset(["lifecycle"]))
    async with client(hub, topic) as one:
        assert (await one.next())["bots"] == []
        await fold(home, hub, NOTE, bot="arb-2")
        await fold(home, hub, NOTE)
        await fold(home, hub, BEAT)
        state = await one.next()
        assert (state["type"], [bot["bot"] for bot in state["bots"]]) == ("state", ["arb-1"])
        assert set(state["cursor"]) == {"arb-1/main"}


async def test_a_message_is_encoded_once_for_all_who_want_the_same(hub: Hub, home: Path) -> None:
    async with client(hub) as one, client(hub) as two, client(hub, Topic(frozenset(["arb-1"]))) as other:
        for each in (one, two, other):
            await each.next()
        await fold(home, hub, NOTE)
        await eventually_async(lambda: all(each.reader._waiting for each in (one, two, other)))
        first, second, third = (each.reader._waiting[0] for each in (one, two, other))
        assert first is second
        assert first is not third


async def all_events(one: Client, count: int) -> list[Any]:
    found: list[Any] = []
    while len(found) < count:
        found += (await one.of_type("events"))["events"]
    return found


@pytest.mark.parametrize(("bound", "most"), [("MAX_WAITING", 5), ("MAX_WAITING_BYTES", 2000)])
async def test_a_client_for_whom_too_much_waits_is_told_from_the_journal_and_misses_nothing(
    bound: str, most: int, hub: Hub, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader_module, bound, most)
    async with client(hub) as slow, client(hub) as quick:
        await slow.next()
        await quick.next()
        for number in range(1, 21):
            await fold(home, hub, NOTE)
            assert [event["number"] for event in await all_events(quick, 1)] == [number]
            assert len(slow.reader._waiting) <= 5
        assert not slow.reader.is_live
        ids = [event["id"] for event in await all_events(slow, 20)]
        assert len(set(ids)) == 20
        await slow.of_type("state")  # it is live again
        await fold(home, hub, NOTE)
        assert [event["number"] for event in await all_events(slow, 1)] == [21]
        assert (await slow.of_type("state"))["bots"][0]["counts"]["events"] == 21
        assert (hub.lapses, hub.drops["slow"]) == (1, 0)


async def test_a_lapsed_client_whose_journal_is_gone_is_sent_away_to_come_again(
    hub: Hub, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader_module, "MAX_WAITING", 1)
    async with client(hub) as slow:
        await slow.next()
        for _ in range(5):
            await fold(home, hub, NOTE)
            hub.flush()
        await eventually_async(lambda: not slow.reader.is_live)
        for file in segment_files(home):
            file.unlink()
        assert (await slow.of_type("dropped"))["reason"] == "resync"


async def test_a_client_that_takes_a_message_and_no_more_is_cut_off(
    hub: Hub, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "STALL_SECONDS", 0.1)
    monkeypatch.setattr(hub_module, "WATCH_SECONDS", 0.02)
    cut: list[str] = []
    with hub.seat(EVERYTHING, lambda: cut.append("cut")) as reader:
        stream = hub.stream(reader)
        await anext(stream)  # and not asked for more: it is still being sent
        await eventually_async(lambda: cut == ["cut"])
        assert hub.drops["slow"] == 1
        assert hub.readers == set()
        await stream.aclose()


async def test_a_slow_client_gets_the_newest_state_and_not_every_one(
    hub: Hub, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "STATE_SECONDS", 0.0)
    async with client(hub) as slow, client(hub) as quick:
        await slow.next()
        await quick.next()
        for _ in range(5):
            await fold(home, hub, BEAT)
            await quick.of_type("state")
        state = await slow.next()
        assert (state["type"], state["position"], state["bots"][0]["counts"]["events"]) == ("state", 5, 5)
        assert not slow.reader.changed


async def test_there_is_room_for_so_many_clients_only(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "MAX_CLIENTS", 2)
    with hub.seat(), hub.seat():
        with pytest.raises(TooManyClients), hub.seat():
            pass
        assert hub.drops["full"] == 1
    with hub.seat():
        assert len(hub.readers) == 1


async def test_closing_ends_all_streams_and_starts_no_more(hub: Hub) -> None:
    async with client(hub) as one:
        await one.next()
        hub.close()
        assert (await one.next())["reason"] == "closing"
        with pytest.raises(StopAsyncIteration):
            await one.next()
        assert hub.drops == {"slow": 0, "full": 0, "resync": 0, "closing": 1}
        with pytest.raises(TooManyClients), hub.seat():
            pass


async def test_who_watches_a_journal_that_was_changed_is_sent_away_to_come_again(hub: Hub, home: Path) -> None:
    async with client(hub) as one, client(hub, Topic(frozenset(["arb-2"]))) as other:
        await one.next()
        await other.next()
        hub.publish(Round([], {}, {("arb-1", "main")}))
        assert (await one.next())["reason"] == "resync"
        assert hub.readers == {other.reader}


async def test_changes_while_nobody_reads_are_not_kept(hub: Hub, feed: Feed, home: Path) -> None:
    await fold(home, hub, NOTE)
    assert hub._changed == set()
    assert feed.projections.state.changed == set()


async def test_until_the_journals_are_caught_up_with_there_are_heartbeats_only(
    feed: Feed, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "HEARTBEAT_SECONDS", 0.02)
    async with Hub(feed) as hub:
        feed.listen(hub.publish)
        await feed.caught_up.wait()
        feed.caught_up.clear()
        async with client(hub) as one:
            assert [(await one.next())["type"] for _ in range(3)] == ["heartbeat"] * 3
            feed.caught_up.set()
            assert (await one.of_type("snapshot"))["bots"] == []
