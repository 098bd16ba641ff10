"""A process: CPU, memory, descriptors, threads, disk, context switches, start. Its children's are not in it."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import psutil

from deskwatch.projections.metrics import Counter, Family, Gauge
from deskwatch.projections.state import BotState

HOST = socket.gethostname()
_CLOCK_SLACK_SECONDS = 2.0
_Reader = Callable[[psutil.Process, tuple[str, ...]], None]


class ProcessFigures:
    """Figures of some processes, under one prefix. What a system does not tell of a process is left out."""

    def __init__(self, prefix: str, whose: str, labels: tuple[str, ...]) -> None:
        self.families: list[Family[Any]] = []
        self._prefix = prefix
        self._whose = whose
        self._labels = labels
        self._cpu = self._counter("cpu_seconds", "CPU time")
        self._memory = self._gauge("resident_memory_bytes", "memory in use")
        self._fds = self._gauge("open_fds", "open descriptors")
        self._max_fds = self._gauge("max_fds", "descriptors that it may have open")
        self._threads = self._gauge("threads", "threads")
        self._read = self._counter("disk_read_bytes", "bytes that a disk had to read for it")
        self._written = self._counter("disk_written_bytes", "bytes that it had written to a disk")
        self._switches = self._counter(
            "context_switches", "times it gave up a processor (voluntary) or lost it (involuntary)", "kind"
        )
        self._started = self._gauge("start_time_seconds", "start, Unix time")

    def read(self, process: psutil.Process, labels: tuple[str, ...]) -> None:
        """Take in one process. One that ends meanwhile keeps what was read of it until then."""
        with process.oneshot():
            for reader in (self._usage, self._descriptors, self._limits, self._disk, self._scheduling):
                try:
                    reader(process, labels)
                except (psutil.Error, OSError, RuntimeError, AttributeError):
                    continue  # gone, another user's, or a system that does not tell: the others may be there

    def _usage(self, process: psutil.Process, labels: tuple[str, ...]) -> None:
        times = process.cpu_times()
        self._cpu.inc(labels, times.user + times.system)
        self._memory.set(labels, process.memory_info().rss)
        self._started.set(labels, process.create_time())

    def _descriptors(self, process: psutil.Process, labels: tuple[str, ...]) -> None:
        self._fds.set(labels, process.num_fds())

    def _limits(self, process: psutil.Process, labels: tuple[str, ...]) -> None:
        soft, _ = process.rlimit(psutil.RLIMIT_NOFILE)
        if soft != psutil.RLIM_INFINITY:
            self._max_fds.set(labels, soft)

    def _disk(self, process: psutil.Process, labels: tuple[str, ...]) -> None:
        moved = process.io_counters()
        self._read.inc(labels, moved.read_bytes)
        self._written.inc(labels, moved.write_bytes)

    def _scheduling(self, process: psutil.Process, labels: tuple[str, ...]) -> None:
        self._threads.set(labels, process.num_threads())
        switches = process.num_ctx_switches()
        self._switches.inc((*labels, "voluntary"), switches.voluntary)
        self._switches.inc((*labels, "involuntary"), switches.involuntary)

    def _counter(self, name: str, what: str, *more: str) -> Counter:
        counter = Counter(f"{self._prefix}_process_{name}", f"{self._whose} {what}.", (*self._labels, *more))
        self.families.append(counter)
        return counter

    def _gauge(self, name: str, what: str) -> Gauge:
        gauge = Gauge(f"{self._prefix}_process_{name}", f"{self._whose} {what}.", self._labels)
        self.families.append(gauge)
        return gauge


class SidecarProcess:
    """Reads the sidecar's own process."""

    def __init__(self) -> None:
        self._process = psutil.Process()

    def read(self) -> list[Family[Any]]:
        """Its families, without a label."""
        figures = ProcessFigures("deskwatch", "The sidecar's process:", ())
        figures.read(self._process, ())
        return figures.families


class BotProcesses:
    """Reads the process of each bot that runs on this host. Process objects are kept: they notice a reused pid.

    Args:
        bots: The bots of now; called from a thread.
    """

    def __init__(self, bots: Callable[[], list[BotState]]) -> None:
        self._bots = bots
        self._known: dict[str, psutil.Process] = {}

    def read(self) -> list[Family[Any]]:
        """The families, by bot. A process that is gone or elsewhere is left out."""
        figures = ProcessFigures("tradebot", "The bot's process:", ("bot",))
        up = Gauge("tradebot_process_up", "1 while the bot's process exists on this host.", ("bot",))
        for bot in self._bots():
            is_told = bool(bot.pid) or not bot.watches  # of a bot that is only watched a source may not know it
            if bot.pid is not None and bot.host == HOST and is_told:
                process = self._find(bot, bot.pid)
                up.set((bot.bot,), process is not None)
                if process is not None:
                    figures.read(process, (bot.bot,))
        return [up, *figures.families]

    def _find(self, bot: BotState, pid: int) -> psutil.Process | None:
        """The bot's process, unless its pid is another process's by now."""
        try:
            process = self._known.get(bot.bot)
            if process is None or process.pid != pid:
                process = psutil.Process(pid)
            began_too_late = bot.started is not None and process.create_time() > bot.started + _CLOCK_SLACK_SECONDS
            gone = began_too_late or not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
        except (psutil.Error, ValueError, OverflowError):  # a foreign bot's pid may be no pid
            process, gone = None, True
        if process is None or gone:
            self._known.pop(bot.bot, None)
            return None
        self._known[bot.bot] = process
        return process
