"""Positions: what the bot holds, what it is worth, what it made."""

from __future__ import annotations

from deskwatch.events.base import Event, Number


class PositionOpened(Event, frozen=True, kw_only=True):
    """A position was opened."""

    position_id: str
    """The bot's id."""
    venue: str
    """Exchange, pool or wallet."""
    symbol: str
    """Instrument."""
    side: str
    """`long` or `short`."""
    quantity: Number
    """Size, in the base asset, positive."""
    entry_price: Number
    """Average, in the quote asset."""
    asset: str
    """The quote asset, in which profit is counted."""
    strategy: str | None = None
    """The strategy it belongs to."""
    leverage: Number = None
    """Notional over margin."""
    margin: Number = None
    """Margin used, in `asset`."""
    liquidation_price: Number = None
    """In the quote asset."""


class PositionUpdated(Event, frozen=True, kw_only=True):
    """A position's size, mark or margin changed. Absent fields did not change."""

    position_id: str
    """The bot's id."""
    quantity: Number = None
    """Size, in the base asset, positive."""
    entry_price: Number = None
    """Average, in the quote asset."""
    mark_price: Number = None
    """Current, in the quote asset."""
    unrealized_pnl: Number = None
    """At the mark, in the position's asset."""
    liquidation_price: Number = None
    """In the quote asset."""
    leverage: Number = None
    """Notional over margin."""
    margin: Number = None
    """Margin used, in the position's asset."""
    divergence_ratio: Number = None
    """For a hedged position (spot and perpetual, two venues): the other leg's price over this one's, less 1. 0.01: the
    other leg is one per cent dearer; negative: cheaper."""
    erosion_ratio: Number = None
    """Share of the funding collected, or of the profit expected at the opening, that fees, gas and price moves of the
    legs have eaten since: 0 nothing, 1 all of it, above 1 the position loses."""


class PositionClosed(Event, frozen=True, kw_only=True):
    """A position is flat: one trade is done."""

    position_id: str
    """The bot's id."""
    venue: str
    """Exchange, pool or wallet."""
    symbol: str
    """Instrument."""
    realized_pnl: Number
    """Profit (positive) or loss of the whole trade, net of all its costs, in `asset`."""
    asset: str
    """Asset of `realized_pnl` and `costs`."""
    strategy: str | None = None
    """The strategy it belongs to."""
    costs: Number = None
    """Fees, gas and funding that `realized_pnl` already contains."""
    exit_price: Number = None
    """Average, in the quote asset."""
    holding_seconds: Number = None
    """From opened to closed."""
    reason: str | None = None
    """A short word: `arbitrage`, `stop_loss`, `close_all` …"""


class FundingPaid(Event, frozen=True, kw_only=True):
    """Funding was exchanged on a perpetual position."""

    venue: str
    """Exchange."""
    symbol: str
    """Instrument."""
    amount: Number
    """Positive: received; negative: paid."""
    asset: str
    """Asset of `amount`."""
    position_id: str | None = None
    """The position it was exchanged on."""
