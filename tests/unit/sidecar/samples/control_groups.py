"""Folders as the kernel shows control groups, for tests."""

from __future__ import annotations

from pathlib import Path


def lay(root: Path, files: dict[str, str]) -> Path:
    """Make files below a root, by path; a number stands for itself with a newline, as the kernel writes it."""
    for path, text in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{text}\n")
    return root


def version_2(root: Path) -> Path:
    """A container of version 2 that has every limit, with a cgroup namespace of its own."""
    return lay(
        root,
        {
            "proc/self/cgroup": "0::/",
            "sys/fs/cgroup/memory.max": "536870912",
            "sys/fs/cgroup/memory.current": "200000000",
            "sys/fs/cgroup/memory.stat": "anon 100000000\nfile 90000000\ninactive_file 50000000",
            "sys/fs/cgroup/cpu.max": "150000 100000",
            "sys/fs/cgroup/cpu.stat": "usage_usec 90\nnr_periods 40\nnr_throttled 3\nthrottled_usec 2500000",
            "sys/fs/cgroup/pids.max": "100",
            "sys/fs/cgroup/pids.current": "12",
        },
    )
