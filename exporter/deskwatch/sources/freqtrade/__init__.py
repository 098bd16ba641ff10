"""freqtrade, watched over its REST API and WebSocket. Formats are those of freqtrade 2026.9 (API version 2.50)."""

from __future__ import annotations

from deskwatch.sources.freqtrade.settings import Settings

__all__ = ["Settings"]
