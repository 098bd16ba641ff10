"""The page's buttons: they ask why, show a command's life, and claim nothing before the bot confirmed it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from deskwatch import Mode, PositionOpened, Recorder
from deskwatch.events import CommandAccepted
from tests import running
from tests.browsing import card, steer, visit, watched
from tests.waiting import eventually


def test_a_mode_is_shown_once_the_bot_confirmed_it(page: Page, home: Path):
    """Standby asks for the token and a reason, and is shown only when the bot is in it; the token is asked for once."""
    with Recorder.open("arb-1", home=home, mode=Mode.ACTIVE) as recorder, running.sidecar(home) as sidecar:
        visit(page, sidecar.url)
        steer(page, "Standby", "lunch", token=sidecar.token)
        expect(page.locator("#ask-progress")).to_contain_text("waiting for the bot")
        expect(card(page).locator(".desired")).to_have_text("asked for standby, not confirmed")
        expect(card(page).locator(".mode")).to_have_text(
            "active"
        )  # asked, not confirmed: the bot has not read its mode
        assert recorder.mode is Mode.STANDBY
        expect(card(page).locator(".mode")).to_have_text("standby")
        expect(card(page)).to_contain_text("lunch")
        expect(page.locator("#ask")).to_be_hidden()
        expect(card(page).get_by_role("button", name="Standby", exact=True)).to_be_focused()
        assert sidecar.bot()["mode"]["actual"] == "standby"
        card(page).get_by_role("button", name="Halt").click()
        expect(page.get_by_label("Operator's token")).to_be_hidden()
        assert sidecar.token not in page.url
        assert page.evaluate("localStorage.length") == 0


def test_a_wrong_token_is_told_and_asked_for_again(browser: Browser, home: Path):
    """A refused token is forgotten; the same dialogue takes another one."""
    with (
        Recorder.open("arb-1", home=home) as recorder,
        running.sidecar(home) as sidecar,
        watched(browser, "401") as page,
    ):
        visit(page, sidecar.url)
        steer(page, "Halt", token="wrong")
        expect(page.locator("#ask-progress")).to_contain_text("the token is missing or wrong")
        page.get_by_label("Operator's token").fill(sidecar.token)
        page.get_by_role("button", name="Send", exact=True).click()
        expect(page.locator("#ask-progress")).to_contain_text("waiting for the bot")
        assert recorder.mode is Mode.HALTED


def test_an_old_token_does_not_keep_one_from_reading(browser: Browser, home: Path):
    """Where reading needs no token, a wrong one that the tab still holds is forgotten, not asked for again."""
    with (
        Recorder.open("arb-1", home=home),
        running.sidecar(home) as sidecar,
        watched(browser, "401", "WebSocket") as page,
    ):
        page.add_init_script("window.WebSocket = class { constructor() { throw new Error('barred'); } };")
        visit(page, sidecar.url, "of-another-sidecar")
        expect(card(page)).to_be_visible()
        expect(page.locator("#ask")).to_be_hidden()
        card(page).get_by_role("button", name="Halt").click()
        expect(page.get_by_label("Operator's token")).to_be_visible()


def test_reading_asks_for_the_token_where_it_is_needed(browser: Browser, home: Path):
    """Where reading needs a token the page asks for it first, and is live with it."""
    with (
        Recorder.open("arb-1", home=home),
        running.sidecar(home, "--host", "0.0.0.0", "--insecure-http", "--allowed-host", "127.0.0.1") as sidecar,
        watched(browser, "401", "403", "WebSocket") as page,
    ):
        page.goto(sidecar.url)
        page.get_by_label("Operator's token").fill(sidecar.token)
        page.get_by_role("button", name="Use it").click()
        expect(page.locator("#link")).to_contain_text("● live")
        expect(card(page)).to_be_visible()


def test_an_answer_that_is_lost_does_not_send_a_command_twice(browser: Browser, home: Path):
    """After a network error the same intention is sent again under the same key: the bot gets it once."""
    keys: list[str] = []

    def lose(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) == 1:
            route.fetch()  # it arrives, and its answer is lost
            route.abort()
        else:
            route.continue_()

    with (
        Recorder.open("arb-1", home=home) as recorder,
        running.sidecar(home) as sidecar,
        watched(browser, "ERR_FAILED") as page,
    ):
        page.route("**/commands", lose)
        visit(page, sidecar.url, sidecar.token)
        steer(page, "Close all", "the news")
        expect(page.locator("#ask-progress")).to_contain_text("It may have arrived")
        expect(page.get_by_label("Reason")).not_to_be_editable()
        page.get_by_role("button", name="Send again").click()
        expect(page.locator("#ask-progress")).to_contain_text("waiting for the bot")
        given = eventually(lambda: recorder.next_command(timeout_seconds=0.1))
        given.succeed()
        expect(page.locator("#ask-progress")).to_have_text("Confirmed by the bot.")
        assert recorder.next_command(timeout_seconds=0.2) is None
        accepted = running.records(home, writer="control")
        assert len([one for one in accepted if isinstance(one.event, CommandAccepted)]) == 1
        assert len(keys) == 2
        assert len(set(keys)) == 1
        expect(page.locator("#ask")).to_be_hidden()
        steer(page, "Close all", "the news")
        expect(page.locator("#ask-progress")).to_contain_text("waiting for the bot")
        assert keys[2] != keys[0]


@pytest.mark.parametrize(
    ("life", "told"),
    [
        (
            {"status": "running", "reported": "succeeded", "waiting_for": "no open position"},
            "waiting for no open position",
        ),
        ({"status": "running"}, "Running, waiting for the bot to finish it"),
        ({"status": "failed", "error": "no funds"}, "Failed: no funds"),
        ({"status": "expired"}, "Expired: the bot did not take it up in time. It will not be done later."),
        ({"status": "refused", "error": "the disk is full"}, "Refused: the disk is full"),
        ({"status": "unknown", "error": "the bot died"}, "Unknown: the bot died. Look at the bot"),
    ],
)
def test_what_is_not_confirmed_is_never_called_so(page: Page, home: Path, life: dict[str, Any], told: str):
    """Each way in which a command can go is told in its own words, and only one of them is a confirmation."""

    def answer(route: Route) -> None:
        one = route.fetch().json()
        route.fulfill(json={**one, **life})

    with Recorder.open("arb-1", home=home), running.sidecar(home) as sidecar:
        page.route("**/commands/*", answer)
        visit(page, sidecar.url, sidecar.token)
        steer(page, "Close all")
        expect(page.locator("#ask-progress")).to_contain_text(told)
        expect(page.locator("#ask")).not_to_contain_text("Confirmed by the bot")
        page.get_by_role("button", name="Close", exact=False).last.click()
        page.unroute_all(behavior="wait")


def test_a_reason_is_wanted_but_never_holds_up_a_halt(page: Page, home: Path):
    """Without a reason nothing is sent, but for a halt."""
    with Recorder.open("arb-1", home=home) as recorder, running.sidecar(home) as sidecar:
        visit(page, sidecar.url, sidecar.token)
        steer(page, "Close all", "")
        expect(page.locator("#ask-progress")).to_be_empty()
        page.get_by_role("button", name="Cancel", exact=True).click()
        steer(page, "Halt", "")
        expect(page.locator("#ask-progress")).to_contain_text("waiting for the bot")
        assert recorder.mode is Mode.HALTED
        accepted = [one for one in running.records(home, writer="control") if isinstance(one.event, CommandAccepted)]
        assert [one.event.command for one in accepted] == ["set_mode"]  # type: ignore[union-attr]  # filtered above


def test_one_position_is_closed_by_its_own_button(page: Page, home: Path):
    """The button in a position's row names that position in the command."""
    with Recorder.open("arb-1", home=home) as recorder, running.sidecar(home) as sidecar:
        for number in ("1", "2"):
            recorder.emit(
                PositionOpened(
                    position_id=number,
                    venue="amber",
                    symbol=f"COIN{number}",
                    side="long",
                    quantity=1,
                    entry_price=1,
                    asset="USDC",
                )
            )
        visit(page, sidecar.url, sidecar.token)
        steer(page, "Close the position COIN2 …", "it stinks")
        given = eventually(lambda: recorder.next_command(timeout_seconds=0.1))
        assert (given.type, given.params) == ("close_position", {"position_id": "2"})


