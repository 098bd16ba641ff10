"""Running sources beside a sidecar: each on an event loop in a thread of its own, begun again when it fails.

Whatever a source does, the sidecar goes on: one that raises or ends is begun again with backoff, one that hangs shows
as not up, and one that does not end is left behind when the sidecar does.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from deskwatch.backoff import Backoff
from deskwatch.errors import ConfigError, WriterLocked
from deskwatch.journal import names
from deskwatch.journal.lock import Lock
from deskwatch.scrub import scrub
from deskwatch.sources.blocking import DaemonThreads
from deskwatch.sources.health import Health
from deskwatch.sources.kinds import Assigned
from deskwatch.sources.watched import Watched

logger = logging.getLogger(__name__)

SAVE_SECONDS = 60.0
"""How often a source's memory is written down."""
TURN_SECONDS = 1.0
"""How often a source's loop shows that it turns."""
SILENT_SECONDS = 5.0
"""A peer that does not answer for so long is told on stderr: a moment is no news."""
STOP_SECONDS = 5.0
"""How long sources may take to end; after half of it they are asked once more."""
SWEEP_SECONDS = 2.0
"""How long what a failed source left running may take to end."""
WELL_SECONDS = 60.0
"""A source that ran this long starts anew with the first pause."""
PAUSE_SECONDS = 1.0
"""The least pause before a source is begun again."""


class HostedSource:
    """One source, its thread, and what it shows of itself."""

    def __init__(self, assigned: Assigned, home: Path) -> None:
        self._source, self._bot, self._writer = assigned
        self._home = home
        self.health = Health(self._bot, self._source.kind)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._is_stopping = False
        self._began = threading.Event()
        self._ended = threading.Event()
        self._refused: Exception | None = None
        self._thread = threading.Thread(target=self._run, name=f"deskwatch-source-{self._bot}", daemon=True)

    def start(self) -> None:
        """Begin, and wait until the journal is ours. One that can't be had for now is tried again later.

        Raises:
            ConfigError: Another process writes that journal, or this one may not.
        """
        self._thread.start()
        self._began.wait()
        if self._refused is not None:
            raise _refusal(self._bot, self.health.kind, self._refused)

    def ask_to_stop(self) -> None:
        """Ask it to end."""
        self._is_stopping = True
        if self._loop is not None and self._task is not None:
            with contextlib.suppress(RuntimeError):  # it has ended already
                self._loop.call_soon_threadsafe(self._task.cancel)

    def has_ended(self, seconds: float) -> bool:
        """Wait for its end, for a while: its journal is closed then."""
        return self._ended.wait(max(0.0, seconds))

    def leave(self) -> None:
        """Go on without it: its thread ends with the process, and its journal is whole at any time."""
        self.health.lost()
        logger.warning("a source does not end; it is left behind", extra=self._which())

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except BaseException:  # a thread's death must not go unseen
            logger.exception("a source's thread died", extra=self._which())
        finally:
            self.health.lost()
            self._began.set()
            self._ended.set()

    async def _main(self) -> None:
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        self._loop.set_default_executor(DaemonThreads())
        turning = asyncio.create_task(self._turn(), name="turning")
        try:
            await self._go_on({turning})
        except asyncio.CancelledError:
            if not self._is_stopping:
                raise
        finally:
            turning.cancel()
            self._ended.set()

    async def _go_on(self, ours: set[asyncio.Task[None]]) -> None:
        """Run the source, again and again."""
        backoff = Backoff()
        while not self._is_stopping:
            began = time.monotonic()
            detail = await self._once()
            await _sweep(ours)
            if self._refused is not None or self._is_stopping:
                return
            self.health.restarts += 1
            self.health.lost()
            if time.monotonic() - began >= WELL_SECONDS:
                backoff.reset()
            pause = backoff.next_seconds(at_least=PAUSE_SECONDS)
            logger.warning("a source begins again", extra=self._which() | {"seconds": pause, "detail": detail})
            await asyncio.sleep(pause)

    async def _once(self) -> str:
        """Open the journal and watch until that ends; why it did. Canceled where it is asked to stop."""
        watched = self._watched()
        try:
            watched.take()
        except (WriterLocked, PermissionError) as error:
            if not self._began.is_set():
                self._refused = error
            return str(error)
        except OSError as error:
            logger.warning("a source's journal can't be opened", extra=self._which() | {"error": str(error)})
            return str(error)
        finally:
            self._began.set()
        detail: str | None = None
        try:
            await self._watch(watched)
            detail = None if self._is_stopping else "it ended by itself"
        except asyncio.CancelledError:
            if self._is_stopping:
                raise
            detail = "it was canceled from within"
        except (Exception, SystemExit) as error:  # a source's fault is told, and must not end the others
            detail = scrub(f"{type(error).__name__}: {error}")
            logger.warning("a source failed", exc_info=error, extra=self._which())
        finally:
            watched.close(detail or "closed", keep=detail is None)
        return detail or "closed"

    async def _watch(self, watched: Watched) -> None:
        watched.open()
        saving = asyncio.create_task(_save(watched), name="saving")
        try:
            await self._source.watch(watched)
        finally:
            saving.cancel()

    def _watched(self) -> Watched:
        source = self._source
        return Watched(
            self._home,
            self._bot,
            self._writer,
            kind=source.kind,
            peer=source.peer,
            memory=source.memory(),
            health=self.health,
        )

    async def _turn(self) -> None:
        """Show that the loop turns, and say on stderr whether the peer answers: whoever starts a watch looks there."""
        told: bool | None = None
        since = time.monotonic()
        while True:
            self.health.turned()
            if self.health.up is told:
                since = time.monotonic()
            elif self.health.up:
                told = True
                logger.info("what is watched answers", extra=self._which())
            elif time.monotonic() - since >= SILENT_SECONDS:
                told = False
                failures = dict(self.health.failures)
                logger.warning(
                    "what is watched does not answer; deskwatch doctor says why",
                    extra={**self._which(), "failures": failures},
                )
            await asyncio.sleep(TURN_SECONDS)

    def _which(self) -> dict[str, str]:
        return {"bot": self._bot, "source": self.health.kind}


