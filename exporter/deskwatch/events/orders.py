"""Orders: each step in an order's life. One order ends in a final fill, a rejection, a cancellation or an expiry."""

from __future__ import annotations

from deskwatch.events.base import Event, Number


class OrderSubmitted(Event, frozen=True, kw_only=True):
    """The bot is about to send an order. Journal it before sending, so that no order is ever unknown."""

    order_id: str
    """The bot's id."""
    venue: str
    """Exchange or pool."""
    symbol: str
    """Instrument."""
    side: str
    """`buy` or `sell`."""
    quantity: Number
    """In the base asset."""
    strategy: str | None = None
    """The strategy it belongs to."""
    order_type: str | None = None
    """`market`, `limit`, `swap` …"""
    price: Number = None
    """Limit, or the price expected, in the quote asset."""
    asset: str | None = None
    """The quote asset."""
    decision_seconds: Number = None
    """From the decision to this submission."""


class OrderAcknowledged(Event, frozen=True, kw_only=True):
    """The venue took the order."""

    order_id: str
    """The bot's id."""
    venue: str
    """Exchange or pool."""
    symbol: str
    """Instrument."""
    venue_order_id: str | None = None
    """The venue's id: an exchange's order id or a transaction hash."""
    strategy: str | None = None
    """The strategy it belongs to."""


class OrderFilled(Event, frozen=True, kw_only=True):
    """One fill. The order is done when `final` is true."""

    order_id: str
    """The bot's id."""
    venue: str
    """Exchange or pool."""
    symbol: str
    """Instrument."""
    side: str
    """`buy` or `sell`."""
    quantity: Number
    """Filled now, in the base asset."""
    price: Number
    """Average price of this fill, in the quote asset."""
    final: bool
    """Whether the order is complete with this fill."""
    strategy: str | None = None
    """The strategy it belongs to."""
    asset: str | None = None
    """The quote asset."""
    fee: Number = None
    """The venue's fee for this fill; gas is told by the transaction."""
    fee_asset: str | None = None
    """Asset of `fee`."""
    slippage_ratio: Number = None
    """Fill price against the expected price; positive is worse for the bot."""
    liquidity: str | None = None
    """`maker` or `taker`."""
    fill_id: str | None = None
    """The venue's id of this fill."""


class OrderRejected(Event, frozen=True, kw_only=True):
    """The venue or the chain refused the order: it failed."""

    order_id: str
    """The bot's id."""
    venue: str
    """Exchange or pool."""
    symbol: str
    """Instrument."""
    reason: str
    """A short word for the metric: `reverted`, `insufficient_funds`, `timeout` …"""
    strategy: str | None = None
    """The strategy it belongs to."""
    message: str | None = None
    """The venue's own words."""


class OrderCanceled(Event, frozen=True, kw_only=True):
    """The order was canceled before it was complete."""

    order_id: str
    """The bot's id."""
    venue: str
    """Exchange or pool."""
    symbol: str
    """Instrument."""
    reason: str | None = None
    """A short word."""
    strategy: str | None = None
    """The strategy it belongs to."""


class OrderExpired(Event, frozen=True, kw_only=True):
    """The order ran out of time before it was complete."""

    order_id: str
    """The bot's id."""
    venue: str
    """Exchange or pool."""
    symbol: str
    """Instrument."""
    strategy: str | None = None
    """The strategy it belongs to."""
