"""The live page, in a real browser: it shows what /snapshot says, and how old it is."""

from __future__ import annotations

import random
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from deskwatch import EquityObserved, Mode, PositionClosed, PositionOpened, PriceObserved, Recorder, RiskAlertRaised
from deskwatch.events import ConnectionChanged, DecisionMade, ErrorOccurred, LogRecorded, PositionUpdated
from tests import nonsense, running
from tests.browsing import PHONE, card, seen, visit, watched
from tests.waiting import eventually

HOSTILE = "<img src=x onerror=alert(1)>\x1b[31m\u202egnp.exe\u2066"
SHOWN = "<img src=x onerror=alert(1)>\\u001b[31m\\u202egnp.exe\\u2066"
BOTS = 30


def test_page_shows_what_a_bot_is_has_and_does(page: Page, home: Path):
    """Mode, money, positions, prices with their day, connections, alerts, usage: all are there, and change in place."""
    with Recorder.open("arb-1", home=home, mode=Mode.ACTIVE) as recorder, running.sidecar(home) as sidecar:
        recorder.emit(EquityObserved(equity=1234.5, asset="USDC"))
        recorder.emit(_opened("1", "WETH/USDC"))
        recorder.emit(
            PriceObserved(venue="amber", symbol="WETH/USDC", price=2001.5, change_24h_ratio=-0.0123, volume_24h=1.5e6)
        )
        recorder.emit(ConnectionChanged(connection="rpc", venue="amber", up=False, reason="timeout"))
        recorder.emit(RiskAlertRaised(alert="max_drawdown", severity="critical", message="too deep"))
        visit(page, sidecar.url)
        bot = card(page)
        expect(bot.locator(".mode")).to_have_text("active")
        for text in ("1,234.50", "WETH/USDC", "2,001.5", "-1.23 %", "1.5M", "amber rpc is down", "max_drawdown"):
            expect(bot).to_contain_text(text)
        expect(bot.locator("dt", has_text="Memory").locator("xpath=following-sibling::dd")).to_contain_text("MiB")
        expect(bot.locator("dt", has_text="CPU").locator("xpath=following-sibling::dd")).to_contain_text("%")
        page.evaluate("window.card = document.querySelector('.bot')")
        recorder.emit(PositionClosed(position_id="1", venue="amber", symbol="WETH/USDC", realized_pnl=-2, asset="USDC"))
        expect(bot).to_contain_text("-2.00")
        expect(bot.get_by_text("Open positions", exact=True).locator("xpath=ancestor::table")).to_be_hidden()
        assert page.evaluate("window.card.isConnected")


def test_money_is_summed_by_asset_only(page: Page, home: Path):
    """Unrealized profit in two assets is two figures, each the sum of its own positions."""
    with Recorder.open("arb-1", home=home) as recorder, running.sidecar(home) as sidecar:
        for number, (asset, pnl) in enumerate([("USDC", 5), ("USDC", -7.5), ("ETH", 0.25)]):
            recorder.emit(_opened(str(number), f"COIN/{asset}", asset))
            recorder.emit(PositionUpdated(position_id=str(number), mark_price=2, unrealized_pnl=pnl))
        visit(page, sidecar.url)
        figures = card(page).locator(".figures > div", has_text="Unrealized PnL")
        expect(figures).to_have_text(["Unrealized PnL-2.50USDC", "Unrealized PnL+0.25ETH"])


def test_hostile_text_is_shown_as_text(page: Page, home: Path):
    """Markup, escape codes and bidi overrides in what a bot journals are shown, not obeyed."""
    with Recorder.open("arb-1", home=home, strategy=HOSTILE) as recorder, running.sidecar(home) as sidecar:
        recorder.emit(_opened(HOSTILE, HOSTILE))
        recorder.emit(DecisionMade(decision_id="1", action=HOSTILE, provider=HOSTILE, reasoning=HOSTILE))
        recorder.emit(PriceObserved(venue=HOSTILE, symbol=HOSTILE, price=1))
        recorder.emit(RiskAlertRaised(alert=HOSTILE, severity=HOSTILE, message=HOSTILE))
        recorder.emit(ConnectionChanged(connection=HOSTILE, venue=HOSTILE, up=False, reason=HOSTILE))
        recorder.emit(ErrorOccurred(component=HOSTILE, kind=HOSTILE, message=HOSTILE))
        recorder.set_mode(Mode.HALTED, reason=HOSTILE)
        recorder.emit(PositionClosed(position_id="x", venue=HOSTILE, symbol=HOSTILE, realized_pnl=-1, asset=HOSTILE))
        visit(page, sidecar.url)
        expect(page.locator("#feed")).to_contain_text(SHOWN)
        for part in (".since", ".alerts", ".minds", ".figures"):
            expect(card(page).locator(part).filter(has_text=SHOWN).first).to_be_visible()
        expect(card(page).locator("tbody").filter(has_text=SHOWN[:30])).to_have_count(2)
        page.get_by_role("button", name="position closed").click()
        expect(page.locator("#details-text")).to_contain_text(SHOWN)
        assert page.locator("main img, dialog img").count() == 0
        assert "\u202e" not in page.locator("body").inner_text()


