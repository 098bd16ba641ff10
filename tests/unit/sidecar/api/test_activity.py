"""The activity API: newest first with pages as deep as the journals go, and oldest first from a cursor."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from deskwatch.events import (
    BotStarted,
    DecisionMade,
    LogRecorded,
    Mode,
    PredictionMade,
    PredictionResolved,
    PriceObserved,
    SignalRaised,
)
from deskwatch.journal import Position
from deskwatch.projections import activity as activity_module
from deskwatch.sidecar.streaming.cursor import Place, from_token, token
from tests.lines import segment_files, write
from tests.streaming import ids_in
from tests.unit.sidecar.serving import Desk, serving

STARTED = BotStarted(pid=os.getpid(), host=os.uname().nodename, mode=Mode.STANDBY)


def note(number: int) -> LogRecorded:
    return LogRecorded(message=f"note {number}", levelname="ERROR" if number % 10 == 0 else "INFO", name="n")


def predicted(name: str) -> PredictionMade:
    return PredictionMade(prediction_id=name, provider="p", target="up", probability=0.5)


def resolved(name: str) -> PredictionResolved:
    return PredictionResolved(prediction_id=name, provider="p", target="up", occurred=name == "yes")


@pytest.fixture
async def desk(home: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    """Three journals of which memory holds the last ten events."""
    monkeypatch.setattr(activity_module, "KEPT", 10)
    for begin in range(0, 60, 20):
        for bot in ("arb-1", "arb-2"):
            write(home, [note(number) for number in range(begin, begin + 20)], bot=bot)
            write(home, [PriceObserved(venue="v", symbol="ETH", price=1.0)] * 3, bot=bot)
        write(home, [SignalRaised(signal=f"s{begin}", provider="p")], bot="arb-1", writer="feed")
    async with serving(home) as one:
        yield await one.caught_up()


async def pages(desk: Desk, path: str) -> list[list[Any]]:
    """All pages of a question."""
    found, before = [], ""
    while True:
        page = (await desk.ask("GET", f"{path}{before}")).json()
        found.append(page["events"])
        if page["next"] is None:
            return found
        before = f"&before={page['next']}"


@pytest.mark.parametrize("limit", [1, 7, 50, 1000])
async def test_pages_hold_every_event_once_newest_first(limit: int, desk: Desk, home: Path) -> None:
    found = [event for page in await pages(desk, f"/activity/recent?limit={limit}") for event in page]
    assert sorted(event["id"] for event in found) == sorted(ids_in(home))
    for journal in ("arb-1/main", "arb-2/main", "arb-1/feed"):
        times = [event["ts"] for event in found if event["id"].startswith(journal)]
        assert times == sorted(times, reverse=True)
    assert [event["ts"] for event in found[10:]] == sorted((event["ts"] for event in found[10:]), reverse=True)
    in_memory = min(limit, 10)  # of the first page
    assert [event["number"] is None for event in found[: in_memory + 1]] == [False] * in_memory + [True]
    assert all(event["raw"]["type"] == event["type"] for event in found)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("bot=arb-2", 60),
        ("kind=decisions", 3),
        ("type=signal_raised", 3),
        ("type=moon_landed", 0),
        ("level=error", 12),
        ("provider=p", 3),
        ("symbol=ETH", 0),
    ],
)
async def test_a_filter_reaches_as_deep_as_the_journals(query: str, count: int, desk: Desk) -> None:
    found = await pages(desk, f"/activity/recent?limit=5&{query}")
    assert sum(map(len, found)) == count
    assert len(found) <= count // 5 + 1


async def test_the_next_page_of_a_bot_says_nothing_of_other_bots(desk: Desk) -> None:
    for path in ("recent", "since", "predictions"):
        following = (await desk.ask("GET", f"/activity/{path}?bot=arb-2&limit=1")).json()["next"]
        assert following is None or {bot for bot, _ in from_token(following)} == {"arb-2"}, path
        assert path == "predictions" or following is not None


async def test_a_time_range_is_cut_exactly(desk: Desk) -> None:
    every = [event for page in await pages(desk, "/activity/recent?limit=1000") for event in page]
    times = sorted(event["ts"] for event in every)
    since, until = times[30], times[90]
    found = await pages(desk, f"/activity/recent?limit=9&since_ts={since}&until_ts={until}")
    assert sorted(event["ts"] for page in found for event in page) == [ts for ts in times if since <= ts < until]


async def test_what_is_read_for_one_answer_is_bounded_and_the_next_goes_on(
    desk: Desk, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(home, [note(1) for _ in range(3000)], bot="arb-3")
    await desk.parts.feed.wait_for(lambda: desk.parts.hub.view.position > 3000, 5)
    monkeypatch.setattr("deskwatch.sidecar.streaming.history.read.__kwdefaults__", {"max_bytes": 1, "also": None})
    found = await pages(desk, "/activity/recent?limit=5&kind=decisions")
    assert [] in found
    assert sum(map(len, found)) == 3


@pytest.mark.parametrize("limit", [1, 7, 1000])
async def test_since_a_cursor_every_event_comes_once_oldest_first(limit: int, desk: Desk, home: Path) -> None:
    found: list[Any] = []
    page: Any = {"more": True, "next": None}
    while page["more"]:
        cursor = "" if page["next"] is None else f"&cursor={page['next']}"
        page = (await desk.ask("GET", f"/activity/since?limit={limit}{cursor}")).json()
        found += page["events"]
    assert sorted(event["id"] for event in found) == sorted(ids_in(home))
    assert [event["ts"] for event in found] == sorted(event["ts"] for event in found)
    again = (await desk.ask("GET", f"/activity/since?cursor={page['next']}")).json()
    assert (again["events"], again["more"]) == ([], False)
    assert again["cursor"] == (await desk.ask("GET", "/snapshot")).json()["cursor"]


async def test_nothing_more_follows_the_newest_place_whether_its_mark_is_known_or_not(
    desk: Desk, tmp_path: Path
) -> None:
    page = (await desk.ask("GET", "/activity/since?limit=1000")).json()
    unmarked = {key: Place(place.position) for key, place in desk.parts.feed.places.items()}
    again = (await desk.ask("GET", f"/activity/since?cursor={token(unmarked)}")).json()
    assert (again["events"], again["more"]) == ([], False)
    await desk.parts.feed.save()
    shutil.copytree(desk.home, tmp_path / "copy", ignore=shutil.ignore_patterns("*.lock"))
    async with serving(tmp_path / "copy") as restarted:  # which has read no line by itself
        await restarted.caught_up()
        again = (await restarted.ask("GET", f"/activity/since?cursor={page['next']}")).json()
        assert (again["events"], again["more"]) == ([], False)


async def test_since_filters_and_goes_on_behind_what_it_passed_over(desk: Desk) -> None:
    page = (await desk.ask("GET", "/activity/since?bot=arb-2&level=error&limit=4")).json()
    rest = (await desk.ask("GET", f"/activity/since?bot=arb-2&level=error&cursor={page['next']}")).json()
    messages = [event["raw"]["message"] for event in page["events"] + rest["events"]]
    assert messages == [f"note {number}" for number in range(0, 60, 10)]


async def test_a_cursor_whose_events_are_gone_is_told(desk: Desk, home: Path) -> None:
    first = (await desk.ask("GET", "/activity/since?limit=1")).json()
    segment_files(home, bot="arb-2")[0].unlink()
    answer = await desk.ask("GET", f"/activity/since?cursor={first['next']}")
    assert answer.status_code == 410
    assert "arb-2/main" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["since?cursor=", "recent?before=", "predictions?before="])
async def test_a_malformed_cursor_is_told(path: str, desk: Desk) -> None:
    answer = await desk.ask("GET", f"/activity/{path}e30x")
    assert answer.status_code == 400
    assert "expected" in answer.json()["detail"]


async def test_a_token_may_name_any_place_and_opens_nothing_else(desk: Desk) -> None:
    far = token({("arb-1", "main"): Place(Position(10**18, 10**18)), ("arb-9", "main"): Place(Position(1, 1))})
    page = (await desk.ask("GET", f"/activity/recent?before={far}&limit=1000")).json()
    assert len(page["events"]) == 60
    assert {event["bot"] for event in page["events"]} == {"arb-1"}


async def test_predictions_come_with_what_became_of_them(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activity_module, "KEPT", 5)
    write(home, [STARTED, predicted("yes"), predicted("no"), predicted("open")])
    write(home, [resolved("yes")] + [note(1)] * 20)
    write(home, [resolved("no"), predicted("late"), resolved("late")], writer="second")
    async with serving(home) as desk:
        await desk.caught_up()
        answer = (await desk.ask("GET", "/activity/predictions")).json()
        assert answer["outcomes_complete"] is True
        assert answer["next"] is None
        found = {one["raw"]["prediction_id"]: one["outcome"] for one in answer["events"]}
        assert found.keys() == {"yes", "no", "open", "late"}
        assert found["open"] is None
        assert [found[name]["occurred"] for name in ("yes", "no", "late")] == [True, False, False]
        paged = [one for page in await pages(desk, "/activity/predictions?limit=1") for one in page]
        assert {one["raw"]["prediction_id"]: one["outcome"] for one in paged} == found


async def test_outcomes_are_not_called_complete_where_one_prediction_has_many(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activity_module, "KEPT", 2)
    write(home, [predicted("yes"), predicted("no"), resolved("no")] + [resolved("yes")] * 2 + [note(1)] * 5)
    async with serving(home) as desk:
        await desk.caught_up()
        answer = (await desk.ask("GET", "/activity/predictions")).json()
        missing = [one for one in answer["events"] if one["outcome"] is None]
        assert answer["outcomes_complete"] is (not missing)


async def test_signals_and_decisions_are_those_alone(home: Path) -> None:
    write(
        home,
        [STARTED, SignalRaised(signal="s", provider="p"), DecisionMade(decision_id="d", provider="p", action="buy")],
    )
    async with serving(home) as desk:
        await desk.caught_up()
        for path, kind in (("signals", "signal_raised"), ("ai-decisions", "decision_made")):
            answer = (await desk.ask("GET", f"/activity/{path}")).json()
            assert [event["type"] for event in answer["events"]] == [kind]
            assert (await desk.ask("GET", f"/activity/{path}?type=bot_started")).status_code == 422


@pytest.mark.parametrize(
    "target",
    ["/activity/recent?sympol=ETH", "/stream?bots=a", "/bots?bot=a", "/activity/since?before=x", "/healthz?a", "/?x=1"],
)
async def test_a_parameter_that_nobody_knows_is_told(target: str, desk: Desk) -> None:
    answer = await desk.ask("GET", target)
    assert answer.status_code == 422
    assert "expected" in answer.json()["faults"][0]
