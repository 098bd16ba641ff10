"""Journals, a Loki that has them, and a cursor that says so."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from deskwatch.errors import InvalidLine
from deskwatch.events import ErrorOccurred, Event, OrderFilled, PriceObserved
from deskwatch.journal import names
from deskwatch.journal.walk import Line, Walk, select
from deskwatch.sinks.cursor import Cursor
from deskwatch.sinks.loki.entries import LIVE, Entry
from deskwatch.sinks.loki.push import Push
from deskwatch.verify.repair import late_entry
from tests.fakes.loki import FakeLoki
from tests.fakes.loki_query import entries_of

PRICE = PriceObserved(venue="amber", symbol="WETH/USDC", price=3000.5)
ERROR = ErrorOccurred(component="feed", kind="Timeout", message="late \x1b[31m")
FILL = OrderFilled(order_id="o-1", venue="amber", symbol="WETH/USDC", side="buy", quantity=1, price=2, final=True)


def events(count: int) -> list[Event]:
    """Events of three kinds in turn: seq 1 is of the market, 2 of the logs, 3 of the orders."""
    return [(PRICE, ERROR, FILL)[number % 3] for number in range(count)]


def entry_of(line: Line, bot: str, writer: str) -> Entry:
    """A line as the sink ships it, in the live lane."""
    entry = late_entry(line, bot, writer, 0)
    metadata = dict(entry.metadata)
    ts = int(metadata.pop("event_ts"))
    return msgspec.structs.replace(entry, stream=(bot, entry.stream[1], LIVE), ts=ts, metadata=metadata)


def ship(home: Path, loki: FakeLoki, *, without: Callable[[Entry], bool] = lambda _: False) -> None:
    """Deliver all journals, leaving some entries out; what can't be sent goes to quarantine, the cursor to the end."""
    push = Push(loki.url)
    cursor = Cursor(home, "loki")
    cursor.load()
    for bot, writer in select(home):
        walk = Walk(home, bot, writer)
        entries = []
        for line in walk:
            try:
                entries.append(entry_of(line, bot, writer))
            except InvalidLine as error:
                put_aside(home, bot, writer, line, error.reason)
        wanted = [entry for entry in entries if not without(entry)]
        if wanted:
            assert push.send(wanted).outcome == "stored"
        cursor.positions[bot, writer] = walk.position
    cursor.save()
    push.close()


def put_aside(home: Path, bot: str, writer: str, line: Line, reason: str, *, with_place: bool = True) -> None:
    """A row of the quarantine."""
    row: dict[str, Any] = {"bot": bot, "writer": writer, "reason": reason}
    row["line"] = line.text.decode(errors="backslashreplace")
    if with_place:
        row |= {"segment": line.segment, "offset": line.offset}
    path = home / "sinks" / "loki.quarantine.ndjson"
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as file:
        file.write(json.dumps(row) + "\n")


def forget(loki: FakeLoki, *seqs: int) -> None:
    """Take entries out of a Loki, by their seq."""
    for stored in loki.streams.values():
        kept = [one for one in entries_of(stored) if int(dict(one[2]).get("seq", -1)) not in seqs]
        entries_of(stored)[:] = kept


def append(home: Path, data: bytes, bot: str = "arb-1", writer: str = "main") -> None:
    """Bytes at the end of a journal, as a foreign program may write them."""
    folder = names.writer_folder(home, bot, writer)
    with (folder / names.segment_name(names.segments(folder)[-1])).open("ab") as file:
        file.write(data)
