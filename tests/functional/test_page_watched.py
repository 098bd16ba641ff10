"""The live page shows bots that deskwatch only watches as what they are, and offers what can be done to them."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from playwright.sync_api import Page, expect

from deskwatch import BalanceObserved, EquityObserved, Mode
from deskwatch.sources.memory import Memory
from deskwatch.sources.watched import Watched
from tests import running
from tests.browsing import card, visit

STEERING = ["Standby", "Close only", "Close all", "Cancel orders", "Halt", "Reload config"]
PROCESS = ["Restart", "Stop process", "Start process", "Kill", "Output …"]
HOSTILE = "http://<img src=x onerror=alert(1)>\u202egnp.exe"


async def _journal(home: Path) -> None:
    """A freqtrade, one that was never reached, one that is watched no more, and a wallet."""
    freqtrade = Watched(home, "ft", "main", kind="freqtrade", peer="http://10.0.0.7:8080", memory=Memory()).open()
    freqtrade.connected("rest", "freqtrade", up=True)
    freqtrade.started("1", Mode.ACTIVE, host="10.0.0.7")
    freqtrade.emit(EquityObserved(equity=1003.25, asset="USDT"))
    freqtrade.alive()
    unreached = Watched(home, "wrong-password", "main", kind="freqtrade", peer=HOSTILE, memory=Memory()).open()
    unreached.connected("rest", "freqtrade", up=False, reason="unauthorized")
    gone = Watched(home, "gone", "main", kind="freqtrade", peer="http://10.0.0.8:8080", memory=Memory()).open()
    gone.started("1", Mode.STANDBY, host="10.0.0.8")
    gone.close()
    wallet = Watched(home, "wallet", "main", kind="evm", peer="mainnet", memory=Memory()).open()
    wallet.connected("rpc", "node.example.org", up=True)
    wallet.emit(BalanceObserved(venue="hot", asset="ETH", total=1.2345678))
    for one in (freqtrade, unreached, wallet):  # no last word: as if they went on
        one._release()  # `close` would say that nobody watches any more


def test_page_shows_what_is_watched_and_offers_what_can_be_done(page: Page, home: Path):
    """Nobody can steer a wallet or an unreached bot; what a button does to a freqtrade is said in its words."""
    with ThreadPoolExecutor() as threads:  # this thread's loop is the browser's
        threads.submit(lambda: asyncio.run(_journal(home))).result()
    with running.sidecar(home) as sidecar:
        visit(page, sidecar.url)
        for name, state in {
            "ft": "active",
            "wrong-password": "unreached",
            "gone": "unwatched",
            "wallet": "watched",
        }.items():
            bot = card(page, name)
            if bot.locator(".fold").get_attribute("aria-expanded") == "false":
                bot.locator(".fold").click()
            expect(bot.locator(".mode")).to_contain_text(state)
            for button in PROCESS:
                expect(bot.get_by_role("button", name=button, exact=True)).to_be_hidden()
            for button in STEERING:
                expect(bot.get_by_role("button", name=button, exact=True)).to_be_visible(visible=name == "ft")
            expect(bot.get_by_role("button", name="Ping", exact=True)).to_be_visible(visible=name != "gone")
            expect(bot.locator("dt", has_text="CPU")).to_have_count(0)
        expect(card(page, "ft")).to_contain_text("10.0.0.7:8080")
        expect(card(page, "wrong-password")).to_contain_text("freqtrade rest is down")
        expect(card(page, "wrong-password")).to_contain_text("\\u202egnp.exe")
        expect(card(page, "gone")).to_contain_text("Nobody watches it any more")
        expect(card(page, "gone")).not_to_contain_text("The bot is silent")
        expect(card(page, "wallet")).to_contain_text("1.2345678")
        expect(card(page, "wallet")).not_to_contain_text("Win rate")
        card(page, "ft").get_by_role("button", name="Halt", exact=True).click()
        expect(page.locator("#ask-text")).to_contain_text("Open trades stay open")
