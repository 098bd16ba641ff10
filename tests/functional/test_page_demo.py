"""The page and the demo bot, which trades on a real chain: what it shows is so, and its buttons do what they say."""

from __future__ import annotations

import json
import os
import random
import signal
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, WebSocket, expect

from deskwatch.events import Mode, ModeChanged, OrderSubmitted
from tests import running
from tests.browsing import card, seen, steer, visit, watched
from tests.soak import count
from tests.waiting import eventually

TRADE_SECONDS = 90
SWITCHES = 200
NOT_IN_THE_FEED = ("heartbeat_sent", "position_updated", "request_completed")
"""Types that come too often for a feed; those that end in `_observed` are left out too."""

_SHOWN = """() => {
  const card = document.querySelector('.bot');
  const figure = (label) => {
    const found = [...card.querySelectorAll('.figures > div')].find((group) => group.firstChild.textContent === label);
    return found ? found.querySelector('dd span').textContent : null;
  };
  return {
    mode: card.querySelector('.mode').textContent,
    desired: card.querySelector('.desired').hidden ? '' : card.querySelector('.desired').textContent,
    since: card.querySelector('.since').textContent,
    pnl: figure('Realized PnL'),
    equity: figure('Equity'),
    positions: figure('Open positions'),
    filled: figure('Orders filled'),
  };
}"""


@pytest.fixture
def live(browser: Browser, demo: running.Demo):
    """The page of the demo, live, with the operator's token."""
    with watched(browser) as page:
        visit(page, demo.url, demo.token)
        yield page


def test_standby_is_shown_and_stops_orders_and_start_resumes(live: Page, demo: running.Demo):
    """Pressing "standby" shows standby, and no order that opens follows; "start monitoring" brings them back."""
    eventually(lambda: demo.bot()["counts"]["trades_closed"], TRADE_SECONDS)
    expect(card(live)).to_contain_text("WETH/USDC")
    steer(live, "Standby", "lunch")
    expect(live.locator("#ask-progress")).to_have_text("Confirmed by the bot.")
    expect(card(live).locator(".mode")).to_have_text("standby")
    expect(card(live).locator(".since")).to_contain_text("lunch")
    found = demo.bot()["counts"]["opportunities_found"]
    eventually(
        lambda: demo.bot()["counts"]["opportunities_found"] > found, TRADE_SECONDS
    )  # there was something to trade
    expect(live.locator("#ask")).to_be_hidden()
    steer(live, "Start monitoring", "back")
    expect(card(live).locator(".mode")).to_have_text("active")
    own = running.records(demo.home)
    changes = [(one.seq or 0, one.event.mode) for one in own if isinstance(one.event, ModeChanged)]
    began = next(seq for seq, mode in changes if mode is Mode.STANDBY)
    ended = next(seq for seq, mode in changes if mode is Mode.ACTIVE and seq > began)
    orders = [(one.seq or 0, one.event.side) for one in own if isinstance(one.event, OrderSubmitted)]
    assert [side for seq, side in orders if side == "buy" and began < seq < ended] == []
    before = demo.bot()["counts"]["orders_submitted"]
    eventually(lambda: demo.bot()["counts"]["orders_submitted"] > before, TRADE_SECONDS)


def test_the_page_shows_what_the_snapshot_says_in_each_of_many_switches(live: Page, demo: running.Demo):
    """After each random switch, the page's mode, its reason and the bot's figures are those of /snapshot."""
    dice = random.Random(11)
    mode = "active"
    for number in range(count(SWITCHES, 5 * SWITCHES)):
        before = mode
        mode = dice.choice([other for other in ("active", "standby", "closing", "halted") if other != mode])
        reason = f"switch {number}"
        status, _, body = demo.request("PUT", "/bots/arb-1/mode", {"mode": mode, "reason": reason}, token=demo.token)
        assert status == 202, body
        eventually(lambda: _agrees(live, demo, before, mode, reason))  # noqa: B023  asked within the loop
    demo.set_mode("active")


def test_a_killed_sidecar_costs_no_event(live: Page, demo: running.Demo):
    """The sidecar is killed and started again, twice: the page is live by itself, and has shown every event once."""
    eventually(lambda: seen(live))
    first = min(seen(live), key=_place)
    sockets: list[WebSocket] = []
    live.on("websocket", lambda socket: sockets.append(socket))  # noqa: PLW0108  playwright marks the function
    for _ in range(2):
        tried = len(sockets)
        os.kill(demo.sidecar_pid(), signal.SIGKILL)
        eventually(lambda: _pump(live) and len(sockets) > tried and live.evaluate("isWhole"), 30)  # noqa: B023  asked within the loop
        expect(live.locator("#link")).to_have_text("● live · WebSocket", timeout=30_000)
    steer(live, "Halt", "count them")
    expect(card(live).locator(".mode")).to_have_text("halted")
    eventually(lambda: [one for one in _journal(demo, first) if one not in seen(live)] == [], 20)
    assert set(seen(live).values()) == {1}
    assert [one for one in seen(live) if one.startswith("arb-1/main/") and one not in _journal(demo, first)] == []
    demo.set_mode("active")


def _pump(page: Page) -> bool:
    """Let the page's events come in."""
    page.evaluate("0")
    return True


def _place(entry_id: str) -> tuple[str, int, int]:
    """Writer, segment and offset, to order a bot's events by; the bot's own come first."""
    writer, place = entry_id.split("/")[1:]
    segment, offset = place.split(".")
    return "" if writer == "main" else writer, int(segment), int(offset)


def _journal(demo: running.Demo, first: str) -> list[str]:
    """Ids of the bot's own events that belong into a feed, from one on."""
    folder = demo.home / "journal" / "arb-1" / "main"
    found = []
    for path in sorted(folder.glob("*.ndjson")):
        offset = 0
        for line in path.read_bytes().splitlines(keepends=True):
            kind = json.loads(line)["type"]
            if kind not in NOT_IN_THE_FEED and not kind.endswith("_observed"):
                found.append(f"arb-1/main/{int(path.stem)}.{offset}")
            offset += len(line)
    return found[found.index(first) :]


def _agrees(page: Page, demo: running.Demo, before: str, mode: str, reason: str) -> bool:
    """Whether the page and /snapshot say the same.

    A bot that closed everything goes on to standby by itself; asked for standby then, it has nothing to change.
    """
    state = demo.bot()
    is_reached = (state["mode"]["actual"], state["mode"]["reason"]) == (mode, reason)
    is_flat = (mode == "closing" or (before, mode) == ("closing", "standby")) and state["mode"]["actual"] == "standby"
    return (is_reached or is_flat) and _matches(page.evaluate(_SHOWN), state)


def _matches(shown: dict[str, Any], state: dict[str, Any]) -> bool:
    (pnl,) = state["realized_pnl"].values()
    (equity,) = state["equity"].values()
    actual, desired = state["mode"]["actual"], state["mode"]["desired"]
    return bool(
        shown["mode"] == actual
        and shown["desired"] == ("" if desired in (None, actual) else f"asked for {desired}, not confirmed")
        and shown["since"].endswith(f"by {state['mode']['actor']} · {state['mode']['reason']}")
        and shown["pnl"] == f"{pnl:+,.2f}"
        and shown["equity"] == f"{equity:,.2f}"
        and shown["positions"] == str(len(state["positions"]))
        and shown["filled"] == f"{state['counts']['orders_filled']:,}"
    )
