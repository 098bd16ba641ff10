"""Logs: the bot's ordinary log records, under the field names that python-json-logger gives them."""

from __future__ import annotations

from deskwatch.events.base import Event, Integer, Json


class LogRecorded(Event, frozen=True, kw_only=True):
    """A log record below the level of an error."""

    message: str
    """The formatted message."""
    levelname: str
    """`DEBUG`, `INFO`, `WARNING` …"""
    name: str
    """The logger's name."""
    module: str | None = None
    """Module of the call."""
    lineno: Integer | None = None
    """Line of the call."""
    extra: dict[str, Json] | None = None
    """What the call passed as `extra`."""


class ErrorOccurred(Event, frozen=True, kw_only=True):
    """Something went wrong."""

    component: str
    """Where: a part of the bot, or the logger's name."""
    kind: str
    """What: the exception's class, or a short word."""
    message: str
    """In words."""
    levelname: str = "ERROR"
    """`ERROR` or `CRITICAL`."""
    exc_info: str | None = None
    """The traceback."""
    module: str | None = None
    """Module of the call."""
    lineno: Integer | None = None
    """Line of the call."""
    extra: dict[str, Json] | None = None
    """What the call passed as `extra`."""
