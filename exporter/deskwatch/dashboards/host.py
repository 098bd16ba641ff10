"""The host, and the container in it, that the sidecar runs in: how much of them is used."""

from __future__ import annotations

from deskwatch.dashboards.layout import Line
from deskwatch.dashboards.panels import course, figure
from deskwatch.dashboards.promql import INTERVAL, rate

_FULL_STEPS = ((None, "green"), (0.7, "orange"), (0.9, "red"))
_DISK_STEPS = ((None, "green"), (0.85, "orange"), (0.95, "red"))
_IDLE = rate("deskwatch_host_cpu_seconds_total", "instance", where='mode="idle"')
_BUSY = f"1 - {_IDLE} / {rate('deskwatch_host_cpu_seconds_total', 'instance', where='')}"
_MEMORY = "1 - deskwatch_host_memory_available_bytes / deskwatch_host_memory_size_bytes"
_SWAP = (
    "(deskwatch_host_swap_size_bytes - deskwatch_host_swap_free_bytes) / clamp_min(deskwatch_host_swap_size_bytes, 1)"
)
_DISK = "1 - deskwatch_host_disk_free_bytes / deskwatch_host_disk_size_bytes"
_WORK = 'mode!="idle"'
_FDS = "deskwatch_host_open_fds / deskwatch_host_max_fds"


def figures() -> Line:
    """What is full now."""
    return [
        figure(
            51,
            "CPU busy",
            "Of all processors of the busiest host. Above 90 % for long everything is late, orders too: move a bot.",
            (f"max({_BUSY})", "busy"),
            unit="percentunit",
            span=4,
            steps=_FULL_STEPS,
        ),
        figure(
            52,
            "Memory used",
            "Of the host with least left, without caches that can go at once. When it is full the system kills a "
            "process, mostly the largest: a bot.",
            (f"max({_MEMORY})", "used"),
            unit="percentunit",
            span=4,
            steps=_FULL_STEPS,
        ),
        figure(
            53,
            "Journals' disk",
            "Used of the disk that holds the journals. Bots trade on when it is full, but what they do is no longer "
            "recorded: free space at once.",
            (f"max({_DISK})", "used"),
            unit="percentunit",
            span=4,
            steps=_DISK_STEPS,
        ),
        figure(
            54,
            "Disk full in",
            "When that disk is full at the pace of the last hour. Lower --keep-gib before a day is left.",
            (
                "min(deskwatch_host_disk_free_bytes / (-deriv(deskwatch_host_disk_free_bytes[1h]) > 0))",
                "left",
            ),
            unit="s",
            span=4,
            steps=((None, "red"), (4 * 3600, "orange"), (86_400, "green")),
            no_value="it does not fill",
        ),
        figure(
            55,
            "Load",
            "Tasks that run or wait for a processor, over 5 minutes, for each processor. Above 1 something waits.",
            ("max(deskwatch_host_load5 / deskwatch_host_cpus)", "load"),
            unit="none",
            span=4,
            decimals=2,
            steps=((None, "green"), (1, "orange"), (2, "red")),
        ),
        figure(
            56,
            "Host up for",
            "Since its last start. A short time explains why everything began anew.",
            ("time() - max(deskwatch_host_boot_time_seconds)", "up"),
            unit="s",
            span=4,
        ),
    ]


