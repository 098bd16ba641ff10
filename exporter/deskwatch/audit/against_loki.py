"""Holding control journals against what Loki has of them: there a rewrite of a whole local chain shows."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec

from deskwatch.errors import InvalidLine
from deskwatch.journal import names
from deskwatch.journal.line import read_envelope
from deskwatch.journal.walk import Walk
from deskwatch.sinks.loki.entries import LATE, LIVE
from deskwatch.verify.loki import Loki, selector

LOOK_BACK_NS = 30 * 86400 * 10**9
"""Loki is asked from the journal's first line on, at least so far back: the journal may have lost its first lines."""
MAX_DIFFERENCES = 100


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A line that Loki has, and the journal has not, or not so."""

    bot: str
    seq: int
    detail: str


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """What a comparison came to.

    Attributes:
        differences: Up to MAX_DIFFERENCES of each bot.
        same: Lines that both have, the same.
        only_local: Lines that Loki does not show: not shipped yet, or deleted there for their age.
    """

    differences: list[Difference]
    same: int
    only_local: int


def compare(home: Path, bots: list[str] | None, loki: Loki) -> Compared:
    """Compare each control journal with Loki; also that of a bot that has none (any more).

    Args:
        home: The home of all journals.
        bots: Only these; None for all that have a folder, and the sidecar's own.
        loki: Asked for its copies.

    Raises:
        Unreachable: Loki can't be asked.
        ConfigError: A bot's name is none.
    """
    differences: list[Difference] = []
    same = only_local = 0
    asked = (
        {*names.bots(home), names.SIDECAR} if bots is None else {names.check_name("bot's name", bot) for bot in bots}
    )
    for bot in sorted(asked):
        shipped: dict[int, set[str]] = {}
        local, oldest = _local(home, bot)
        now = time.time_ns()
        for lane in (LIVE, LATE):
            for entry in loki.entries(
                selector(bot, lane) + ' | writer="control"', min(oldest, now - LOOK_BACK_NS), now
            ):
                seq = entry.labels.get("seq", "")
                if seq.isdecimal():
                    shipped.setdefault(int(seq), set()).add(entry.line)
        found = list(_differences(bot, local, shipped))
        differences += found[:MAX_DIFFERENCES]
        both = local.keys() & shipped.keys()
        same += len(both) - sum(1 for one in found if one.seq in both)
        only_local += len(local.keys() - shipped.keys())
    return Compared(differences=differences, same=same, only_local=only_local)


def _local(home: Path, bot: str) -> tuple[dict[int, str], int]:
    """The journal's lines by `seq`, and the time of the oldest."""
    local: dict[int, str] = {}
    oldest = time.time_ns()
    for line in Walk(home, bot, names.CONTROL):
        try:
            envelope = read_envelope(line.text)
        except InvalidLine:
            continue  # the chain tells of it
        if line.whole and envelope.seq is not None:
            local[envelope.seq] = line.text.decode()
            oldest = min(oldest, envelope.ts)
    return local, oldest


def _differences(bot: str, local: dict[int, str], shipped: dict[int, set[str]]) -> list[Difference]:
    first = min(local, default=0)
    found = []
    for seq, lines in sorted(shipped.items()):
        if seq not in local:
            if seq >= first:
                found.append(Difference(bot=bot, seq=seq, detail="Loki has a line that the journal does not have"))
        elif len(lines) > 1:
            found.append(Difference(bot=bot, seq=seq, detail="Loki has several lines of this seq, and they differ"))
        elif local[seq] not in lines:
            found.append(Difference(bot=bot, seq=seq, detail="the journal's line is not the one that was shipped"))
    return found
