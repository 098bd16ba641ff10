"""A real Chromium, and what its user sees of the live page."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, ViewportSize, WebSocket, expect, sync_playwright

from tests.servers import require
from tests.waiting import patience

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP: ViewportSize = {"width": 1400, "height": 900}
PHONE: ViewportSize = {"width": 360, "height": 780}

_TEST_SERVER_IS_DOWN = (
    "ERR_CONNECTION_REFUSED",
    "ERR_INCOMPLETE_CHUNKED_ENCODING",
    "ERR_CONNECTION_RESET",
    "ERR_EMPTY",
)
"""What a browser says on its console when a test stops the sidecar."""

# Collects the ids of all events that were ever shown, also those whose rows are gone.
_COLLECT = """
window.seen = new Map();
new MutationObserver((changes) => {
  for (const change of changes) for (const node of change.addedNodes) {
    const entry = node.querySelector && node.querySelector("[data-id]");
    if (entry) window.seen.set(entry.dataset.id, (window.seen.get(entry.dataset.id) || 0) + 1);
  }
}).observe(document, { childList: true, subtree: true });
"""


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium."""
    binary = require("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, args=FLAGS)
        yield browser
        browser.close()


@contextlib.contextmanager
def watched(browser: Browser, *expected: str, **context: Any) -> Iterator[Page]:
    """A page that fails its test on any console error and on any request to another host.

    Args:
        browser: Where it is opened.
        expected: Parts of console errors that are the test's own doing.
        context: Of the browser's context: viewport, colour scheme …
    """
    opened = browser.new_context(**{"viewport": DESKTOP, **context})
    page = opened.new_page()
    page.set_default_timeout(30_000 * patience())
    expect.set_options(timeout=15_000 * patience())
    page.add_init_script(_COLLECT)
    faults: list[str] = []

    def console(message: ConsoleMessage) -> None:
        if message.type == "error":
            faults.append(message.text)

    def requested(request: Request) -> None:
        if not request.url.startswith(("http://127.0.0.1:", "data:")):
            faults.append(f"asked {request.url}")

    def opened_socket(socket: WebSocket) -> None:
        if not socket.url.startswith("ws://127.0.0.1:"):
            faults.append(f"asked {socket.url}")

    page.on("console", console)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", requested)
    page.on("websocket", opened_socket)
    try:
        yield page
    finally:
        opened.close()
    allowed = (*_TEST_SERVER_IS_DOWN, *expected)
    grave = [fault for fault in faults if not any(part in fault for part in allowed)]
    assert not grave, grave


def seen(page: Page) -> dict[str, int]:
    """Ids of all events that the feed has ever shown, and how often a row was made for each."""
    shown: dict[str, int] = page.evaluate("Object.fromEntries(window.seen)")
    return shown


def visit(page: Page, url: str, token: str | None = None) -> None:
    """Open the page, with a token as if it had been typed in before, and wait until it is live."""
    if token is not None:
        page.add_init_script(f"sessionStorage.setItem('deskwatch-token', {json.dumps(token)})")
    page.goto(url)
    expect(page.locator("#link")).to_contain_text("● live")


def steer(page: Page, button: str, reason: str = "a test", *, bot: str = "arb-1", token: str | None = None) -> None:
    """Press one of a bot's buttons, say why, and send it."""
    card(page, bot).get_by_role("button", name=button, exact=True).click()
    page.get_by_label("Reason").fill(reason)
    if token is not None:
        page.get_by_label("Operator's token").fill(token)
    page.get_by_role("button", name="Send", exact=True).click()


def card(page: Page, bot: str = "arb-1") -> Any:
    """A bot's card."""
    return page.get_by_role("article", name=bot, exact=True)
