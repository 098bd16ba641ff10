"""freqtrade, watched over its REST API and WebSocket. Formats are those of freqtrade 2026.9 (API version 2.50)."""

from __future__ import annotations

from deskwatch.sources.freqtrade.settings import Settings
from deskwatch.sources.freqtrade.source import Freqtrade


def open_source(settings: Settings) -> Freqtrade:
    """A source that watches the freqtrade of these settings. Nothing is asked yet."""
    return Freqtrade(settings)


__all__ = ["Freqtrade", "Settings", "open_source"]
