"""Limits of control groups, version 2 and 1, with the figures as the kernel writes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from deskwatch.sidecar.samples import Container
from tests.unit.sidecar.samples.control_groups import lay, version_2


def read(root: Path) -> dict[str, float]:
    return {
        family.name.removeprefix("deskwatch_container_"): family.series[()]
        for family in Container(root).read()
        if family.series
    }


def test_version_2_tells_limits_and_what_is_used_of_them(tmp_path: Path) -> None:
    assert read(version_2(tmp_path)) == {
        "memory_limit_bytes": 536870912,
        "memory_usage_bytes": 150000000,
        "cpu_limit": 1.5,
        "cpu_periods": 40,
        "cpu_throttled_periods": 3,
        "cpu_throttled_seconds": 2.5,
        "tasks_limit": 100,
        "tasks": 12,
    }


@pytest.mark.parametrize("mount", ["cpu", "cpu,cpuacct"])
def test_version_1_tells_the_same(mount: str, tmp_path: Path) -> None:
    own = "docker/0123"
    lay(
        tmp_path,
        {
            "proc/self/cgroup": f"3:memory:/{own}\n2:{mount}:/{own}\n1:pids:/{own}\n0::/",
            f"sys/fs/cgroup/memory/{own}/memory.limit_in_bytes": "1000000",
            f"sys/fs/cgroup/memory/{own}/memory.usage_in_bytes": "600000",
            f"sys/fs/cgroup/memory/{own}/memory.stat": "inactive_file 1\ntotal_inactive_file 100000",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712",
            f"sys/fs/cgroup/{mount}/{own}/cpu.cfs_quota_us": "50000",
            f"sys/fs/cgroup/{mount}/{own}/cpu.cfs_period_us": "100000",
            f"sys/fs/cgroup/{mount}/{own}/cpu.stat": "nr_periods 9\nnr_throttled 2\nthrottled_time 1500000000",
            f"sys/fs/cgroup/pids/{own}/pids.max": "50",
            f"sys/fs/cgroup/pids/{own}/pids.current": "4",
        },
    )
    assert read(tmp_path) == {
        "memory_limit_bytes": 1000000,
        "memory_usage_bytes": 500000,
        "cpu_limit": 0.5,
        "cpu_periods": 9,
        "cpu_throttled_periods": 2,
        "cpu_throttled_seconds": 1.5,
        "tasks_limit": 50,
        "tasks": 4,
    }


def test_the_limit_of_an_outer_group_binds_where_it_is_tighter(tmp_path: Path) -> None:
    lay(
        tmp_path,
        {
            "proc/self/cgroup": "0::/system.slice/desk.service",
            "sys/fs/cgroup/system.slice/desk.service/memory.max": "2000",
            "sys/fs/cgroup/system.slice/desk.service/memory.current": "10",
            "sys/fs/cgroup/system.slice/memory.max": "1000",
            "sys/fs/cgroup/system.slice/memory.current": "900",
        },
    )
    assert read(tmp_path) == {"memory_limit_bytes": 1000, "memory_usage_bytes": 900}


def test_a_container_that_is_shown_its_hosts_path_reads_what_is_mounted(tmp_path: Path) -> None:
    lay(
        tmp_path,
        {
            "proc/self/cgroup": "0::/../../kubepods/pod7",
            "sys/fs/cgroup/pids.max": "7",
            "sys/fs/cgroup/pids.current": "1",
        },
    )
    assert read(tmp_path) == {"tasks_limit": 7, "tasks": 1}


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"proc/self/cgroup": "0::/"},
        {
            "proc/self/cgroup": "0::/a",
            "sys/fs/cgroup/a/memory.max": "max",
            "sys/fs/cgroup/a/memory.current": "5",
            "sys/fs/cgroup/a/cpu.max": "max 100000",
            "sys/fs/cgroup/a/cpu.stat": "nr_periods 0",
            "sys/fs/cgroup/a/pids.max": "max",
        },
        {
            "proc/self/cgroup": "1:memory,cpu,pids:/",
            "sys/fs/cgroup/memory,cpu,pids/memory.limit_in_bytes": "9223372036854771712",
            "sys/fs/cgroup/memory,cpu,pids/cpu.cfs_quota_us": "-1",
            "sys/fs/cgroup/memory,cpu,pids/cpu.cfs_period_us": "100000",
        },
        {"proc/self/cgroup": "nonsense\n::\n", "sys/fs/cgroup/pids.max": "many"},
    ],
    ids=["no proc", "no files", "unlimited", "unlimited in version 1", "nonsense"],
)
def test_without_a_limit_nothing_is_shown(files: dict[str, str], tmp_path: Path) -> None:
    assert read(lay(tmp_path, files)) == {}


def test_a_limit_whose_usage_is_not_told_is_shown_alone(tmp_path: Path) -> None:
    lay(
        tmp_path,
        {"proc/self/cgroup": "0::/", "sys/fs/cgroup/memory.max": "1000", "sys/fs/cgroup/cpu.max": "200000 100000"},
    )
    assert read(tmp_path) == {"memory_limit_bytes": 1000, "cpu_limit": 2.0}
