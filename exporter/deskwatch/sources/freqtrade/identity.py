"""Which freqtrade it is: whose database, and which start of its process.

`/health` says when the database was made (`bot_start_ts`) and when trading began last (`bot_startup_ts`): at each
start, but also at a reload, and when a stopped trader is started (`FreqtradeBot.startup`). When the process itself
began stands in its log, which keeps the last 1000 records of this process alone.
"""

from __future__ import annotations

from typing import NamedTuple

from deskwatch.sources.freqtrade.log_records import Logged, begun
from deskwatch.sources.freqtrade.memory import database_of
from deskwatch.sources.freqtrade.reading import Raw, mapping, positive

START_SECONDS = 300.0
"""From a process's start to that of its trading it takes less than this: markets are loaded in between."""
NOTICED_SECONDS = 30.0
"""A start is noticed within this time, by a stream that is cut or the next look at the state."""
UNKNOWN = "0"


class Vitals(NamedTuple):
    """What `/health` says; Unix times, None where it does not."""

    database: str
    """When freqtrade's database was made; `UNKNOWN` before it ever traded."""
    startup: float | None
    processed: float | None
    """When it last went through its pairs."""


def vitals(raw: Raw) -> Vitals:
    """Read `/health`.

    Raises:
        Unreadable: It is no such answer.
    """
    found = mapping(raw, "health")
    made = positive(found.get("bot_start_ts"))
    return Vitals(
        UNKNOWN if made is None else str(int(made)),
        positive(found.get("bot_startup_ts")),
        positive(found.get("last_process_ts")),
    )


class Boot(NamedTuple):
    """A start of freqtrade's process."""

    name: str
    """`<database>.<when it began, in ms>`: differs between any two starts."""
    began: float | None
    """Unix time."""


def boot_of(health: Vitals, records: list[Logged], told: str | None, seen: float | None) -> Boot:
    """The start that this is.

    Args:
        health: What `/health` says now.
        records: All that the log holds now.
        told: Name of the start that was told last, if any was.
        seen: When the one that was told answered last, by its own clock, be it to an earlier watch; None before that.
    """
    told_began = _began(told)
    database = health.database
    if told is not None and UNKNOWN in (database, database_of(told)):
        database = database_of(told)  # it has begun to trade, or does not say it
    began = begun(records)
    if began is None and told is not None and database == database_of(told):
        startup, oldest = health.startup or 0.0, records[0].moment if records else 0.0
        is_older = oldest < max(startup - START_SECONDS, seen or 0.0)  # a log ends with its process
        is_same_startup = told_began is not None and startup <= told_began + START_SECONDS
        # A busy log holds nothing of a reload, nor of a start: what began before the last answer was judged then.
        is_judged = startup + NOTICED_SECONDS <= (seen or 0.0)
        if is_older or is_same_startup or is_judged:
            return Boot(told, told_began)
    if began is None:
        began = health.startup
    name = f"{database}.{int((began or 0.0) * 1000)}"
    return Boot(name, began)


def is_new_database(health: Vitals, known: str) -> bool:
    """Whether the trades that were told are of another database: of one that was deleted, or of another freqtrade."""
    return known not in ("", UNKNOWN) and health.database not in (UNKNOWN, known)


def _began(boot: str | None) -> float | None:
    text = (boot or "").partition(".")[2]
    return int(text) / 1000 if text.isascii() and text.isdigit() and len(text) < 20 else None
