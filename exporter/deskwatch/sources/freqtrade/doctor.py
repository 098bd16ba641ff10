"""What `deskwatch doctor` finds out of a freqtrade."""

from __future__ import annotations

from collections.abc import AsyncIterator

from deskwatch.sources.freqtrade.settings import Settings
from deskwatch.sources.source import Finding


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """Try the settings, change nothing, and say what is found."""
    raise NotImplementedError
    yield Finding(ok=True, what="")
