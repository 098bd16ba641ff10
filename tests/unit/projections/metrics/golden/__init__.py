"""The golden exposition: what `/metrics` says of a journal that holds everything.

`events.ndjson` has a journal line in each of its lines, with its bot and writer as further members. It covers every
type of event; write a line into it for a new event or field, then renew `metrics.txt` by

    python -m tests.unit.projections.metrics.golden
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from deskwatch.exposition import render
from deskwatch.journal import START, Batch
from deskwatch.projections import Metrics, Projections

EVENTS = Path(__file__).parent / "events.ndjson"
METRICS = Path(__file__).parent / "metrics.txt"
NOW = 1_700_000_000.0
"""When it is shown: soon after the last line."""
MAX_SERIES = 64
"""Label sets that a family holds of a bot: fewer than the noisy one's errors."""


class Owner(msgspec.Struct):
    """Whose line it is."""

    bot: str
    writer: str


def batches() -> Iterator[Batch]:
    """The journal, a line at a time, as a follower brings it."""
    for line in EVENTS.read_bytes().splitlines():
        owner = msgspec.json.decode(line, type=Owner)
        yield Batch(bot=owner.bot, writer=owner.writer, lines=[line], start=START, position=START)


def folded() -> Metrics:
    """The metrics after all of it."""
    projections = Projections(MAX_SERIES)
    for batch in batches():
        projections.apply_batch(batch)
    return projections.metrics


def exposition() -> str:
    """What `/metrics` says of it."""
    return render(folded().readings(NOW)).decode()
