"""Shipping again what Loki misses: into the late lane, each line once, whatever comes in between."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

import msgspec

from deskwatch.backoff import Backoff
from deskwatch.errors import InvalidLine
from deskwatch.harmless import harmless
from deskwatch.journal import read_envelope
from deskwatch.journal.walk import Line, Walk
from deskwatch.sinks.answer import Answer
from deskwatch.sinks.loki.entries import Entry, as_entry
from deskwatch.verify.against_loki import is_missing
from deskwatch.verify.counting import Count
from deskwatch.verify.ledger import UNSENDABLE

LATE = "late"
PUSH_LINES = 500
PUSH_BYTES = 1024 * 1024


class Pusher(Protocol):
    """Where entries are pushed: the sink's `Push`."""

    def send(self, entries: list[Entry]) -> Answer:
        """Push entries; never raises for trouble with the server."""


class Repaired(msgspec.Struct, kw_only=True):
    """What a repair came to.

    Attributes:
        shipped: Lines that Loki took.
        refused: Lines that it won't take.
        reason: Its words for the last of these, or of the trouble that ended the repair.
        complete: False where the time was over first.
    """

    shipped: int = 0
    refused: int = 0
    reason: str = ""
    complete: bool = True


def repair(
    home: Path, counts: Mapping[tuple[str, str], Count], push: Pusher, seconds: float, since: float = 0.0
) -> Repaired:
    """Push what is missing, for at most so many seconds; older lines than `since` (seconds since 1970) are left."""
    done = Repaired()
    deadline = time.monotonic() + seconds
    ts = time.time_ns()
    batch: list[Entry] = []
    size = 0
    for count in counts.values():
        for line in lines_missing(home, count, since):
            ts += 1  # a time of its own for each, decided once: a push that is repeated is the same push
            batch.append(late_entry(line, count.bot, count.writer, ts))
            size += len(line.text)
            if len(batch) >= PUSH_LINES or size >= PUSH_BYTES:
                if not _send(push, batch, deadline, done):
                    return done
                batch, size = [], 0
    _send(push, batch, deadline, done)
    return done


def lines_missing(home: Path, count: Count, since: float = 0.0) -> Iterator[Line]:
    """The journal's lines whose rows are marked as missing, read again: the ledger does not keep them."""
    numbered: dict[int, set[int]] = {}
    placed: set[tuple[int, int]] = set()
    for ledger in (count.numbered, count.placed):
        for at, state in enumerate(ledger.states):
            if is_missing(state) and not state & UNSENDABLE and ledger.seconds[at] >= since:
                if ledger is count.numbered:
                    numbered.setdefault(ledger.keys[at], set()).add(ledger.digests[at])
                else:
                    placed.add(count.place_of(ledger.keys[at]))
    if not numbered and not placed:
        return
    for line in Walk(home, count.bot, count.writer, count.start, count.walk.position):
        if (line.segment, line.offset) in placed:
            yield line
            continue
        try:
            seq = read_envelope(line.text).seq if numbered else None
        except InvalidLine:
            continue
        if seq is not None and hash(line.text) in numbered.get(seq, ()):
            numbered[seq].discard(hash(line.text))  # the same line twice in a damaged journal is one in Loki
            yield line


def late_entry(line: Line, bot: str, writer: str, ts: int) -> Entry:
    """A line as an entry of the late lane: stored at `ts`, with its own time beside it."""
    entry = as_entry(line.text, bot, writer)
    envelope = read_envelope(line.text)
    key = {"at": f"{line.segment}:{line.offset}"} if envelope.seq is None else {"seq": str(envelope.seq)}
    metadata = {**entry.metadata, **key, "event_ts": str(envelope.ts)}
    return msgspec.structs.replace(entry, stream=(bot, entry.stream[1], LATE), ts=ts, metadata=metadata)


def _send(push: Pusher, entries: list[Entry], deadline: float, done: Repaired) -> bool:
    """Push until Loki has the entries, halving what it refuses; False when the time is over."""
    backoff = Backoff()
    while entries:
        answer = push.send(entries)
        if answer.outcome == "stored":
            done.shipped += len(entries)
            return True
        done.reason = harmless(f"{answer.reason} {answer.detail}".strip())[:300]
        if answer.outcome == "refused":
            if len(entries) == 1:
                done.refused += 1
                return True
            half = len(entries) // 2
            return _send(push, entries[:half], deadline, done) and _send(push, entries[half:], deadline, done)
        pause = backoff.next_seconds(answer.retry_after)
        if time.monotonic() + pause >= deadline:
            done.complete = False
            return False
        time.sleep(pause)
    return True
