"""Limits of the container or service that the sidecar runs in, as its control groups say (version 2, and version 1).

A limit of an outer group binds too: of all groups from the own one outwards, the tightest is shown, with the usage of
that group. Where there is no limit, nothing is shown. Formats: the kernel's `admin-guide/cgroup-v2.rst`, `cgroup-v1/`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from deskwatch.projections.metrics import Counter, Family, Gauge

_UNLIMITED = 2.0**60
"""What version 1 says in place of no limit is above."""
_Limit = Callable[[Path], float | None]


class Container:
    """Reads the control groups below `root`, which is `/` but for tests."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root

    def read(self) -> list[Family[Any]]:
        """The families, empty where there is no limit."""
        return [*self._memory(), *self._cpu(), *self._tasks()]

    def _memory(self) -> list[Family[Any]]:
        limit = Gauge("deskwatch_container_memory_limit_bytes", "Memory that the sidecar's container may use.", ())
        usage = Gauge(
            "deskwatch_container_memory_usage_bytes",
            "Memory that the sidecar's container uses, without file pages that can go at once.",
            (),
        )
        found = self._tightest("memory", _memory_limit)
        if found is not None:
            folder, least = found
            limit.set((), least)
            used = _number(folder / "memory.current")
            used = _number(folder / "memory.usage_in_bytes") if used is None else used
            if used is not None:
                pages = _table(folder / "memory.stat")
                usage.set((), max(0.0, used - pages.get("total_inactive_file", pages.get("inactive_file", 0.0))))
        return [limit, usage]

    def _cpu(self) -> list[Family[Any]]:
        limit = Gauge(
            "deskwatch_container_cpu_limit", "Processors that the sidecar's container may use, in fractions.", ()
        )
        periods = Counter("deskwatch_container_cpu_periods", "Periods in which that limit was looked at.", ())
        throttled = Counter("deskwatch_container_cpu_throttled_periods", "Periods in which the container hit it.", ())
        waited = Counter("deskwatch_container_cpu_throttled_seconds", "Time for which the container was held up.", ())
        found = self._tightest("cpu", _cpu_limit)
        if found is not None:
            folder, least = found
            limit.set((), least)
            told = _table(folder / "cpu.stat")
            periods.inc((), told.get("nr_periods"))
            throttled.inc((), told.get("nr_throttled"))
            if "throttled_usec" in told:
                waited.inc((), told["throttled_usec"] / 1e6)
            elif "throttled_time" in told:
                waited.inc((), told["throttled_time"] / 1e9)
        return [limit, periods, throttled, waited]

    def _tasks(self) -> list[Family[Any]]:
        limit = Gauge("deskwatch_container_tasks_limit", "Processes and threads that the container may have.", ())
        tasks = Gauge("deskwatch_container_tasks", "Processes and threads that the container has.", ())
        found = self._tightest("pids", lambda folder: _number(folder / "pids.max"))
        if found is not None:
            folder, least = found
            limit.set((), least)
            tasks.set((), _number(folder / "pids.current"))
        return [limit, tasks]

    def _tightest(self, controller: str, limit_of: _Limit) -> tuple[Path, float] | None:
        """The folder with the least limit, and that."""
        limits = [(limit, folder) for folder in self._groups(controller) if (limit := limit_of(folder)) is not None]
        if not limits:
            return None
        least, folder = min(limits, key=lambda one: one[0])  # the innermost of equal ones
        return folder, least

    def _groups(self, controller: str) -> list[Path]:
        """Folders of the own group and of those around it, from the inside out."""
        try:
            lines = (self._root / "proc/self/cgroup").read_text().splitlines()
        except OSError:
            return []
        mounts = self._root / "sys/fs/cgroup"
        folders: list[Path] = []
        for line in lines:
            number, _, rest = line.partition(":")
            controllers, _, path = rest.partition(":")
            if controller in controllers.split(","):
                mount = next((at for name in (controllers, controller) if (at := mounts / name).is_dir()), None)
            elif number == "0" and not controllers:
                mount = mounts
            else:
                continue
            if mount is not None:
                folders += _outwards(mount, path)
        return folders


def _outwards(mount: Path, path: str) -> list[Path]:
    """A group's folder and those around it. A container sees its own group as the mount's root."""
    own = mount / path.strip("/")
    if ".." in own.parts or not own.is_dir():
        return [mount]
    return [own, *(one for one in own.parents if one.is_relative_to(mount))]


def _memory_limit(folder: Path) -> float | None:
    limit = _number(folder / "memory.max")
    return _number(folder / "memory.limit_in_bytes") if limit is None else limit


def _cpu_limit(folder: Path) -> float | None:
    try:
        quota, period = (folder / "cpu.max").read_text().split()
        return float(quota) / float(period) if quota != "max" else None
    except (OSError, ValueError, ZeroDivisionError):
        quota_us, period_us = _number(folder / "cpu.cfs_quota_us"), _number(folder / "cpu.cfs_period_us")
    return quota_us / period_us if quota_us and period_us and quota_us > 0 else None


def _number(path: Path) -> float | None:
    """The number in a file; None where there is no file, and where it says that there is no limit."""
    try:
        number = float(path.read_text())
    except (OSError, ValueError):
        return None
    return number if number < _UNLIMITED else None


def _table(path: Path) -> dict[str, float]:
    """A file with a name and a number in each line."""
    try:
        return {name: float(number) for name, number in (line.split() for line in path.read_text().splitlines())}
    except (OSError, ValueError):
        return {}
