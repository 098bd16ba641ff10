"""The page's activity feed: filter, pause, details, older events."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, Route, expect

from deskwatch import OrderRejected, Recorder
from deskwatch.events import DecisionMade, LogRecorded, SignalRaised
from tests import running
from tests.browsing import seen, visit
from tests.waiting import eventually


def test_filters_show_what_they_say(page: Page, home: Path):
    """Kind, provider, symbol, level and bot each leave only their own; together they narrow; clearing shows all."""
    with (
        Recorder.open("arb-1", home=home) as recorder,
        Recorder.open("arb-2", home=home) as other,
        running.sidecar(home) as sidecar,
    ):
        recorder.emit(_decision("1", "claude", "WETH/USDC"))
        recorder.emit(_decision("2", "rules", "WBTC/USDC"))
        recorder.emit(OrderRejected(order_id="7", venue="amber", symbol="WETH/USDC", reason="funds"))
        other.emit(_decision("3", "claude", "WBTC/USDC"))
        visit(page, sidecar.url)
        rows = page.locator("#feed li")
        expect(page.locator("#feed", has_text="arb-2")).to_have_count(1)
        everything = rows.count()
        for name, value, count in (
            ("Kind", "decisions", 3),
            ("Provider", "claude", 2),
            ("Symbol", "WBTC/USDC", 1),
            ("Bot", "arb-1", 0),
        ):
            page.get_by_role("combobox", name=name).select_option(value)
            expect(rows).to_have_count(count)
        expect(page.locator("#no-events")).to_be_visible()
        page.get_by_role("button", name="Clear").click()
        expect(rows).to_have_count(everything)
        page.get_by_role("combobox", name="Level").select_option("warning")
        expect(rows).to_have_count(1)
        expect(rows.first).to_contain_text("order rejected")
        recorder.emit(OrderRejected(order_id="8", venue="amber", symbol="WETH/USDC", reason="late"))
        recorder.emit(_decision("4", "claude", "WETH/USDC"))
        expect(rows).to_have_count(2)
        expect(rows.first).to_contain_text("late")


def test_pausing_keeps_the_view_still_and_counts(page: Page, home: Path):
    """Paused, no row changes while new events are counted; going on shows them."""
    with Recorder.open("arb-1", home=home) as recorder, running.sidecar(home) as sidecar:
        _say(recorder, "before", 5)
        visit(page, sidecar.url)
        expect(page.locator("#feed")).to_contain_text("before 4")
        page.get_by_role("button", name="Pause").click()
        shown = page.locator("#feed").inner_text()
        _say(recorder, "after", 7)
        expect(page.get_by_role("button", name="Resume (7 new)")).to_be_visible()
        assert page.locator("#feed").inner_text() == shown
        page.get_by_role("button", name="Resume").click()
        expect(page.locator("#feed li").first).to_contain_text("after 6")
        expect(page.get_by_role("button", name="Pause")).to_have_attribute("aria-pressed", "false")


def test_scrolling_down_holds_the_view_until_one_goes_back(page: Page, home: Path):
    """Who reads further down is not moved by what comes; a button with their number leads back to the newest."""
    with Recorder.open("arb-1", home=home) as recorder, running.sidecar(home) as sidecar:
        _say(recorder, "before", 100)
        visit(page, sidecar.url)
        expect(page.locator("#feed")).to_contain_text("before 99")
        view = page.locator("#feed-scroll")
        view.evaluate("(node) => { node.scrollTop = 400; }")
        eventually(lambda: page.evaluate("frozen !== null"))
        _say(recorder, "after", 3)
        page.get_by_role("button", name="↑ 3 new").click()
        expect(page.locator("#feed li").first).to_contain_text("after 2")
        assert view.evaluate("(node) => node.scrollTop") == 0


def test_details_show_the_line_exactly_and_copy_it(page: Page, home: Path):
    """The dialogue holds the journal's line: nothing rounded, nothing obeyed; Escape closes it where one was."""
    with Recorder.open("arb-1", home=home) as recorder, running.sidecar(home) as sidecar:
        earlier = time.time() - 300
        recorder.emit(
            SignalRaised(signal="cross", provider="rules", symbol='a"b\\c\u202e', happened_timestamp_seconds=earlier)
        )
        (line,) = [one for one in running.journal_lines(home)["arb-1", "main"] if b"signal_raised" in one]
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        visit(page, sidecar.url)
        row = page.get_by_role("button", name="signal raised")
        row.focus()
        page.keyboard.press("Enter")
        text = page.locator("#details-text").inner_text()
        assert json.loads(text) == json.loads(line)
        assert "\u202e" not in text
        expect(page.locator("#details-facts")).to_contain_text("5 min earlier")
        page.get_by_role("button", name="Copy").click()
        expect(page.locator("#details-copied")).to_have_text("copied")
        assert json.loads(page.evaluate("navigator.clipboard.readText()")) == json.loads(line)
        page.keyboard.press("Escape")
        expect(page.locator("#details")).to_be_hidden()
        expect(row).to_be_focused()


