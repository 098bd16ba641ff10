"""A client of a sidecar, for strategies, notebooks and scripts.

    async with deskwatch.live.connect("http://127.0.0.1:9464", token=…) as live:
        async for change in live:
            for event in change.events: …
            print(live.bots["arb-1"].mode.actual, live.road, live.age_seconds)

It needs `websockets` and `urllib3`, which come with the extra `sidecar`.
"""

from __future__ import annotations

from deskwatch.live.access import Access
from deskwatch.live.bot import BotState, CommandState, Counts, ModeState, Offer, Watch
from deskwatch.live.change import Change, Road
from deskwatch.live.live import Live, Pace, connect
from deskwatch.live.messages import Cursor, Entry

__all__ = [
    "Access",
    "BotState",
    "Change",
    "CommandState",
    "Counts",
    "Cursor",
    "Entry",
    "Live",
    "ModeState",
    "Offer",
    "Pace",
    "Road",
    "Watch",
    "connect",
]
