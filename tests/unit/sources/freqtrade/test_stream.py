"""freqtrade's WebSocket, read for ever."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.http11 import Response

from deskwatch.backoff import Backoff
from deskwatch.sources.freqtrade import stream
from deskwatch.sources.freqtrade.client import Client
from deskwatch.sources.freqtrade.stream import Cut, Reconnected, Told, messages
from tests.unit.sources.freqtrade.conftest import settings_for
from tests.unit.sources.freqtrade.payloads import TOPICS
from tests.unit.sources.freqtrade.stand_in import StandIn
from tests.waiting import eventually_async


@pytest.fixture
def heard() -> list[Any]:
    return []


@contextlib.asynccontextmanager
async def listening(client: Client, heard: list[Any]) -> AsyncIterator[None]:
    """Collects what is said."""

    async def listen() -> None:
        async with contextlib.aclosing(messages(client)) as said:
            async for message in said:
                heard.append(message)  # noqa: PERF401  a list made at the end would be empty until then

    task = asyncio.create_task(listen())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def connected(freqtrade: StandIn) -> bool:
    """Whether somebody has subscribed."""
    return any(topics for _, topics in freqtrade.streams)


async def test_what_freqtrade_says_is_heard_after_a_mark(client, freqtrade, heard):
    """A login's token opens the stream."""
    async with listening(client, heard):
        await eventually_async(lambda: heard)
        await asyncio.to_thread(freqtrade.say, "entry_fill", trade_id=7)
        await eventually_async(lambda: len(heard) == 2)
    assert heard == [Reconnected(), Told("entry_fill", {"type": "entry_fill", "trade_id": 7})]


async def test_all_topics_are_subscribed_but_data_frames(client, freqtrade, heard):
    """They are large, and tell nothing that is journaled."""
    async with listening(client, heard):
        await eventually_async(lambda: heard and connected(freqtrade))
        assert freqtrade.streams[0][1] == set(TOPICS) - {"analyzed_df"}


async def test_a_topic_that_an_older_version_lacks_costs_only_itself(client, freqtrade, heard):
    """There one unknown topic voids the whole subscription: what every version knows was subscribed before."""
    freqtrade.topics -= {"liquidation_warning"}
    async with listening(client, heard):
        await eventually_async(lambda: heard and connected(freqtrade))
        assert freqtrade.streams[0][1] == set(stream.BASIC_TOPICS)


@pytest.mark.parametrize(("code", "reason"), [(1012, "restart"), (1000, "closed"), (1008, "unauthorized")])
async def test_a_cut_is_told_and_mended(client, freqtrade, heard, code, reason):
    """Closed with 1012 is a freqtrade that ends, or makes itself anew."""
    async with listening(client, heard):
        await eventually_async(lambda: heard)
        await asyncio.to_thread(freqtrade.cut, code)
        await eventually_async(lambda: len(heard) >= 3)
    assert [type(each) for each in heard[:3]] == [Reconnected, Cut, Reconnected]
    assert heard[1].reason == reason


async def test_a_peer_that_is_away_is_tried_with_pauses(client, freqtrade, heard):
    """Each try is told once, and they are few."""
    async with listening(client, heard):
        await eventually_async(lambda: heard)
        freqtrade.away()
        await eventually_async(lambda: any(isinstance(each, Cut) for each in heard))
        freqtrade.back()
        await eventually_async(lambda: isinstance(heard[-1], Reconnected) and len(heard) > 2)
    assert len(heard) < 12


async def test_a_peer_that_answers_again_is_tried_at_once(client, freqtrade, heard, monkeypatch):
    """However long the pauses have become: REST says when it is back."""

    class Patient(Backoff):
        """An hour, but after a reset nothing."""

        pause = 3600.0

        def next_seconds(self, at_least: float = 0.0) -> float:
            return self.pause

        def reset(self) -> None:
            self.pause = 0.0

    monkeypatch.setattr(stream, "Backoff", Patient)
    freqtrade.away()
    async with listening(client, heard):
        await eventually_async(lambda: heard)
        assert not client.reachable.is_set()
        freqtrade.back()
        await client.get("status")
        await eventually_async(lambda: isinstance(heard[-1], Reconnected))


async def test_a_stream_token_is_used_where_it_is_given(freqtrade, password_file, health, heard, tmp_path, caplog):
    """And it is in no message and no log, not even where it is wrong."""
    caplog.set_level(logging.DEBUG)
    file = tmp_path / "ws_token"
    file.write_text("not-the-streams-token")
    async with Client(settings_for(freqtrade, password_file, ws_token_file=file), health) as client:
        async with listening(client, heard):
            await eventually_async(lambda: heard)
        assert heard[0].reason == "unauthorized"
        file.write_text(freqtrade.ws_token)
        heard.clear()
        async with listening(client, heard):
            await eventually_async(lambda: heard)
    assert heard == [Reconnected()]
    assert freqtrade.asked == []
    assert "token" not in caplog.text.replace("token/login", "")


@pytest.mark.parametrize("is_given", [True, False])
async def test_a_token_that_cannot_be_had_is_a_cut(freqtrade, password_file, health, heard, tmp_path, is_given):
    """A file that is gone, or a freqtrade behind something that gives no tokens."""
    freqtrade.knows_login = is_given
    others = {"ws_token_file": tmp_path / "gone"} if is_given else {}
    async with Client(settings_for(freqtrade, password_file, **others), health) as client, listening(client, heard):
        await eventually_async(lambda: heard)
    assert heard[0].reason == "unauthorized"


@pytest.mark.parametrize("text", ["", "{", "[]", "7", '{"type": 7}', '{"kind": "status"}', "[" * 100_000, b"\xff"])
def test_what_makes_no_sense_is_passed_over(text):
    """No message ends the stream."""
    assert stream._read(text) is None


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (InvalidStatus(Response(403, "", {})), "unauthorized"),  # type: ignore[arg-type]  # its headers don't matter
        (InvalidStatus(Response(404, "", {})), "http"),  # type: ignore[arg-type]  # as above
        (TimeoutError(), "timeout"),
        (ConnectionRefusedError(), "refused"),
        (OSError("token=secret"), "network"),
    ],
    ids=str,
)
def test_why_there_is_no_stream_is_said_in_a_word(error, reason):
    """The libraries' own words may hold the URL, and so the token."""
    cut = stream._cut(error)
    assert cut.reason == reason
    assert "secret" not in cut.detail
