"""The activity feed: the newest events below, filtered; paused where someone reads."""

from __future__ import annotations

from itertools import islice
from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widget import Widget

from deskwatch.control.event_line import told
from deskwatch.harmless import harmless
from deskwatch.live import Entry
from deskwatch.moment import local_time
from deskwatch.terminal.fleet import KEPT, Fleet
from deskwatch.terminal.wanted import Wanted

_STYLES = {"warning": "yellow", "error": "bold red", "critical": "bold reverse red", "debug": "dim"}


class Feed(Widget, can_focus=True):
    """Draws only what can be seen, when it is told to.

    Attributes:
        paused: Whether new events wait.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "back(1)", "Older", show=False),
        Binding("down", "back(-1)", "Newer", show=False),
        Binding("pageup", "back(10)", "Older", show=False),
        Binding("pagedown", "back(-10)", "Newer", show=False),
        Binding("end", "resume", "Newest", show=False),
    ]

    def __init__(self, fleet: Fleet) -> None:
        super().__init__(id="feed")
        self.wanted = Wanted()
        self.paused = False
        self._fleet = fleet
        self._held: list[Entry] = []
        self._held_at = 0
        self._back = 0

    def pause(self, *, paused: bool) -> None:
        """Hold what is shown, or go on with the newest."""
        self._held = list(self._fleet.events) if paused and not self.paused else self._held if paused else []
        self._held_at = self._fleet.count if paused and not self.paused else self._held_at
        self.paused = paused
        self._back = self._back if paused else 0
        self.redraw()

    def narrow(self, text: str) -> None:
        """Show only what a filter accepts."""
        self.wanted = Wanted.parse(text)
        self._back = 0
        self.redraw()

    def redraw(self) -> None:
        """Draw anew, and say in the title what is shown."""
        waiting = min(KEPT, self._fleet.count - self._held_at)
        self.border_title = f"activity, paused: {waiting} newer" if self.paused else "activity"
        self.refresh()

    def action_back(self, lines: int) -> None:
        """Go back by lines, which pauses; forward beyond the newest goes on."""
        if not self.paused:
            self.pause(paused=True)
        self._back = max(0, min(self._back + lines, len(self._held)))
        if self._back == 0 and lines < 0:
            self.pause(paused=False)
        self.redraw()

    def action_resume(self) -> None:
        """Go on with the newest."""
        self.pause(paused=False)

    def render(self) -> Text:
        """The lines that can be seen."""
        height, width = self.size.height, self.size.width
        source = self._held if self.paused else self._fleet.events
        fitting = (entry for entry in reversed(source) if self.wanted.accepts(entry))
        shown = list(islice(fitting, self._back, self._back + height))
        if not shown:
            return Text("nothing yet that fits the filter" if self.wanted != Wanted() else "nothing yet", style="dim")
        lines = [line(entry) for entry in reversed(shown)]
        for one in lines:
            one.truncate(max(1, width), overflow="ellipsis")
        return Text("\n").join(lines)


def line(entry: Entry) -> Text:
    """An event in one line: time, bot, type, then its fields, ids last."""
    text = Text(local_time(entry.ts)[11:19] + " ", style="dim")
    text.append(f"{harmless(entry.bot)} ", "not dim")
    text.append(harmless(entry.type.replace("_", " ")), f"not dim {_STYLES.get(entry.level, 'cyan')}")
    text.append(f" {told(entry)}", "not dim")
    return text