def check_free(home: Path, sources: Sequence[Assigned]) -> None:
    """See whether nobody else writes what these are to write, as long as it can be told in one line.

    Raises:
        ConfigError: Another process writes one of the journals, or this one may not.
    """
    for one in sources:
        folder = names.writer_folder(home, one.bot, one.writer)
        try:
            if folder.is_dir():
                Lock.take(folder).release()
        except (WriterLocked, PermissionError) as error:
            raise _refusal(one.bot, one.source.kind, error) from None


def _refusal(bot: str, kind: str, error: Exception) -> ConfigError:
    return ConfigError(
        f"expected to write the journal of {bot}, which a source of kind {kind} watches, but: {error}; "
        f"where the bot writes its journal itself, give the source another writer"
    )


async def _save(watched: Watched) -> None:
    while True:
        await asyncio.sleep(SAVE_SECONDS)
        await watched.save()


async def _sweep(ours: set[asyncio.Task[None]]) -> None:
    """End what a source left running: it would go on beside its next run."""
    left = asyncio.all_tasks() - ours - {asyncio.current_task()}
    for task in left:
        task.cancel()
    if left:
        await asyncio.wait(left, timeout=SWEEP_SECONDS)


class Sources:
    """All sources of a sidecar, started and stopped together. An async context manager."""

    def __init__(self, home: Path, sources: Sequence[Assigned]) -> None:
        self._hosted = [HostedSource(one, home) for one in sources]

    @property
    def healths(self) -> list[Health]:
        """How each fares."""
        return [one.health for one in self._hosted]

    async def __aenter__(self) -> Self:
        """Start all, or none.

        Raises:
            ConfigError: The journal of one can't be had.
        """
        started: list[HostedSource] = []
        try:
            for one in self._hosted:
                started.append(one)
                await asyncio.to_thread(one.start)
        except BaseException:
            await self._stop(started)
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop all; those that don't end within STOP_SECONDS are left behind."""
        await self._stop(self._hosted)

    async def _stop(self, hosted: Sequence[HostedSource]) -> None:
        left = list(hosted)
        for _ in range(2):
            for one in left:
                one.ask_to_stop()
            deadline = time.monotonic() + STOP_SECONDS / 2
            left = [one for one in left if not await asyncio.to_thread(one.has_ended, deadline - time.monotonic())]
        for one in left:
            one.leave()
