"""Hummingbot, watched over MQTT. Formats are those of its master of July 2026 (2.16), `remote_iface/mqtt.py`."""

from __future__ import annotations

from deskwatch.sources.hummingbot.settings import Settings
from deskwatch.sources.hummingbot.source import Hummingbot

__all__ = ["Hummingbot", "Settings", "open_source"]


def open_source(settings: Settings) -> Hummingbot:
    """A source that watches one Hummingbot."""
    return Hummingbot(settings)
