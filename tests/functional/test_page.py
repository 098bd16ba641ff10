"""The live page, in a real browser: it shows what /snapshot says and steers the bot."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

from deskwatch import EquityObserved, Mode, PositionClosed, Recorder
from tests import running
from tests.servers import require
from tests.waiting import eventually

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    binary = require("chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=binary, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that fails its test on any console error and on any request to another host."""
    page = browser.new_page()
    page.set_default_timeout(10_000)
    faults: list[str] = []

    def console(message: ConsoleMessage) -> None:
        if message.type == "error":
            faults.append(message.text)

    def requested(request: Request) -> None:
        if not request.url.startswith(("http://127.0.0.1:", "data:")):
            faults.append(f"asked {request.url}")

    page.on("console", console)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", requested)
    yield page
    page.close()
    assert [fault for fault in faults if "ERR_CONNECTION_REFUSED" not in fault] == []  # that one is a test's own doing


def test_page_shows_the_bot_and_its_button_steers_it(page: Page, home: Path):
    """Figures appear, standby asks for the token and a reason, and is shown only once the bot confirmed it."""
    with Recorder.open("arb-1", home=home, mode=Mode.ACTIVE) as recorder, running.sidecar(home) as sidecar:
        recorder.emit(EquityObserved(equity=1234.5, asset="USDC"))
        page.goto(sidecar.url)
        card = page.locator(".bot")
        expect(card.locator(".mode")).to_have_text("active")
        expect(card).to_contain_text("1,234.50")
        page.get_by_role("button", name="Standby").click()
        page.get_by_label("Reason").fill("lunch")
        page.get_by_label("Operator's token").fill(sidecar.token)
        page.get_by_role("button", name="Send").click()
        expect(page.locator("#ask-progress")).to_contain_text("waiting for the bot")
        expect(card.locator(".mode")).to_have_text("active")  # asked, not confirmed: the bot has not read its mode
        assert recorder.mode is Mode.STANDBY
        expect(card.locator(".mode")).to_have_text("standby")
        expect(card).to_contain_text("lunch")
        assert sidecar.bot()["mode"]["actual"] == "standby"


def test_page_shows_hostile_text_as_text(page: Page, home: Path):
    """Markup in what a bot journals is shown, not run."""
    hostile = "<img src=x onerror=alert(1)>"
    with Recorder.open("arb-1", home=home) as recorder, running.sidecar(home) as sidecar:
        recorder.emit(PositionClosed(position_id="1", venue=hostile, symbol=hostile, realized_pnl=-1.5, asset="USDC"))
        page.goto(sidecar.url)
        expect(page.locator("#feed")).to_contain_text(hostile)
        page.get_by_role("button", name="position closed").click()
        expect(page.locator("#details-text")).to_contain_text(hostile)
        assert page.locator("#feed img, #details img").count() == 0


def test_page_tells_when_its_data_is_old_and_reconnects(page: Page, home: Path):
    """With the sidecar gone the page says so, and is live again by itself when it is back."""
    port = running.free_port()
    with Recorder.open("arb-1", home=home):
        with running.sidecar(home, port=port) as sidecar:
            page.goto(sidecar.url)
            expect(page.locator("#link")).to_have_text("● live")
        expect(page.locator("#link")).to_contain_text("no data for")
        with running.sidecar(home, port=port):
            expect(page.locator("#link")).to_have_text("● live", timeout=10_000)
            eventually(lambda: page.locator(".bot").count() == 1)