def test_absurd_figures_and_words_break_nothing(page: Page, home: Path):
    """A bot in another language that journals nonsense is shown like any other, beside one that goes on."""
    dice = random.Random(5)
    folder = home / "journal" / "mad" / "main"
    folder.mkdir(parents=True)
    (folder / f"{1:020d}.ndjson").write_bytes(b"".join(nonsense.line(dice) + b"\n" for _ in range(400)))
    with Recorder.open("arb-1", home=home) as recorder, running.sidecar(home) as sidecar:
        visit(page, sidecar.url)
        expect(card(page, "mad")).to_be_visible()
        recorder.emit(LogRecorded(levelname="INFO", name="x", message="it goes on"))
        expect(page.locator("#feed")).to_contain_text("it goes on")
        expect(page.locator("#link")).to_contain_text("● live")


def test_old_data_is_shown_as_old_and_the_page_reconnects(page: Page, home: Path):
    """With the sidecar gone the page says so in place of green, and it is live again by itself when it is back."""
    port = running.free_port()
    with Recorder.open("arb-1", home=home, mode=Mode.ACTIVE) as recorder:
        with running.sidecar(home, port=port) as sidecar:
            visit(page, sidecar.url)
            green = page.locator(".mode").evaluate("(node) => getComputedStyle(node).color")
        expect(page.locator("#link")).to_contain_text("no data for")
        expect(page.locator("#stale-banner")).to_be_visible()
        assert page.locator(".mode").evaluate("(node) => getComputedStyle(node).color") != green
        for number in range(20):
            recorder.emit(LogRecorded(levelname="INFO", name="x", message=f"while nobody looked {number}"))
        with running.sidecar(home, port=port):
            expect(page.locator("#link")).to_contain_text("● live", timeout=15_000)
            expect(page.locator("#stale-banner")).to_be_hidden()
            eventually(lambda: page.locator("#feed", has_text="while nobody looked 0").count() == 1)
            assert page.locator("#feed li", has_text="while nobody looked").count() == 20
            assert set(seen(page).values()) == {1}


def test_a_silent_bot_is_not_shown_as_trading(page: Page, home: Path):
    """A bot whose last event is old is silent: its mode is past, and is not green."""
    with Recorder.open("arb-1", home=home, mode=Mode.ACTIVE), running.sidecar(home) as sidecar:
        visit(page, sidecar.url)
        expect(card(page).locator(".mode")).to_have_text("active")
        page.evaluate("setInterval(() => { for (const bot of bots.values()) bot.last_event -= 60; }, 50)")
        expect(card(page).locator(".mode.silent")).to_have_text("silent, was active")
        expect(card(page).locator(".alerts")).to_contain_text("The bot is silent")


def test_other_roads_are_taken_where_the_websocket_is_barred(browser: Browser, home: Path):
    """Without WebSocket the page reads server-sent events, without these it asks; each brings new events."""
    no_socket = "window.WebSocket = class { constructor() { throw new Error('barred'); } };"
    with Recorder.open("arb-1", home=home) as recorder, running.sidecar(home) as sidecar:
        with watched(browser) as page:
            page.add_init_script(no_socket)
            visit(page, sidecar.url)
            expect(page.locator("#link")).to_have_text("● live · SSE")
            recorder.emit(LogRecorded(levelname="INFO", name="x", message="by events"))
            expect(page.locator("#feed")).to_contain_text("by events")
        with watched(browser, "ERR_FAILED") as page:
            page.add_init_script(no_socket)
            page.route("**/stream*", lambda route: route.abort())
            visit(page, sidecar.url)
            expect(page.locator("#link")).to_have_text("● live · polling")
            recorder.emit(LogRecorded(levelname="INFO", name="x", message="by asking"))
            recorder.set_mode(Mode.HALTED, reason="enough")
            expect(page.locator("#feed")).to_contain_text("by asking")
            expect(card(page).locator(".mode")).to_have_text("halted")
            assert set(seen(page).values()) == {1}


