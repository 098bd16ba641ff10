"""The application: links, bots, the selected bot, activity; keys that ask before they change anything.

Whatever comes is drawn at most ten times a second: thousands of events a second leave the keys free.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import DataTable, Footer, Input, Static

from deskwatch.control import orders
from deskwatch.control.orders import Order
from deskwatch.harmless import harmless
from deskwatch.live import BotState, Live
from deskwatch.terminal.ask import Ask
from deskwatch.terminal.details import details
from deskwatch.terminal.feed import Feed
from deskwatch.terminal.fleet import Fleet, Watched
from deskwatch.terminal.rows import COLUMNS, STALE_SECONDS, heading, row

DRAW_SECONDS = 0.1
AGE_SECONDS = 1.0
"""Ages are drawn anew after this time, though nothing came."""
WIDE = 100
"""Columns from which on names are shown in full."""
_ROADS = {"stream": ("●", "green"), "polling": ("◐", "yellow"), "down": ("○", "bold red")}


class Top(App[None]):
    """`deskwatch top`."""

    CSS_PATH = "top.tcss"
    TITLE = "deskwatch"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "mode('standby')", "Standby"),
        Binding("a", "mode('active')", "Active"),
        Binding("h", "mode('halted')", "Halt"),
        Binding("c", "close_all", "Close all"),
        Binding("r", "process('restart')", "Restart"),
        Binding("K", "process('kill')", "Kill"),
        Binding("p", "pause", "Pause"),
        Binding("slash", "filter", "Filter", key_display="/"),
        Binding("escape", "no_filter", "", show=False),
        Binding("q", "quit", "Quit"),
    ]

    def __init__(self, fleet: Fleet) -> None:
        super().__init__()
        self._fleet = fleet
        self._rows: dict[str, tuple[Text, ...]] = {}
        self._drawn = 0.0
        self.draws = 0
        """How often the figures were drawn."""

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield Static(id="links")
        yield DataTable(id="bots", cursor_type="row", cell_padding=0, cursor_foreground_priority="renderable")
        yield Static(id="details")
        yield Feed(self._fleet)
        yield Input(placeholder="kind:orders level:warning bot:arb-1 word …", id="filter")
        yield Footer(compact=True)

    async def on_mount(self) -> None:
        """Begin to draw."""
        table = self.query_one("#bots", DataTable)
        for name in COLUMNS:
            table.add_column(heading(name), key=name)
        table.focus()
        self.set_interval(DRAW_SECONDS, self._draw)
        self._draw()

    @property
    def selected(self) -> Watched | None:
        """The bot under the cursor."""
        table = self.screen_stack[0].query_one("#bots", DataTable)
        if not table.is_valid_row_index(table.cursor_row):
            return None
        key = table.coordinate_to_cell_key(table.cursor_coordinate).row_key.value
        return next((one for one in self._fleet.bots() if one.key == key), None)

    def on_data_table_row_highlighted(self) -> None:
        """Another bot is selected."""
        self._fleet.changed = True

    def on_input_changed(self, event: Input.Changed) -> None:
        """The filter narrows while it is typed."""
        if event.input.id == "filter":
            self.query_one(Feed).narrow(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter leaves the filter as it is."""
        if event.input.id == "filter":
            self._close_filter()

    def action_mode(self, mode: str) -> None:
        """Ask for a mode of the selected bot."""
        self._ask(lambda bot: orders.mode(bot.bot, mode, None, etag=bot.mode.etag))

    def action_close_all(self) -> None:
        """Ask to close all of its positions."""
        self._ask(lambda bot: orders.command(bot.bot, "close_all", {}, None, words="close all positions"))

    def action_process(self, action: str) -> None:
        """Ask for something about its process."""
        self._ask(lambda bot: orders.process(bot.bot, action, None))

    def action_pause(self) -> None:
        """Hold the feed, or let it go on."""
        feed = self.query_one(Feed)
        feed.pause(paused=not feed.paused)

    def action_filter(self) -> None:
        """Open the feed's filter."""
        field = self.query_one("#filter", Input)
        field.add_class("open")
        field.focus()

    def action_no_filter(self) -> None:
        """Take the filter away."""
        self.query_one("#filter", Input).value = ""
        self._close_filter()

    def _close_filter(self) -> None:
        field = self.query_one("#filter", Input)
        if not field.value:
            field.remove_class("open")
        self.query_one("#bots", DataTable).focus()

    def _ask(self, order: Callable[[BotState], Order]) -> None:
        bot = self.selected
        if bot is not None and not isinstance(self.screen, Ask):
            self.push_screen(Ask(order(bot.state), bot.link.access))

    def _draw(self) -> None:
        now = time.monotonic()
        if not self._fleet.changed and now - self._drawn < AGE_SECONDS:
            return
        self._fleet.changed, self._drawn = False, now
        self.draws += 1
        main = self.screen_stack[0]
        main.query_one("#links", Static).update(self._links())
        self._draw_bots(main.query_one("#bots", DataTable))
        panel = main.query_one("#details", Static)
        panel.update(details(self.selected, panel.content_size.width or 76))
        main.query_one(Feed).redraw()

    def _draw_bots(self, table: DataTable[Text]) -> None:
        now, wide = time.time(), self.size.width >= WIDE
        bots = self._fleet.bots()
        keys = [one.key for one in bots]
        if list(self._rows) != keys:
            self._refill(table, keys)
        for one in bots:
            cells = row(one.state, now, one.link.age_seconds, wide=wide)
            for name, cell, shown in zip(COLUMNS, cells, self._rows[one.key], strict=True):
                if cell != shown or cell.style != shown.style:
                    table.update_cell(one.key, name, cell, update_width=True)
            self._rows[one.key] = cells

    def _refill(self, table: DataTable[Text], keys: list[str]) -> None:
        at = list(self._rows)[table.cursor_row] if table.cursor_row < len(self._rows) else None
        table.clear()
        empty = tuple(Text() for _ in COLUMNS)
        self._rows = dict.fromkeys(keys, empty)
        for key in keys:
            table.add_row(*empty, key=key)
        if at in self._rows:
            table.move_cursor(row=keys.index(at))

    def _links(self) -> Text:
        return Text("\n").join(self._link(link) for link in self._fleet.links)

    def _link(self, link: Live) -> Text:
        sign, style = _ROADS[link.road]
        age = link.age_seconds
        line = Text.assemble((f"{sign} ", style), harmless(link.access.name), (f"  {link.road}", style))
        line.append("  no data yet" if age == float("inf") else f"  data {age:.1f} s old", _age_style(age))
        trouble = self._fleet.faults.get(link.access.url) or link.trouble
        if trouble and link.road != "stream":
            line.append(f"  {harmless(trouble)}", "dim")
        line.truncate(max(20, self.size.width - 2), overflow="ellipsis")
        return line


def _age_style(age: float) -> str:
    return "bold red" if age > STALE_SECONDS else ""
