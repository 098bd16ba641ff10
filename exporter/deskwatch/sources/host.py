"""Running sources beside a sidecar: each on an event loop in a thread of its own, begun again when it fails."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from deskwatch.backoff import Backoff
from deskwatch.errors import ConfigError, WriterLocked
from deskwatch.scrub import scrub
from deskwatch.sources.health import Health
from deskwatch.sources.kinds import Assigned
from deskwatch.sources.source import Source
from deskwatch.sources.watched import Watched

logger = logging.getLogger(__name__)

SAVE_SECONDS = 60.0
"""How often a source's memory is written down."""
STOP_SECONDS = 5.0
"""How long a source may take to end."""
WELL_SECONDS = 60.0
"""A source that ran this long starts anew with the first pause."""


class HostedSource:
    """One source, its thread, and what it shows of itself."""

    def __init__(self, source: Source, home: Path, bot: str, writer: str) -> None:
        self._source = source
        self._watched = Watched(home, bot, writer, kind=source.kind, peer=source.peer, memory=source.memory())
        self.health: Health = self._watched.health
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._began = threading.Event()
        self._refused: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=f"deskwatch-source-{bot}", daemon=True)

    def start(self) -> None:
        """Begin, and wait until the journal is open.

        Raises:
            ConfigError: The journal can't be had.
        """
        self._thread.start()
        self._began.wait()
        if isinstance(self._refused, WriterLocked | OSError):
            raise ConfigError(f"expected to write the journal of {self.health.bot}, but: {self._refused}")
        if self._refused is not None:
            raise self._refused

    def ask_to_stop(self) -> None:
        """Ask it to end."""
        if self._loop is not None and self._task is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._task.cancel)

    def join(self, seconds: float) -> None:
        """Wait for its end, for a while."""
        self._thread.join(seconds)
        if self._thread.is_alive():
            logger.warning("a source does not end", extra={"bot": self.health.bot, "source": self.health.kind})

    def _run(self) -> None:
        asyncio.run(self._main())

    async def _main(self) -> None:
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        try:
            self._watched.open()
        except BaseException as error:  # whoever starts it raises it
            self._refused = error
            return
        finally:
            self._began.set()
        saving = asyncio.create_task(self._save(), name="saving")
        try:
            await self._watch()
        except asyncio.CancelledError:
            pass  # asked to stop
        finally:
            saving.cancel()
            self._watched.close()

    async def _watch(self) -> None:
        backoff = Backoff()
        while True:
            began = asyncio.get_running_loop().time()
            try:
                await self._source.watch(self._watched)
                detail = "it ended by itself"
            except Exception as error:  # a source's fault is told, and must not end the others
                detail = scrub(f"{type(error).__name__}: {error}")
                logger.warning("a source failed", exc_info=error, extra=self._which())
            self.health.restarts += 1
            self.health.lost()
            if asyncio.get_running_loop().time() - began >= WELL_SECONDS:
                backoff.reset()
            pause = backoff.next_seconds(at_least=1.0)
            logger.warning("a source begins again", extra=self._which() | {"seconds": pause, "detail": detail})
            await asyncio.sleep(pause)

    async def _save(self) -> None:
        while True:
            await asyncio.sleep(SAVE_SECONDS)
            self._watched.save()

    def _which(self) -> dict[str, str]:
        return {"bot": self.health.bot, "source": self.health.kind}


class Sources:
    """All sources of a sidecar, started and stopped together. An async context manager."""

    def __init__(self, home: Path, sources: Sequence[Assigned]) -> None:
        self._hosted = [HostedSource(one.source, home, one.bot, one.writer) for one in sources]

    @property
    def healths(self) -> list[Health]:
        """How each fares."""
        return [one.health for one in self._hosted]

    async def __aenter__(self) -> Self:
        for one in self._hosted:
            await asyncio.to_thread(one.start)
        return self

    async def __aexit__(self, *_: object) -> None:
        for one in self._hosted:
            one.ask_to_stop()
        for one in self._hosted:
            await asyncio.to_thread(one.join, STOP_SECONDS)