def test_thirty_bots_fit_on_a_phone(browser: Browser, home: Path):
    """Many bots are folded to a line each; nothing is wider than the screen; one is opened by the keyboard."""
    recorders = [Recorder.open(f"bot-with-a-rather-long-name-{number:02d}", home=home) for number in range(BOTS)]
    try:
        with running.sidecar(home) as sidecar, watched(browser, viewport=PHONE) as page:
            for recorder in recorders:
                recorder.emit(_opened("1", "A" * 300))
                recorder.set_mode(Mode.HALTED, reason="W" * 400)
            visit(page, sidecar.url)
            expect(page.locator(".bot")).to_have_count(BOTS)
            expect(page.locator(".bot .body").first).to_be_hidden()
            page.locator(".bot .fold").nth(3).focus()
            page.keyboard.press("Enter")
            expect(page.locator(".bot .body").nth(3)).to_be_visible()
            expect(page.locator(".bot .fold").nth(3)).to_be_focused()
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    finally:
        for recorder in recorders:
            recorder.close()


def test_nothing_is_drawn_while_the_tab_is_hidden(page: Page, home: Path):
    """A tab that nobody looks at follows without touching what it shows, and shows all of it when it is looked at."""
    with Recorder.open("arb-1", home=home) as recorder, running.sidecar(home) as sidecar:
        visit(page, sidecar.url)
        page.evaluate(
            """() => {
              Object.defineProperty(document, 'hidden', { configurable: true, get: () => window.isHidden });
              window.isHidden = true;
              window.changes = 0;
              new MutationObserver((found) => { window.changes += found.length; })
                .observe(document.querySelector('main'), { childList: true, subtree: true, characterData: true });
            }"""
        )
        page.evaluate("new Promise((resolve) => setTimeout(() => { window.changes = 0; resolve(); }, 200))")
        for number in range(3000):
            recorder.emit(LogRecorded(levelname="INFO", name="x", message=f"line {number}"))
        eventually(lambda: page.evaluate("events.length && events[events.length - 1].raw.message") == "line 2999")
        assert page.evaluate("window.changes") == 0
        assert page.evaluate("events.length") <= 1500
        assert page.evaluate("ids.size") == page.evaluate("events.length")
        page.evaluate("window.isHidden = false; document.dispatchEvent(new Event('visibilitychange'))")
        expect(page.locator("#feed li").first).to_contain_text("line 2999")
        assert page.locator("#feed li").count() <= 200


def test_focus_stays_and_a_screen_reader_is_told_of_changes_only(page: Page, home: Path):
    """Redrawing takes the focus from nothing; the live region speaks when the mode changes, not at each figure."""
    with Recorder.open("arb-1", home=home, mode=Mode.ACTIVE) as recorder, running.sidecar(home) as sidecar:
        recorder.emit(_opened("1", "WETH/USDC"))
        visit(page, sidecar.url)
        page.evaluate(
            """() => {
              window.said = [];
              new MutationObserver(() => window.said.push(document.querySelector('#announce').textContent))
                .observe(document.querySelector('#announce'), { childList: true });
            }"""
        )
        close = card(page).get_by_role("button", name="Close the position WETH/USDC …")
        close.focus()
        for equity in range(1, 30):
            recorder.emit(EquityObserved(equity=equity, asset="USDC"))
        expect(card(page)).to_contain_text("29.00")
        expect(close).to_be_focused()
        assert page.evaluate("window.said") == []
        recorder.set_mode(Mode.STANDBY, reason="lunch")
        expect(page.locator("#announce")).to_have_text("arb-1: standby")
        assert page.evaluate("window.said") == ["arb-1: standby"]
        expect(close).to_be_focused()


def _opened(position_id: str, symbol: str, asset: str = "USDC") -> PositionOpened:
    return PositionOpened(
        position_id=position_id, venue="amber", symbol=symbol, side="long", quantity=1.5, entry_price=2000, asset=asset
    )
