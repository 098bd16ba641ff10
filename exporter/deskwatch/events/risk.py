"""Risk: limits that the bot itself watches."""

from __future__ import annotations

from deskwatch.events.base import Event, Number


class RiskAlertRaised(Event, frozen=True, kw_only=True):
    """A limit was crossed."""

    alert: str
    """Its name: `max_drawdown`, `exposure` …"""
    severity: str
    """`critical`, `warning` or `info`."""
    message: str | None = None
    """In words."""
    symbol: str | None = None
    """Instrument."""
    value: Number = None
    """What was seen."""
    limit: Number = None
    """What is allowed."""


class RiskAlertCleared(Event, frozen=True, kw_only=True):
    """A limit holds again."""

    alert: str
    """Its name."""
    symbol: str | None = None
    """Instrument."""
