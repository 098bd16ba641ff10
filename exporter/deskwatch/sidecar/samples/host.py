"""The host: CPU, load, memory, swap, the journals' disk, network, descriptors, threads, its start."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from deskwatch.projections.metrics import Counter, Family, Gauge

_LOOPBACK = ("lo", "lo0")


class Host:
    """Reads the host that the sidecar runs on. `root` is `/` but for tests; `home` lies on the disk that counts."""

    def __init__(self, home: Path, root: Path = Path("/")) -> None:
        self._home = home
        self._root = root

    def read(self) -> list[Family[Any]]:
        """The families. What the system does not tell has no series."""
        return [*self._processors(), *_memory(), *self._disk(), *_network(), *self._tables()]

    def _processors(self) -> list[Family[Any]]:
        cpu = Counter("deskwatch_host_cpu_seconds", "CPU time of the host since its start.", ("mode",))
        times = psutil.cpu_times()
        for mode in ("user", "system", "idle", "iowait", "steal"):
            cpu.inc((mode,), getattr(times, mode, None))
        loads = os.getloadavg()
        return [
            cpu,
            _one("cpus", "Processors of the host.", psutil.cpu_count()),
            *(
                _one(f"load{minutes}", f"Tasks that run or wait for a processor, over {minutes} min.", load)
                for minutes, load in zip((1, 5, 15), loads, strict=True)
            ),
            _one("boot_time_seconds", "Start of the host, Unix time.", psutil.boot_time()),
        ]

    def _disk(self) -> list[Family[Any]]:
        usage = _told(lambda: psutil.disk_usage(str(self._home)))
        moved = _told(psutil.disk_io_counters)
        return [
            _one("disk_size_bytes", "Size of the disk that holds the journals.", usage and usage.total),
            _one("disk_free_bytes", "Free of it.", usage and usage.free),
            _total("disk_read_bytes", "Bytes read from the host's disks.", moved and moved.read_bytes),
            _total("disk_written_bytes", "Bytes written to the host's disks.", moved and moved.write_bytes),
        ]

    def _tables(self) -> list[Family[Any]]:
        open_fds, max_fds = self._fields("proc/sys/fs/file-nr", 0, 2)
        (threads,) = self._fields("proc/loadavg", 3)
        return [
            _one("open_fds", "Open descriptors of the host.", open_fds),
            _one("max_fds", "Descriptors that the host may have open.", max_fds),
            _one("threads", "Threads of the host.", threads),
        ]

    def _fields(self, path: str, *indexes: int) -> list[float | None]:
        """Numbers in the first line of a file; of `a/b` it is b. psutil has them not."""
        try:
            fields = (self._root / path).read_text().split()
            return [float(fields[index].rpartition("/")[2]) for index in indexes]
        except (OSError, ValueError, IndexError):
            return [None] * len(indexes)


def _memory() -> list[Family[Any]]:
    memory, swap = psutil.virtual_memory(), _told(psutil.swap_memory)
    return [
        _one("memory_size_bytes", "Memory of the host.", memory.total),
        _one("memory_available_bytes", "Memory that is to be had without swapping.", memory.available),
        _one("swap_size_bytes", "Swap space of the host.", swap and swap.total),
        _one("swap_free_bytes", "Free of it.", swap and swap.free),
    ]


def _network() -> list[Family[Any]]:
    links = [link for name, link in (_told(_links) or {}).items() if name not in _LOOPBACK]
    received = sum(link.bytes_recv for link in links) if links else None
    sent = sum(link.bytes_sent for link in links) if links else None
    return [
        _total("network_received_bytes", "Bytes received by all interfaces but loopback.", received),
        _total("network_sent_bytes", "Bytes sent by all interfaces but loopback.", sent),
    ]


def _links() -> Any:  # Any: psutil's
    return psutil.net_io_counters(pernic=True)


def _told(read: Callable[[], Any]) -> Any:  # Any: psutil's tuples
    """What psutil reads, None where this system does not tell."""
    try:
        return read()
    except (psutil.Error, OSError, RuntimeError, NotImplementedError):
        return None


def _one(name: str, documentation: str, value: float | None) -> Gauge:
    gauge = Gauge(f"deskwatch_host_{name}", documentation, ())
    gauge.set((), value)
    return gauge


def _total(name: str, documentation: str, value: float | None) -> Counter:
    counter = Counter(f"deskwatch_host_{name}", documentation, ())
    counter.inc((), value)
    return counter
