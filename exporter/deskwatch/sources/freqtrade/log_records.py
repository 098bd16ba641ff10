"""What `/logs` says: freqtrade's last 1000 log records, of which those at WARNING and above are told, each once.

A record is `[date, epoch in ms, logger, level, message]`, the message with its traceback (`RPC._rpc_get_logs`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from deskwatch.events import ErrorOccurred, LogRecorded
from deskwatch.scrub import scrub
from deskwatch.sources.freqtrade.memory import FreqtradeMemory, digest
from deskwatch.sources.freqtrade.reading import Raw, listed, mapping, seconds, text

MOST_CHARACTERS = 8000
"""Of a message or a traceback."""
_WARNINGS = frozenset({"WARNING", "WARN"})
_ERRORS = frozenset({"ERROR", "CRITICAL", "FATAL"})
_EXCEPTION = re.compile(r"^(?:[A-Za-z_]\w*\.)*([A-Z]\w{0,60}(?:Error|Exception|Exit|Interrupt))\b", re.MULTILINE)
_BEGUN = re.compile(r"Starting worker\b")
_RELOADED = re.compile(r"Changing state from RELOAD_CONFIG to: (?:RUNNING|PAUSED)\b")
_WORKER = "freqtrade.worker"


class Logged(NamedTuple):
    """A record of freqtrade's log."""

    moment: float
    """Unix time."""
    name: str
    level: str
    message: str


def read(raw: Raw) -> list[Logged]:
    """The records, oldest first. Those that can't be read are left out.

    Raises:
        Unreadable: It is no answer of `/logs`.
    """
    found = []
    for each in listed(mapping(raw, "logs").get("logs"), "logs"):
        if not isinstance(each, list) or len(each) < 5 or not isinstance(each[4], str):
            continue
        moment, name, level = seconds(each[1]), text(each[2]), text(each[3])
        if moment is not None and name is not None and level is not None:
            found.append(Logged(moment, name, level.upper(), each[4]))
    return sorted(found, key=lambda one: one.moment)


def untold(records: list[Logged], memory: FreqtradeMemory) -> Iterator[LogRecorded | ErrorOccurred]:
    """Events of the warnings and errors that were not told. Each carries when it was logged: that tells it from others.

    Each has to be folded into `memory` before the next is asked for.
    """
    for record in records:
        if record.moment < memory.log_seconds:
            continue
        event = _event(record)
        if event is None:
            continue
        if record.moment == memory.log_seconds and digest(record.name, event.message) in memory.log_digests:
            continue
        yield event


def _event(record: Logged) -> LogRecorded | ErrorOccurred | None:
    if record.level in _WARNINGS:
        return LogRecorded(
            message=scrub(record.message[:MOST_CHARACTERS]),
            levelname="WARNING",
            name=record.name,
            happened_timestamp_seconds=record.moment,
        )
    if record.level not in _ERRORS:
        return None
    first, _, rest = record.message.partition("\n")
    return ErrorOccurred(
        component=record.name,
        kind=_kind(record.message),
        message=scrub(first[:MOST_CHARACTERS]),
        levelname="ERROR" if record.level == "ERROR" else "CRITICAL",
        exc_info=scrub(rest[-MOST_CHARACTERS:]) or None,
        happened_timestamp_seconds=record.moment,
    )


def begun(records: list[Logged]) -> float | None:
    """When this freqtrade's process began, Unix time; None where its log no longer goes back so far."""
    moments = [each.moment for each in records if each.name == _WORKER and _BEGUN.match(each.message)]
    return moments[-1] if moments else None


def has_reloaded(records: list[Logged], since: float) -> bool:
    """Whether this freqtrade read its configuration again since then (Unix time), and began to trade by that."""
    return any(each.name == _WORKER and each.moment > since and _RELOADED.match(each.message) for each in records)


def _kind(message: str) -> str:
    """The class of the exception, as the last one in the traceback has it."""
    found = _EXCEPTION.findall(message)
    return found[-1] if found else "error"