def test_a_stale_page_does_not_raise_a_mode(browser: Browser, home: Path):
    """Raising a mode names the state that was seen: where it changed meanwhile, nothing is sent on, and one is told."""
    sent: list[str | None] = []
    keys: list[str] = []

    def answer(route: Route) -> None:
        sent.append(route.request.headers.get("if-match"))
        keys.append(route.request.headers["idempotency-key"])
        problem = {"type": "about:blank", "title": "Precondition Failed", "status": 412, "detail": "stale"}
        if len(sent) == 1:
            route.fulfill(status=412, content_type="application/problem+json", body=json.dumps(problem))
        else:
            route.continue_(headers={name: text for name, text in route.request.headers.items() if name != "if-match"})

    with (
        Recorder.open("arb-1", home=home) as recorder,
        running.sidecar(home) as sidecar,
        watched(browser, "412") as page,
    ):
        page.route("**/mode", answer)
        visit(page, sidecar.url, sidecar.token)
        page.evaluate("bots.get('arb-1').mode.etag = bots.get('arb-1').mode.etag || 'seen'")
        with_tag = page.evaluate("bots.get('arb-1').mode.etag")
        steer(page, "Start monitoring")
        expect(page.locator("#ask-progress")).to_contain_text("the mode was changed meanwhile. It is standby now")
        assert sent == [f'"{with_tag}"']
        assert recorder.mode is Mode.STANDBY
        expect(page.get_by_label("Reason")).to_be_editable()
        page.get_by_role("button", name="Send", exact=True).click()
        expect(page.locator("#ask-progress")).to_contain_text("waiting for the bot")
        assert len(set(keys)) == 2  # what was refused is over: this is another intention