def courses() -> list[Line]:
    """How it came to be so."""
    return [
        [
            course(
                61,
                "CPU by use",
                "What the processors do, as a part of all of them; the rest is idle. Much iowait is a slow disk; steal "
                "is a neighbour on the same machine.",
                [
                    (
                        (
                            f"{rate('deskwatch_host_cpu_seconds_total', 'mode', where=_WORK)} / on () group_left () "
                            f"{rate('deskwatch_host_cpu_seconds_total', where='')}"
                        ),
                        "{{mode}}",
                    )
                ],
                unit="percentunit",
                least=0,
                stacked=True,
            ),
            course(
                62,
                "Load per processor",
                "Tasks that run or wait, over 1, 5 and 15 minutes, for each processor. Above the dashed line they "
                "wait.",
                [
                    ("deskwatch_host_load1 / deskwatch_host_cpus", "{{instance}} 1 min"),
                    ("deskwatch_host_load5 / deskwatch_host_cpus", "{{instance}} 5 min"),
                    ("deskwatch_host_load15 / deskwatch_host_cpus", "{{instance}} 15 min"),
                ],
                unit="none",
                steps=((None, "green"), (1, "orange")),
                least=0,
            ),
            course(
                63,
                "Memory and swap used",
                "Of what there is. Swap that grows while bots run makes them stall by the second.",
                [(_MEMORY, "{{instance}} memory"), (_SWAP, "{{instance}} swap")],
                unit="percentunit",
                least=0,
                most=1,
            ),
        ],
        [
            course(
                64,
                "Disk of the journals",
                "Size and what is free of it. DeskwatchDiskNearlyFull pages at 5 % left, or when it would be full "
                "within 4 hours.",
                [
                    ("deskwatch_host_disk_size_bytes", "{{instance}} size"),
                    ("deskwatch_host_disk_free_bytes", "{{instance}} free"),
                ],
                unit="bytes",
                least=0,
            ),
            course(
                65,
                "Disk traffic",
                "Read and written on all disks of the host.",
                [
                    (rate("deskwatch_host_disk_read_bytes_total", "instance", where=""), "{{instance}} read"),
                    (rate("deskwatch_host_disk_written_bytes_total", "instance", where=""), "{{instance}} written"),
                ],
                unit="Bps",
                least=0,
            ),
            course(
                66,
                "Network traffic",
                "Received and sent by all interfaces but loopback. A bot that suddenly receives nothing has lost its "
                "feeds.",
                [
                    (
                        rate("deskwatch_host_network_received_bytes_total", "instance", where=""),
                        "{{instance}} received",
                    ),
                    (rate("deskwatch_host_network_sent_bytes_total", "instance", where=""), "{{instance}} sent"),
                ],
                unit="Bps",
                least=0,
            ),
        ],
        [
            course(
                67,
                "Descriptors of the host",
                "Open files and connections of all that the host may have open.",
                [(_FDS, "{{instance}}")],
                unit="percentunit",
                span=12,
                least=0,
            ),
            course(
                68,
                "Threads of the host",
                "All threads of all processes. A steady climb is a program that starts them and never ends them.",
                [("deskwatch_host_threads", "{{instance}}")],
                unit="none",
                span=12,
                least=0,
            ),
        ],
    ]


def container() -> Line:
    """Empty where the sidecar's container or service has no limits."""
    return [
        course(
            71,
            "Memory of its limit",
            "Used by the sidecar's container, of what it may use. At 100 % the system kills it. Nothing where there is "
            "no limit.",
            [
                (
                    "deskwatch_container_memory_usage_bytes / deskwatch_container_memory_limit_bytes",
                    "{{instance}}",
                )
            ],
            unit="percentunit",
            steps=((None, "green"), (0.9, "red")),
            least=0,
        ).no_value("no limit: not in a container, or one without"),
        course(
            72,
            "Held up at the CPU limit",
            "Periods in which the sidecar's container hit its CPU limit, of all, and the seconds lost in each second. "
            "More than a few per cent: raise the limit, or scrapes come late. Nothing where there is no limit.",
            [
                (
                    (
                        f"sum by (instance) (rate(deskwatch_container_cpu_throttled_periods_total[{INTERVAL}]))"
                        f" / (sum by (instance) (rate(deskwatch_container_cpu_periods_total[{INTERVAL}])) > 0)"
                    ),
                    "{{instance}} periods",
                ),
                (
                    rate("deskwatch_container_cpu_throttled_seconds_total", "instance", where=""),
                    "{{instance}} time",
                ),
            ],
            unit="percentunit",
            least=0,
        ).no_value("no limit: not in a container, or one without"),
        course(
            73,
            "Tasks of their limit",
            "Processes and threads of the sidecar's container, supervised bots among them, of what it may have. "
            "Nothing where there is no limit.",
            [("deskwatch_container_tasks / deskwatch_container_tasks_limit", "{{instance}}")],
            unit="percentunit",
            least=0,
        ).no_value("no limit: not in a container, or one without"),
    ]
