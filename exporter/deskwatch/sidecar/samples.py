"""Figures that are read when asked: the processes of bots and sidecar, the host, and the sidecar's own work."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path
from typing import Any

import psutil

from deskwatch.projections.metrics import Counter, Family, Gauge
from deskwatch.projections.state import BotState
from deskwatch.version import __version__

_CLOCK_SLACK_SECONDS = 2.0
HOST = socket.gethostname()


class Samples:
    """Reads psutil at each call of `families`. Process objects are kept, so that they notice a reused pid."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._processes: dict[tuple[str, int], psutil.Process] = {}
        self._own = psutil.Process()
        self._lock = threading.Lock()

    def families(self, bots: list[BotState]) -> list[Family[Any]]:
        """Process and host figures as of now. A process that is gone or elsewhere is left out."""
        with self._lock:
            return [*self._bots(bots), *self._sidecar(), *self._host()]

    def _bots(self, bots: list[BotState]) -> list[Family[Any]]:
        figures = _ProcessFigures("tradebot", "The bot's process:", ("bot",))
        up = Gauge("tradebot_process_up", "1 while the bot's process exists on this host.", ("bot",))
        for bot in bots:
            if bot.pid is None or bot.host != HOST:
                continue
            process = self._find(bot, bot.pid)
            up.set((bot.bot,), 0.0 if process is None else 1.0)
            if process is not None:
                figures.read(process, (bot.bot,))
        return [up, *figures.families]

    def _sidecar(self) -> list[Family[Any]]:
        figures = _ProcessFigures("deskwatch", "The sidecar's process:", ())
        figures.read(self._own, ())
        info = Gauge("deskwatch_build_info", "1, with the version.", ("version",))
        info.set((__version__,), 1.0)
        return [*figures.families, info]

    def _host(self) -> list[Family[Any]]:
        cpu = Counter("deskwatch_host_cpu_seconds", "CPU time of the host since its start.", ("mode",))
        times = psutil.cpu_times()
        for mode in ("user", "system", "idle", "iowait"):
            cpu.inc((mode,), getattr(times, mode, 0.0))
        memory = psutil.virtual_memory()
        disk = psutil.disk_usage(str(self._home))
        load = os.getloadavg()
        return [
            cpu,
            _one("deskwatch_host_cpus", "Processors of the host.", psutil.cpu_count() or 1),
            _one("deskwatch_host_load1", "Load average over one minute.", load[0]),
            _one("deskwatch_host_memory_size_bytes", "Memory of the host.", memory.total),
            _one(
                "deskwatch_host_memory_available_bytes", "Memory that is to be had without swapping.", memory.available
            ),
            _one("deskwatch_host_disk_size_bytes", "Size of the disk that holds the journals.", disk.total),
            _one("deskwatch_host_disk_free_bytes", "Free of it.", disk.free),
            _one("deskwatch_host_open_fds", "Open descriptors of the host.", _first_number("/proc/sys/fs/file-nr")),
            _one("deskwatch_host_threads", "Threads of the host.", _threads()),
        ]

    def _find(self, bot: BotState, pid: int) -> psutil.Process | None:
        """The bot's process, unless its pid is another process's by now."""
        key = (bot.bot, pid)
        try:
            process = self._processes.get(key) or psutil.Process(pid)
            began_too_late = bot.started is not None and process.create_time() > bot.started + _CLOCK_SLACK_SECONDS
            gone = began_too_late or not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
        except (psutil.Error, ValueError):  # a foreign bot's pid may be no pid
            gone = True
        if gone:
            self._processes.pop(key, None)
            return None
        self._processes[key] = process
        return process


class _ProcessFigures:
    """CPU, memory, descriptors and threads of some processes, under one prefix."""

    def __init__(self, prefix: str, whose: str, labels: tuple[str, ...]) -> None:
        self.cpu = Counter(f"{prefix}_process_cpu_seconds", f"{whose} CPU time.", labels)
        self.memory = Gauge(f"{prefix}_process_resident_memory_bytes", f"{whose} memory in use.", labels)
        self.fds = Gauge(f"{prefix}_process_open_fds", f"{whose} open descriptors.", labels)
        self.threads = Gauge(f"{prefix}_process_threads", f"{whose} threads.", labels)
        self.families: list[Family[Any]] = [self.cpu, self.memory, self.fds, self.threads]

    def read(self, process: psutil.Process, labels: tuple[str, ...]) -> None:
        try:
            with process.oneshot():
                times = process.cpu_times()
                self.cpu.inc(labels, times.user + times.system)
                self.memory.set(labels, process.memory_info().rss)
                self.threads.set(labels, process.num_threads())
                self.fds.set(labels, process.num_fds())
        except psutil.Error:
            return  # it ended while it was read, or is another user's: what was read stays


def _one(name: str, documentation: str, value: float | None) -> Gauge:
    gauge = Gauge(name, documentation, ())
    gauge.set((), value)
    return gauge


def _first_number(path: str) -> float | None:
    try:
        return float(Path(path).read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None


def _threads() -> float | None:
    try:
        return float(Path("/proc/loadavg").read_text().split()[3].partition("/")[2])
    except (OSError, ValueError, IndexError):
        return None
