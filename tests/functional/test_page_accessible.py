"""The page and those who can't see it, or not well: axe finds no serious fault in any of its looks."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it ships no types
from playwright.sync_api import Browser, Page, ViewportSize, expect

from deskwatch import EquityObserved, Mode, PositionClosed, PositionOpened, PriceObserved, Recorder, RiskAlertRaised
from deskwatch.events import ConnectionChanged, DecisionMade, ErrorOccurred
from tests import running
from tests.browsing import DESKTOP, PHONE, card, visit, watched

GRAVE = ("serious", "critical")


@pytest.mark.parametrize(
    ("scheme", "viewport"), [("light", DESKTOP), ("dark", DESKTOP), ("light", PHONE)], ids=["light", "dark", "phone"]
)
def test_axe_finds_no_serious_fault(
    browser: Browser, home: Path, scheme: Literal["light", "dark"], viewport: ViewportSize
):
    """In each mode of a bot, with both dialogues, paused, filtered, folded, and with old data."""
    port = running.free_port()
    with (
        Recorder.open("arb-1", home=home, mode=Mode.ACTIVE) as recorder,
        watched(browser, bypass_csp=True, color_scheme=scheme, viewport=viewport, reduced_motion="reduce") as page,
    ):
        with running.sidecar(home, port=port) as sidecar:
            _fill(recorder)
            visit(page, sidecar.url)
            expect(card(page)).to_contain_text("max_drawdown")
            _check(page)
            for mode in (Mode.STANDBY, Mode.CLOSING, Mode.HALTED):
                recorder.set_mode(mode, reason="a test")
                expect(card(page).locator(".mode")).to_have_text(mode.value)
                _check(page)
            card(page).get_by_role("button", name="Close all").click()
            _check(page)
            page.keyboard.press("Escape")
            page.locator("#feed button").first.click()
            expect(page.locator("#details")).to_be_visible()
            _check(page)
            page.keyboard.press("Escape")
            page.get_by_role("button", name="Pause").click()
            page.get_by_role("combobox", name="Level").select_option("warning")
            card(page).locator(".fold").click()
            _check(page)
        expect(page.locator("#stale-banner")).to_be_visible()
        _check(page)


def test_the_keyboard_reaches_everything_that_can_be_pressed(page: Page, home: Path):
    """Tab comes by each visible control once and goes on, and each shows where it is."""
    with Recorder.open("arb-1", home=home, mode=Mode.ACTIVE) as recorder, running.sidecar(home) as sidecar:
        recorder.emit(PositionClosed(position_id="1", venue="amber", symbol="X", realized_pnl=1, asset="USDC"))
        visit(page, sidecar.url)
        expect(page.locator("#feed")).to_contain_text("position closed")
        controls = page.locator("button:visible, select:visible, input:visible").count()
        reached = set()
        for _ in range(controls + 12):
            page.keyboard.press("Tab")
            reached.add(
                page.evaluate(
                    """() => { const node = document.activeElement;
                    window.tabbed = window.tabbed || new Map();
                    if (!window.tabbed.has(node)) window.tabbed.set(node, window.tabbed.size);
                    const isControl = node.matches('button, select, input');
                    const outline = getComputedStyle(node).outlineStyle;
                    return isControl ? `${window.tabbed.get(node)} ${outline}` : ''; }"""
                )
            )
        reached.discard("")
        assert len(reached) == controls
        assert all(one.endswith("solid") for one in reached)


def _fill(recorder: Recorder) -> None:
    for equity in (100, 101.5, 99, 103, 104):
        recorder.emit(EquityObserved(equity=equity, asset="USDC"))
    recorder.emit(
        PositionOpened(
            position_id="1", venue="amber", symbol="WETH/USDC", side="long", quantity=1, entry_price=1, asset="USDC"
        )
    )
    recorder.emit(PositionClosed(position_id="2", venue="amber", symbol="WETH/USDC", realized_pnl=-3, asset="USDC"))
    recorder.emit(PriceObserved(venue="amber", symbol="WETH/USDC", price=2000, change_24h_ratio=0.01, volume_24h=1e6))
    recorder.emit(ConnectionChanged(connection="rpc", venue="amber", up=False, reason="timeout"))
    recorder.emit(DecisionMade(decision_id="1", action="buy", provider="rules", reasoning="it looks good"))
    recorder.emit(ErrorOccurred(component="core", kind="ValueError", message="bad"))
    recorder.emit(RiskAlertRaised(alert="max_drawdown", severity="critical", message="too deep"))


def _check(page: Page) -> None:
    found = Axe().run(page).response["violations"]
    grave = [
        (one["id"], one["help"], [(node["html"][:200], node.get("failureSummary", "")[:300]) for node in one["nodes"]])
        for one in found
        if one["impact"] in GRAVE
    ]
    assert grave == []
