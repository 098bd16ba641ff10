"""Connectivity: links to venues and nodes, and requests over them."""

from __future__ import annotations

from deskwatch.events.base import Event, Number


class ConnectionChanged(Event, frozen=True, kw_only=True):
    """A connection came up or went down."""

    connection: str
    """Its name: `rpc`, `market_data` …"""
    venue: str
    """Who is at the other end."""
    up: bool
    """Whether it is up now."""
    reason: str | None = None
    """Why it changed."""
    gone: bool = False
    """It is not used any more: nobody says again whether it is up, and nothing is shown of it."""


class RequestCompleted(Event, frozen=True, kw_only=True):
    """A request was answered or failed."""

    venue: str
    """Who was asked."""
    operation: str
    """What was asked: an RPC method, a route's name; few different words, never an id."""
    ok: bool
    """Whether it was answered well."""
    latency_seconds: Number
    """From sending to the end of the answer."""
    reason: str | None = None
    """Why it failed, in a short word."""
