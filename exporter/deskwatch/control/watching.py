"""`ctl watch`: events as they happen, an event a line; what happens to the connection goes to stderr."""

from __future__ import annotations

import asyncio
import sys

from deskwatch.console import coloured
from deskwatch.control.event_line import told
from deskwatch.harmless import as_json, harmless, harmless_json
from deskwatch.live import Access, Entry, Live, Road
from deskwatch.moment import local_time


def show(accesses: list[Access], bots: list[str], kinds: list[str], *, as_document: bool) -> int:
    """Print events of all sidecars until Ctrl-C.

    Raises:
        NotAllowed: A sidecar wants another token.
    """
    asyncio.run(_show(accesses, tuple(bots), tuple(kinds), as_document=as_document))
    return 0


async def _show(accesses: list[Access], bots: tuple[str, ...], kinds: tuple[str, ...], *, as_document: bool) -> None:
    following = [asyncio.create_task(_follow(one, bots, kinds, as_document=as_document)) for one in accesses]
    try:
        await asyncio.gather(*following)
    finally:
        for task in following:
            task.cancel()
        await asyncio.gather(*following, return_exceptions=True)


async def _follow(access: Access, bots: tuple[str, ...], kinds: tuple[str, ...], *, as_document: bool) -> None:
    road: Road | None = None
    async with Live(access, bots, kinds) as live:
        async for change in live:
            if change.road != road:
                road = change.road
                why = f": {live.trouble}" if road != "stream" and live.trouble else ""
                print(harmless(f"{access.name}: {road}{why}"), file=sys.stderr, flush=True)
            if change.reset is not None:
                words = f"{access.name}: events may be missing here: {change.reset}"
                print(harmless(words), file=sys.stderr, flush=True)
            for entry in change.events:
                print(for_scripts(entry) if as_document else for_people(entry))
            if change.events:
                sys.stdout.flush()


def for_people(entry: Entry) -> str:
    """Local time, bot, type, then its fields."""
    when, kind = coloured(local_time(entry.ts), "faint"), coloured(harmless(entry.type), entry.level)
    return f"{when} {harmless(entry.bot)} {kind} {told(entry)}"


def for_scripts(entry: Entry) -> str:
    """The journal's line, as JSON, after where it stands."""
    head = as_json({"bot": entry.bot, "id": entry.id})
    return f'{head[:-1]},"event":{harmless_json(bytes(entry.raw).decode(errors="replace"))}}}'
