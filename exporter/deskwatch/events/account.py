"""Account: balances, equity, and transfers, which are neither profit nor drawdown."""

from __future__ import annotations

from deskwatch.events.base import Event, Number


class BalanceObserved(Event, frozen=True, kw_only=True):
    """How much of one asset lies at one place."""

    venue: str
    """Exchange or wallet."""
    asset: str
    """The asset."""
    total: Number
    """All of it, in whole units."""
    free: Number = None
    """What is not locked in orders or margin."""


class EquityObserved(Event, frozen=True, kw_only=True):
    """What everything the bot holds is worth."""

    equity: Number
    """In `asset`."""
    asset: str
    """The asset in which the bot is judged."""
    strategy: str | None = None
    """The strategy, where equity is kept apart."""


class TransferRecorded(Event, frozen=True, kw_only=True):
    """A deposit or a withdrawal."""

    venue: str
    """Exchange or wallet."""
    asset: str
    """Asset moved."""
    amount: Number
    """Positive: deposit; negative: withdrawal."""
    value: Number = None
    """Worth of `amount` in the asset of the bot's equity. Not needed where that is `asset`."""
    strategy: str | None = None
    """The strategy whose equity it moves, where equity is kept apart."""