def test_memory_is_bounded_and_each_event_is_shown_once(page: Page, home: Path):
    """Thousands of events leave a bounded list and bounded rows, and no row is made twice."""
    with Recorder.open("arb-1", home=home) as recorder, running.sidecar(home) as sidecar:
        visit(page, sidecar.url)
        _say(recorder, "line", 4000)
        expect(page.locator("#feed li").first).to_contain_text("line 3999", timeout=20_000)
        assert page.locator("#feed li").count() <= 200
        assert page.evaluate("[events.length <= 1500, ids.size === events.length]") == [True, True]
        assert set(seen(page).values()) == {1}


def test_older_events_come_page_by_page_also_of_a_filter(page: Page, home: Path):
    """Each page of the past is asked for from where the last one ended, under the filter that is set."""
    asked: list[dict[str, list[str]]] = []

    def answer(route: Route) -> None:
        query = parse_qs(urlsplit(route.request.url).query)
        asked.append(query)
        newest, limit = int(query.get("before", ["1000"])[0]), int(query["limit"][0])
        step = 10 if "level" in query else 1
        numbers = list(range(newest - 1, -1, -1))[: limit * step : step]
        following = str(numbers[-1]) if numbers[-1] > step else None
        route.fulfill(json={"position": 1, "events": [_entry(number) for number in numbers], "next": following})

    with Recorder.open("arb-1", home=home), running.sidecar(home) as sidecar:
        page.route("**/activity/recent*", answer)
        visit(page, sidecar.url)
        rows = page.locator("#feed li", has_text="number")
        expect(rows).not_to_have_count(0)
        older = page.get_by_role("button", name="Load older")
        older.focus()
        page.keyboard.press("Enter")
        expect(page.locator("#feed")).to_contain_text("number 700 ")
        assert [query["before"] for query in asked[1:]] == [[str(800 - 100 * page)] for page in range(len(asked) - 1)]
        assert [row.split("number ")[1] for row in rows.all_inner_texts()][:3] == ["999 told", "998 told", "997 told"]
        assert set(seen(page).values()) == {1}
        page.get_by_role("combobox", name="Level").select_option("warning")
        expect(rows).to_have_count(100)
        assert asked[-1] == {"limit": ["100"], "level": ["warning"]}
        expect(page.locator("#feed")).to_contain_text("number 9 ")
        expect(older).to_be_hidden()


def _entry(number: int) -> dict[str, Any]:
    level = "warning" if number % 10 == 9 else "info"
    raw = {"type": "log_recorded", "message": f"number {number} told"}
    entry_id = f"arb-1/main/1.{number * 100}"
    entry = {"id": entry_id, "bot": "arb-1", "kind": "logs", "type": "log_recorded", "level": level, "raw": raw}
    return {**entry, "ts": 10**18 + number, "provider": None, "symbol": None, "number": None}


def _say(recorder: Recorder, word: str, count: int) -> None:
    for number in range(count):
        recorder.emit(LogRecorded(levelname="INFO", name="x", message=f"{word} {number}"))


def _decision(decision_id: str, provider: str, symbol: str) -> DecisionMade:
    return DecisionMade(decision_id=decision_id, action="buy", provider=provider, symbol=symbol)
