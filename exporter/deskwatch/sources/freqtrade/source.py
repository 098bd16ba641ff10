"""freqtrade as a source: what is asked of it by `deskwatch watch` and `deskwatch doctor`."""

from __future__ import annotations

from collections.abc import AsyncIterator

from deskwatch.sources.freqtrade import doctor
from deskwatch.sources.freqtrade.client import Client
from deskwatch.sources.freqtrade.memory import FreqtradeMemory
from deskwatch.sources.freqtrade.settings import Settings
from deskwatch.sources.freqtrade.watching import Watching
from deskwatch.sources.source import Finding
from deskwatch.sources.watched import Watched


class Freqtrade:
    """Watches one freqtrade."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @property
    def kind(self) -> str:
        """Its kind."""
        return "freqtrade"

    @property
    def peer(self) -> str:
        """Where it is."""
        return self._settings.peer

    def memory(self) -> FreqtradeMemory:
        """An empty memory."""
        return FreqtradeMemory()

    async def watch(self, watched: Watched) -> None:
        """Watch until canceled."""
        memory = watched.memory
        if not isinstance(memory, FreqtradeMemory):
            raise TypeError(f"expected freqtrade's own memory, was {type(memory).__name__}")
        async with Client(self._settings, watched.health) as client:
            await Watching(client, watched, memory).run()

    def examine(self) -> AsyncIterator[Finding]:
        """Try the settings against the real freqtrade, and say what is found."""
        return doctor.examine(self._settings)
