"""Following a sidecar: over the stream, over polling, and through what breaks."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deskwatch.errors import ConfigError, NotAllowed
from deskwatch.live import Access, Change, Cursor, Live, Pace, connect
from deskwatch.live.messages import Heartbeat, Snapshot
from tests.fakes.sidecar import FakeSidecar, running
from tests.waiting import eventually_async

PACE = Pace(first_retry_seconds=0.01, most_retry_seconds=0.1, poll_seconds=0.1, steady_seconds=0.1)


class Reader:
    """Reads all changes in the background."""

    def __init__(self, live: Live) -> None:
        self.live = live
        self.changes: list[Change] = []

    @property
    def ids(self) -> list[str | None]:
        return [entry.id for change in self.changes for entry in change.events]

    @property
    def resets(self) -> list[str]:
        return [change.reset for change in self.changes if change.reset is not None]

    async def read(self) -> None:
        async for change in self.live:
            self.changes.append(change)

    async def has_all(self, fake: FakeSidecar) -> None:
        """Wait until as many events were read as there are, and then hold them against each other."""
        await eventually_async(lambda: len(self.ids) >= len(fake.events), 20)
        assert self.ids == [event["id"] for event in fake.events]
        await eventually_async(lambda: self.live.bots["arb-1"].counts.events == len(fake.events), 20)

    async def on(self, road: str) -> None:
        await eventually_async(lambda: self.live.road == road, 20)


@contextlib.asynccontextmanager
async def reading(url: str, cursor: Cursor | None = None) -> AsyncIterator[Reader]:
    async with connect(url, pace=PACE, cursor=cursor) as live:
        reader = Reader(live)
        task = asyncio.create_task(reader.read())
        try:
            yield reader
        finally:
            task.cancel()
            await asyncio.wait([task])
        if not task.cancelled():
            await task


async def test_a_stream_begins_with_all_bots_and_goes_on_with_events_in_order():
    async with running() as fake, reading(fake.url) as reader:
        await reader.on("stream")
        assert reader.live.bots["arb-1"].mode.actual == "active"
        assert reader.live.trouble == ""
        assert reader.live.age_seconds < 3
        fake.emit(5)
        await reader.has_all(fake)
        assert reader.live.cursor == fake.cursor()
        assert reader.resets == []
        assert reader.changes[-1].road == "stream"


@pytest.mark.parametrize("in_frame", [False, True])
async def test_a_connection_that_breaks_is_taken_up_where_it_broke(in_frame: bool):
    async with running() as fake, reading(fake.url) as reader:
        for _ in range(5):
            await reader.on("stream")
            await eventually_async(lambda: fake.connections)
            fake.emit(3)
            await fake.break_off(in_frame=in_frame)
            fake.emit(4)
            await reader.has_all(fake)
        assert reader.resets == []
        assert len(fake.cursors) >= 5


async def test_a_sidecar_that_was_away_is_taken_up_where_it_was_left():
    async with running() as fake:
        port = int(fake.url.rpartition(":")[2])
    fake.emit(2)
    async with reading(fake.url, fake.cursor(0)) as reader:
        assert reader.live.age_seconds == math.inf
        for _ in range(2):
            async with running(port, fake):
                await reader.on("stream")
                await reader.has_all(fake)
            await reader.on("down")
            assert reader.live.trouble
            fake.emit(3)
        assert reader.resets == []


@pytest.mark.parametrize("status", [403, 404, 426, 503])
async def test_polling_tells_the_same_while_no_stream_can_be_had(status: int):
    async with running() as fake, reading(fake.url) as reader:
        await reader.on("stream")
        fake.streams = status
        await fake.break_off()
        fake.emit(10)
        await reader.on("polling")
        await reader.has_all(fake)
        assert "no WebSocket" in reader.live.trouble
        assert reader.live.age_seconds < 3
        fake.emit(4)
        await reader.has_all(fake)
        fake.streams = 200
        fake.emit(2)
        await reader.on("stream")
        fake.emit(2)
        await reader.has_all(fake)
        assert reader.resets == []


async def test_a_sidecar_that_answers_503_is_down_until_it_does_not():
    async with running() as fake:
        fake.streams = fake.polls = 503
        async with reading(fake.url) as reader:
            await eventually_async(lambda: fake.polled > 2 and "not now" in reader.live.trouble)
            assert reader.live.road == "down"
            fake.streams = fake.polls = 200
            await reader.on("stream")


async def test_that_nothing_answers_at_first_is_told():
    async with connect("http://127.0.0.1:1", pace=PACE) as live:
        change = await asyncio.wait_for(anext(live), 10)
        assert (change.road, change.bots) == ("down", ())
        await eventually_async(lambda: "can't be reached" in live.trouble)  # between tries it tells of the WebSocket


async def test_a_silent_connection_counts_as_broken(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("deskwatch.live.stream.SILENCE_SECONDS", 0.2)
    async with running() as fake, reading(fake.url) as reader:
        await reader.on("stream")
        fake.beats = False
        await eventually_async(lambda: len(fake.cursors) >= 2)
        fake.emit(3)
        await reader.has_all(fake)


async def test_a_message_that_is_missing_is_noticed_and_asked_for_again():
    async with running() as fake, reading(fake.url) as reader:
        await reader.on("stream")
        fake.skip_number()
        await eventually_async(lambda: fake.cursors)
        fake.emit(2)
        await reader.has_all(fake)


async def test_a_place_that_the_journal_no_longer_holds_is_told_as_a_reset():
    async with running() as fake:
        fake.emit(4)
        fake.reset = "retention removed it"
        async with reading(fake.url, {"arb-1/main": "0.0"}) as reader:
            await eventually_async(lambda: reader.resets)
            assert reader.resets == ["retention removed it"]
            fake.emit(1)
            await eventually_async(lambda: reader.ids == [fake.events[-1]["id"]])


async def test_a_wrong_token_is_raised_and_not_tried_for_ever():
    async with running() as fake:
        fake.wants = "Bearer right"
        async with connect(fake.url, token="wrong", pace=PACE) as live:
            with pytest.raises(NotAllowed, match="wants a token"):
                await asyncio.wait_for(_to_the_end(live), 10)
            with pytest.raises(NotAllowed):  # and again, for whoever asks again
                await asyncio.wait_for(_to_the_end(live), 10)
            assert live.road == "down"


async def test_a_token_that_is_refused_as_a_websocket_is_looked_into_by_http():
    async with running() as fake:
        fake.wants, fake.streams = "Bearer right", 403
        fake.polls = 401
        async with connect(fake.url, token="right", pace=PACE) as live:
            with pytest.raises(NotAllowed):
                await asyncio.wait_for(_to_the_end(live), 10)


async def test_a_token_file_is_read_for_each_connection(tmp_path: Path):
    async with running() as fake:
        fake.wants = "Bearer first"
        file = tmp_path / "token"
        file.write_text("first\n")
        async with connect(fake.url, token_file=file, pace=PACE) as live:
            await asyncio.wait_for(anext(live), 10)
            await eventually_async(lambda: live.road == "stream")
            fake.wants = "Bearer second"
            file.write_text("second\n")
            await fake.break_off()
            await eventually_async(lambda: fake.cursors)


@pytest.mark.parametrize(
    "url", ["desk:9464", "ftp://desk", "http://", "http://me:secret@desk", "http://desk?x=1", "http://desk:port"]
)
def test_a_url_that_is_none_is_told(url: str):
    with pytest.raises(ConfigError, match="expected"):
        connect(url).access.check()


async def test_a_reader_that_is_slow_is_waited_for_and_gets_everything(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("deskwatch.live.inbox.MAX_WAITING", 4)
    async with running() as fake, connect(fake.url, pace=PACE) as live:
        await eventually_async(lambda: live.road == "stream")
        for _ in range(50):
            fake.emit(2)
            await asyncio.sleep(0.012)
        got: list[str | None] = []
        while len(got) < len(fake.events):
            change = await asyncio.wait_for(anext(live), 10)
            got += [entry.id for entry in change.events]
        assert got == [event["id"] for event in fake.events]


async def test_leaving_ends_the_reading_within_the_time_to_hang_up():
    async with running() as fake:
        async with asyncio.timeout(10), connect(fake.url, pace=PACE) as live:
            await eventually_async(lambda: live.road == "stream")
        async with asyncio.timeout(1):
            changes = [change async for change in live]
        assert ("arb-1",) in [change.bots for change in changes]
        await eventually_async(lambda: not fake.connections)


async def test_a_sidecar_that_only_beats_makes_no_old_data_new() -> None:
    """It is reading its journals after a restart: until it tells the state, what is held is from before."""
    live = Live(Access(url="http://127.0.0.1:1"))
    await live._take(Heartbeat(n=1), "stream")
    assert (live.road, live.age_seconds) == ("down", math.inf)
    assert "still reading its journals" in live.trouble
    await live._take(Snapshot(n=2, cursor={}), "stream")
    await live._take(Heartbeat(n=3), "stream")
    assert (live.road, live.trouble) == ("stream", "")
    assert live.age_seconds < 60


async def _to_the_end(live: Live) -> None:
    async for _ in live:
        pass
