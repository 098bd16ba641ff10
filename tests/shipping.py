"""What the tests of shipping ask: what a fake Loki should hold, and what it does."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

from deskwatch.encoding import encode
from deskwatch.events import Event, LogRecorded, OrderSubmitted, PriceObserved
from deskwatch.journal import Writer, names
from deskwatch.sinks.loki import Pace
from tests import running
from tests.fakes.loki import FakeLoki

QUICK = Pace(linger_seconds=0.005, settle_seconds=0.02, first_seconds=0.002, most_seconds=0.004, push_bytes=16 * 1024)
"""Nothing waits long, and a push is small."""
HOUR = 3600.0


def event(number: int) -> Event:
    """One of three kinds."""
    match number % 3:
        case 0:
            return LogRecorded(message=f"note {number}", levelname="INFO", name="n")
        case 1:
            return PriceObserved(venue="amber", symbol="WETH/USDC", price=3000.0 + number)
    return OrderSubmitted(order_id=f"o-{number}", venue="amber", symbol="WETH/USDC", side="buy", quantity=1)


@contextmanager
def writer(home: Path, bot: str = "arb-1", name: str = "main") -> Iterator[Writer]:
    """A bot's writer."""
    one = Writer(names.writer_folder(home, bot, name)).open()
    try:
        yield one
    finally:
        one.close()


def write_at(one: Writer, times: Iterable[float], make: Callable[[int], Event] = event) -> None:
    """Write an event at each of these times (seconds since 1970), as a bot with that clock would."""
    clock = mock.Mock(wraps=time)
    with mock.patch("deskwatch.journal.writer.time", clock):
        for number, seconds in enumerate(times):
            clock.time_ns.side_effect = partial(round, seconds * 1e9)
            one.append(encode(make(number)))


def quarantined(home: Path) -> list[dict[str, Any]]:
    """The rows in quarantine."""
    path = home / "sinks" / "loki.quarantine.ndjson"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def journaled(home: Path) -> Counter[tuple[str, str]]:
    """Bot and line of each line that the journals hold."""
    return Counter((bot, line.decode()) for (bot, _), lines in running.journal_lines(home).items() for line in lines)


def shipped(loki: FakeLoki) -> Counter[tuple[str, str]]:
    """Bot and line of each entry that the fake holds."""
    return Counter((one.labels["bot"], one.line) for one in loki.stored())


def owed(home: Path) -> Counter[tuple[str, str]]:
    """What Loki should hold: the journals less the quarantine."""
    return journaled(home) - Counter((row["bot"], row["line"]) for row in quarantined(home))
