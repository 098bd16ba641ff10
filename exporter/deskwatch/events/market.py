"""Market: what the bot or a source saw of prices, books, pools and funding."""

from __future__ import annotations

from deskwatch.events.base import Event, Integer, Number


class PriceObserved(Event, frozen=True, kw_only=True):
    """A last or mid price at a venue."""

    venue: str
    """Exchange, pool or feed."""
    symbol: str
    """Instrument, as the venue spells it: `ETH/USDT`."""
    price: Number
    """In the quote asset."""
    asset: str | None = None
    """The quote asset."""
    change_24h_ratio: Number = None
    """Change over 24 hours, 0.01 for one per cent."""
    volume_24h: Number = None
    """Traded over 24 hours, in the quote asset."""


class BookObserved(Event, frozen=True, kw_only=True):
    """The top of an order book."""

    venue: str
    """Exchange."""
    symbol: str
    """Instrument."""
    bid: Number
    """Best bid, in the quote asset."""
    ask: Number
    """Best ask, in the quote asset."""
    bid_quantity: Number = None
    """Size at the best bid, in the base asset."""
    ask_quantity: Number = None
    """Size at the best ask, in the base asset."""


class PoolObserved(Event, frozen=True, kw_only=True):
    """The reserves of a liquidity pool."""

    venue: str
    """The pool's short name, which is its metrics' venue."""
    symbol: str
    """Base and quote: `WETH/USDC`."""
    chain: str
    """Chain name or id."""
    contract: str
    """The pool's address."""
    base_reserve: Number
    """Reserve of the base asset, in whole units."""
    quote_reserve: Number
    """Reserve of the quote asset, in whole units."""
    base_asset: str
    """The base asset."""
    quote_asset: str
    """The quote asset."""
    price: Number
    """Quote per base, before fees."""
    liquidity: Number = None
    """Value of both reserves, in the quote asset."""
    block: Integer | None = None
    """Block number of the reading."""


class FundingRateObserved(Event, frozen=True, kw_only=True):
    """The funding rate of a perpetual contract."""

    venue: str
    """Exchange."""
    symbol: str
    """Instrument."""
    rate: Number
    """Rate for one interval; positive: longs pay shorts. 0.0001 for one basis point."""
    interval_seconds: Number = None
    """Length of a funding interval."""
    next_funding_timestamp_seconds: Number = None
    """Unix time of the next payment."""
