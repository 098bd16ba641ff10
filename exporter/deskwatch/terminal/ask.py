"""The dialogue before anything is changed: what, a reason, and then how it goes.

It says `succeeded` only when the sidecar has seen in the bot's journal what was asked for.
"""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from typing import Any, ClassVar

import msgspec
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from deskwatch.control.giving import Patience, give
from deskwatch.control.orders import Order
from deskwatch.control.outcome import Outcome, Told
from deskwatch.errors import DeskwatchError
from deskwatch.harmless import harmless
from deskwatch.live import Access
from deskwatch.live.asking import Sidecar
from deskwatch.live.in_thread import in_thread

MAX_REASON = 500
TIMEOUT_SECONDS = 60.0


class Ask(ModalScreen[None]):
    """Asks for the reason, sends, and shows the progress. Escape leaves it; what was sent goes on."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Back")]

    def __init__(self, order: Order, access: Access) -> None:
        super().__init__()
        self._order = order
        self._access = access
        self._sent = False

    def compose(self) -> ComposeResult:
        """What, where, why, and the buttons."""
        with Vertical(id="ask"):
            title = Text(f"{harmless(self._order.bot)}: {self._order.words}", style="bold")
            yield Static(title.append(f"\nat {harmless(self._access.name)}", "not bold dim"), id="ask-what")
            if self._order.question:
                yield Static(Text(harmless(self._order.question)), id="ask-question")
            yield Input(placeholder="reason, for the audit trail", max_length=MAX_REASON, id="ask-reason")
            with Horizontal(id="ask-buttons"):
                yield Button("Send", variant="warning", id="ask-send")
                yield Button("Back", id="ask-back")
            yield Static("", id="ask-progress")

    def on_mount(self) -> None:
        """The reason is typed first."""
        self.query_one("#ask-reason", Input).focus()

    def on_input_submitted(self) -> None:
        """Enter sends."""
        self._send()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """One of the two."""
        if event.button.id == "ask-send":
            self._send()
        else:
            self.action_leave()

    def action_leave(self) -> None:
        """Close the dialogue."""
        self.dismiss()

    def _send(self) -> None:
        if self._sent:
            return
        self._sent = True
        reason = self.query_one("#ask-reason", Input)
        reason.disabled = True
        self.query_one("#ask-send", Button).disabled = True
        self.query_one("#ask-back", Button).focus()
        body = {**self._order.body, **({"reason": reason.value} if reason.value else {})}
        order = msgspec.structs.replace(self._order, body=body)
        self._tell("sent …", "")
        self.app.run_worker(self._give(order), exit_on_error=False)  # the app's: it outlives this dialogue

    async def _give(self, order: Order) -> None:
        loop = asyncio.get_running_loop()

        def progress(document: dict[str, Any]) -> None:
            loop.call_soon_threadsafe(self._progress, document)

        try:
            with contextlib.closing(Sidecar(self._access)) as sidecar:
                patience = Patience(timeout_seconds=TIMEOUT_SECONDS)
                told = await in_thread(partial(give, order, sidecar, patience, progress))
        except DeskwatchError as error:
            told = Told(outcome=Outcome.UNREACHABLE, words=str(error))
        self._end(told)

    def _progress(self, document: dict[str, Any]) -> None:
        waiting = document.get("waiting_for")
        self._tell(f"{document.get('status')}" + (f", waiting for: {waiting}" if waiting else " …"), "bold")

    def _end(self, told: Told) -> None:
        done = told.outcome is Outcome.SUCCEEDED
        words = f"{told.outcome.value}" + (f" in {told.seconds:.2f} s" if done else "")
        words += f": {told.words}" if told.words else ""
        if self.is_attached:
            self._tell(words, "bold green" if done else "bold red")
        else:
            title = harmless(f"{self._order.bot}: {self._order.words}")
            severity = "information" if done else "error"
            self.app.notify(harmless(words), title=title, severity=severity, timeout=10, markup=False)  # type: ignore[arg-type]  # one of its words

    def _tell(self, words: str, style: str) -> None:
        if self.is_attached:
            self.query_one("#ask-progress", Static).update(Text(harmless(words), style=style))
