"""Figures of the host."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest

from deskwatch.projections.metrics import Family
from deskwatch.sidecar.samples import Host


def read(home: Path, root: Path = Path("/")) -> dict[str, Family[Any]]:
    return {family.name.removeprefix("deskwatch_host_"): family for family in Host(home, root).read()}


def test_the_host_is_read(home: Path) -> None:
    found = {name: family.series[()] for name, family in read(home).items() if () in family.series}
    for name in ("cpus", "memory_size_bytes", "memory_available_bytes", "disk_size_bytes", "open_fds", "threads"):
        assert found[name] > 0, name
    for name in ("load1", "load5", "load15", "swap_size_bytes", "disk_free_bytes"):
        assert found[name] >= 0, name
    assert found["open_fds"] < found["max_fds"]
    assert found["swap_free_bytes"] <= found["swap_size_bytes"]
    assert found["disk_free_bytes"] < found["disk_size_bytes"]
    assert 1e9 < found["boot_time_seconds"] <= time.time()
    modes = {mode for (mode,) in read(home)["cpu_seconds"].series}
    assert {"user", "system", "idle", "iowait"} <= modes


class Link(NamedTuple):
    bytes_recv: int
    bytes_sent: int


def test_bytes_of_the_network_are_all_interfaces_but_loopback(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    links = {"lo": Link(1000, 1000), "eth0": Link(5, 7), "wg0": Link(2, 1)}
    monkeypatch.setattr(psutil, "net_io_counters", lambda pernic: links)
    assert read(home)["network_received_bytes"].series == {(): 7}
    assert read(home)["network_sent_bytes"].series == {(): 8}


def test_what_the_host_does_not_tell_is_left_out(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError

    for name in ("net_io_counters", "disk_io_counters", "disk_usage", "swap_memory"):
        monkeypatch.setattr(psutil, name, refuse)
    found = read(home, tmp_path)
    for name in ("threads", "open_fds", "max_fds", "network_sent_bytes", "disk_read_bytes", "disk_free_bytes"):
        assert found[name].series == {}, name
    assert found["swap_size_bytes"].series == {}
    assert found["cpus"].series[()] >= 1


def test_a_host_without_disks_or_links_of_its_own_is_no_error(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "net_io_counters", lambda pernic: {"lo": Link(1, 1)})
    monkeypatch.setattr(psutil, "disk_io_counters", lambda: None)
    found = read(home)
    assert found["network_received_bytes"].series == {}
    assert found["disk_written_bytes"].series == {}
