"""Who watches a bot, in its live state."""

from __future__ import annotations

from typing import Any

import msgspec

from deskwatch.events import (
    BlockObserved,
    BotStarted,
    Event,
    HeartbeatSent,
    Mode,
    PriceObserved,
    WatchStarted,
    WatchStopped,
)
from deskwatch.live import BotState
from deskwatch.projections.state import MAX_NAMED, State
from deskwatch.projections.watch import MAX_WATCHES
from tests.lines import START_NS, record_of

BEGAN = WatchStarted(source="freqtrade", peer="http://127.0.0.1:8080")
ENDED = WatchStopped(source="freqtrade", reason="closed")
STARTED = BotStarted(pid=0, host="h", mode=Mode.ACTIVE, boot="1")


def state(*told: tuple[str, Event]) -> BotState:
    """The state of a bot as a client of the sidecar reads it, after events of its writers, a second apart."""
    folded = State()
    for at, (writer, event) in enumerate(told):
        folded.apply(record_of(event, writer=writer, ts=START_NS + at * 10**9, seq=at + 1))
    return msgspec.convert(msgspec.to_builtins(folded.bots["arb-1"]), BotState)


def test_a_source_is_shown_with_its_peer_until_it_ceases_and_again_when_it_comes_back() -> None:
    told: list[Any] = [("main", BEGAN)]
    assert (state(*told).watches["main"].source, state(*told).watches["main"].peer) == ("freqtrade", BEGAN.peer)
    assert state(*told).watches["main"].until is None
    told.append(("main", ENDED))
    assert state(*told).watches["main"].until == START_NS / 1e9 + 1
    assert state(*told).is_unwatched
    told.append(("main", BEGAN))
    assert not state(*told).is_unwatched


def test_a_bot_that_journals_itself_after_it_was_watched_is_not_unwatched() -> None:
    """Else the page would offer no halt of it."""
    watched: list[Any] = [("main", BEGAN), ("main", STARTED)]
    assert list(state(*watched).watches) == ["main"]
    assert not state(*watched, ("main", ENDED), ("main", STARTED)).watches


def test_a_bot_without_a_start_and_a_mode_is_only_watched() -> None:
    assert state(("main", BEGAN)).is_only_watched
    assert not state(("main", BEGAN), ("main", STARTED)).is_only_watched
    assert not state(
        ("main", BEGAN), ("main", HeartbeatSent(uptime_seconds=1, idle_seconds=1, mode=Mode.ACTIVE))
    ).is_only_watched
    assert not state(("main", STARTED)).is_only_watched


def test_what_a_source_beside_a_bot_writes_is_no_sign_of_the_bots_life_and_its_end_not_the_bots() -> None:
    block = BlockObserved(chain="base", block=1, block_timestamp_seconds=1.0)
    shown = state(("chain", BEGAN), ("main", STARTED), ("chain", block), ("chain", ENDED))
    assert shown.last_event == START_NS / 1e9 + 1
    assert shown.head_block == 1
    assert not shown.is_unwatched
    assert state(("chain", BEGAN), ("chain", block)).last_event == START_NS / 1e9 + 1  # nobody else tells of it


def test_watches_of_a_bot_are_bounded() -> None:
    assert len(state(*((f"w{at}", BEGAN) for at in range(2 * MAX_WATCHES))).watches) == MAX_WATCHES


def test_prices_of_symbols_that_came_last_are_kept() -> None:
    shown = state(*(("main", PriceObserved(venue="v", symbol=str(at), price=1.0)) for at in range(MAX_NAMED + 5)))
    assert list(shown.prices) == [f"v {at}" for at in range(5, MAX_NAMED + 5)]
