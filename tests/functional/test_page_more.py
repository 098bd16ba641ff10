"""What the page shows where the sidecar tells more: a supervised process, a bot's own commands, the latest commands.

The stream's messages pass through the test, which adds what a bot alone would not have.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
from playwright.sync_api import Page, Route, WebSocketRoute, expect

from deskwatch import Mode, Recorder
from deskwatch.sources.freqtrade import pair_locks
from tests import running
from tests.browsing import card, steer, visit

PROCESS = {
    "bot": "arb-1",
    "running": True,
    "pid": 4711,
    "exit_code": None,
    "restarts": 2,
    "gave_up": False,
    "last_lines": [],
}
DEAD = {**PROCESS, "running": False, "pid": None, "exit_code": -9, "gave_up": True, "last_lines": ["out of memory"]}
OFFER = {
    "type": "rebalance",
    "description": "Brings the parts back to their shares.",
    "schema": {
        "type": "object",
        "properties": {"share": {"type": "number", "default": 0.5}, "asset": {"type": "string"}},
    },
}

LOCK_PAIR = {
    "type": "lock_pair",
    "description": "Enter nothing new in a pair for a while.",
    "schema": msgspec.json.schema(pair_locks.LockPair),
}


def test_a_supervised_process_is_shown_and_restarted_with_a_reason(page: Page, home: Path):
    """Restart is there only for a bot that this sidecar runs; what became of it is the sidecar's own answer."""
    asked: list[tuple[str, Any]] = []

    def answer(route: Route) -> None:
        if route.request.method == "POST":
            asked.append((route.request.url.rpartition("/")[2], route.request.post_data_json))
        route.fulfill(json=PROCESS if asked else DEAD)

    with Recorder.open("arb-1", home=home), Recorder.open("arb-2", home=home), running.sidecar(home) as sidecar:
        _add(page, {"arb-1": {"supervised": True}})
        page.route("**/bots/arb-1/process*", answer)
        page.route("**/bots/arb-1/process/*", answer)
        visit(page, sidecar.url, sidecar.token)
        expect(card(page, "arb-2").get_by_role("button", name="Restart")).to_be_hidden()
        expect(card(page).locator(".alerts")).to_contain_text("The process died too often and is not started again")
        expect(card(page).locator(".alerts")).to_contain_text("out of memory")
        expect(card(page).get_by_role("button", name="Start process")).to_be_visible()
        steer(page, "Restart", "a new version")
        expect(page.locator("#ask-progress")).to_have_text("Done by the sidecar: the process runs, pid 4711.")
        assert asked == [("restart", {"reason": "a new version"})]
        expect(card(page)).to_contain_text("pid 4711")
        expect(card(page).locator(".alerts")).to_be_hidden()
        page.get_by_role("button", name="Close", exact=True).click()
        expect(card(page).get_by_role("button", name="Restart")).to_be_focused()


def test_the_output_of_a_supervised_process_is_shown_as_text(page: Page, home: Path):
    """The last lines, with what a terminal would obey made visible."""
    with Recorder.open("arb-1", home=home), running.sidecar(home) as sidecar:
        _add(page, {"arb-1": {"supervised": True}})
        page.route("**/bots/arb-1/process", lambda route: route.fulfill(json=PROCESS))
        page.route("**/bots/arb-1/logs*", lambda route: route.fulfill(json={"lines": ["started", "<b>\x1b[31mred"]}))
        visit(page, sidecar.url, sidecar.token)
        card(page).get_by_role("button", name="Output …").click()
        expect(page.locator("#details-title")).to_have_text("Output of arb-1")
        assert page.locator("#details-text").inner_text() == "started\n<b>\\u001b[31mred"


def test_a_bots_own_command_is_asked_with_its_parameters(page: Page, home: Path):
    """The dialogue begins with what the schema names; what is no JSON is not sent."""
    sent: list[Any] = []

    def answer(route: Route) -> None:
        sent.append(route.request.post_data_json)
        route.fulfill(
            status=202, json={"id": "c1", "bot": "arb-1", "type": "rebalance", "status": "failed", "error": "no"}
        )

    with Recorder.open("arb-1", home=home), running.sidecar(home) as sidecar:
        _add(page, {"arb-1": {"offers": [OFFER, LOCK_PAIR]}})
        page.route("**/bots/arb-1/commands", answer)
        visit(page, sidecar.url, sidecar.token)
        card(page).get_by_role("button", name="Lock pair …").click()
        expect(page.get_by_label("Parameters, as JSON")).to_have_value('{"symbol":null,"seconds":null}')
        expect(page.locator("#ask-input-name")).to_contain_text("seconds: how long nothing new is entered")
        page.get_by_role("button", name="Cancel", exact=True).click()
        card(page).get_by_role("button", name="Rebalance …").click()
        parameters = page.get_by_label("Parameters, as JSON")
        expect(parameters).to_have_value('{"share":0.5,"asset":null}')
        page.get_by_label("Reason").fill("monthly")
        parameters.fill("{share: 1}")
        page.get_by_role("button", name="Send", exact=True).click()
        expect(page.locator("#ask-progress")).to_contain_text("Not sent: the parameters are no JSON")
        assert sent == []
        parameters.fill('{"share": 0.25, "asset": "ETH"}')
        page.get_by_role("button", name="Send", exact=True).click()
        expect(page.locator("#ask-progress")).to_have_text("Failed: no")
        assert sent == [{"type": "rebalance", "params": {"share": 0.25, "asset": "ETH"}, "reason": "monthly"}]


def test_the_card_tells_of_the_latest_commands_also_of_others(page: Page, home: Path):
    """What somebody else asked for is there, with how far it is; reported is not confirmed."""
    command = {
        "id": "c1",
        "type": "close_all",
        "status": "running",
        "actor": "ann",
        "reason": "news",
        "accepted_at": 1.0,
    }
    reported = {**command, "reported": "succeeded", "waiting_for": "no open position"}
    more = {"commands": [reported], "open_orders": 3, "watchlist": ["WETH/USDC", "WBTC/USDC"]}
    with Recorder.open("arb-1", home=home, mode=Mode.ACTIVE), running.sidecar(home) as sidecar:
        _add(page, {"arb-1": more})
        visit(page, sidecar.url)
        told = card(page).locator(".commands li")
        for text in ("close all", "reported, not confirmed", "by ann", "news", "waiting for no open position"):
            expect(told).to_contain_text(text)
        expect(card(page)).to_contain_text("WETH/USDC WBTC/USDC")
        expect(card(page).locator(".figures > div", has_text="Open orders")).to_contain_text("3")
        expect(card(page).get_by_role("button", name="Cancel orders")).to_be_visible()


def _add(page: Page, more: dict[str, dict[str, Any]]) -> None:
    """Have the states of bots come with more than the sidecar tells."""

    def pass_on(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def message(text: str | bytes) -> None:
            told = json.loads(text)
            for bot in told.get("bots", ()):
                bot.update(more.get(bot["bot"], {}))
            socket.send(json.dumps(told))

        server.on_message(message)

    page.route_web_socket("**/stream*", pass_on)
