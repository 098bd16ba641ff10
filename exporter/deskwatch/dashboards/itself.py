"""Deskwatch itself: does the watching work, is anything left behind, and what does it cost?"""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from deskwatch.dashboards import keeping, serving, watching
from deskwatch.dashboards.counts import counts, total
from deskwatch.dashboards.frame import frame
from deskwatch.dashboards.layout import Line, section
from deskwatch.dashboards.panels import course, figure
from deskwatch.dashboards.promql import INTERVAL, grown, increase, quantile, rate, series
from deskwatch.dashboards.tables import Column, Label, joined
from deskwatch.dashboards.variables import BOT_OR_NONE

MEMORY_BYTES = 64 * 1024 * 1024
"""What the sidecar may use of memory, by design."""
_BAD_FROM_ONE = ((None, "green"), (1, "red"))
_UP = {0: ("down", "red"), 1: ("up", "green")}
_WHOLE = {0: ("not whole", "orange"), 1: ("whole", "green")}
_FEED = 'kind="feed"'
_SINKS = 'kind!="feed"'


def self() -> Dashboard:
    """The dashboard."""
    dashboard = frame(
        "self",
        "Deskwatch itself",
        "For whoever keeps deskwatch running: whether it sees everything that the bots write, whether that arrives, "
        "and what it costs.",
    )
    section(dashboard, 100, "Now", *_now())
    section(dashboard, 200, "Following the journals", *_following())
    section(dashboard, 300, "Delivering to Loki and others", keeping.sinks())
    section(dashboard, 400, "What is kept", *keeping.journals())
    section(dashboard, 500, "Series", keeping.series_held())
    section(dashboard, 600, "Serving", *serving.lines())
    section(dashboard, 700, "Its own process", *_process())
    section(dashboard, 800, "Bots that it watches", watching.sources())
    return dashboard


def _now() -> list[Line]:
    return [
        [
            figure(
                1,
                "Sidecar",
                "Whether Prometheus gets the sidecar's figures. Down: the bots may trade on, unseen, and their alerts "
                "are silent. Start it before anything else.",
                ('min(up{job="deskwatch"})', "up"),
                unit="none",
                names=_UP,
                no_value="never seen",
            ),
            figure(
                2,
                "Not read yet",
                "Journal bytes that the figures do not contain yet. If it does not fall, what all dashboards show is "
                "of the past.",
                (f"max({series('deskwatch_backlog_bytes', _FEED)})", "behind"),
                unit="bytes",
                steps=((None, "green"), (1e6, "orange"), (1e8, "red")),
            ),
            figure(
                3,
                "Not delivered yet",
                "Journal bytes that the sink that is furthest behind has not taken. Nothing is lost while the disk "
                "has room; see why below.",
                (f"max({series('deskwatch_backlog_bytes', _SINKS)})", "behind"),
                unit="bytes",
                steps=((None, "green"), (1e6, "orange"), (1e8, "red")),
                no_value="no sink",
            ),
            total(
                4,
                "Lines invalid",
                "Journal lines of the last hour that are no event. They are kept and not counted. Mostly a bot of a "
                "newer version, or a writer that is not ours.",
                (f"{increase('deskwatch_invalid_lines_total', window='1h')} or vector(0)", "invalid"),
                unit="none",
                steps=_BAD_FROM_ONE,
                decimals=0,
            ),
            figure(
                5,
                "Events missing",
                "Events that the journals should hold by their numbering and do not. The figures lack them: compare "
                "with the venue's own lists.",
                (f"sum({series('deskwatch_journal_missing_events')}) or vector(0)", "missing"),
                unit="none",
                steps=_BAD_FROM_ONE,
            ),
            figure(
                6,
                "Memory",
                "Of the sidecar, which is made to stay below 64 MiB. Above: look at the number of series.",
                ("max(deskwatch_process_resident_memory_bytes)", "memory"),
                unit="bytes",
                steps=((None, "green"), (MEMORY_BYTES, "orange"), (4 * MEMORY_BYTES, "red")),
            ),
            figure(
                7,
                "Scrape, p95",
                "How long writing all metrics takes in 95 of 100 scrapes. Prometheus gives up after 4 seconds, and "
                "then there are no figures at all.",
                (quantile(0.95, "deskwatch_scrape_duration_seconds", where=""), "p95"),
                unit="s",
                steps=((None, "green"), (0.5, "orange"), (2, "red")),
            ),
            figure(
                8,
                "Fullest family",
                "Label sets of the family that is fullest, of those that it may hold for one bot. At 100 % further "
                "ones are added up under no name, or left out.",
                ("max(deskwatch_series_fullest / on (job, instance) group_left () deskwatch_series_limit)", "full"),
                unit="percentunit",
                steps=((None, "green"), (0.8, "orange"), (1, "red")),
            ),
        ],
        [
            joined(
                9,
                "Sidecars",
                "Each sidecar that Prometheus scrapes, with its version. A version that is older than the bots' own "
                "deskwatch may find their lines invalid.",
                {"instance": Label(title="Sidecar", width=170), "version": Label(title="Version", width=90)},
                [
                    Column(title="State", width=110, expr='max by (instance) (up{job="deskwatch"})', names=_UP),
                    Column(
                        title="Runs for",
                        width=110,
                        expr="(time() - max by (instance) (deskwatch_process_start_time_seconds)) * on (instance) "
                        "group_left (version) max by (instance, version) (deskwatch_build_info)",
                        unit="s",
                        decimals=0,
                    ),
                    Column(title="Figures", width=110, expr="min by (instance) (deskwatch_base_whole)", names=_WHOLE),
                    Column(
                        title="Events/s",
                        width=110,
                        expr=rate("deskwatch_events_total", "instance"),
                        decimals=1,
                    ),
                    Column(
                        title="Series",
                        width=110,
                        expr=f"sum by (instance) ({series('deskwatch_series', BOT_OR_NONE)})",
                        unit="short",
                        decimals=0,
                    ),
                ],
                sort_by="Sidecar",
                falling=False,
                span=16,
            ),
            counts(
                10,
                "Not counted, not believed",
                "Events that an error of deskwatch kept out of some figures, and values that bots told and that can't "
                "be true, in each interval. The first is our fault: report it with the sidecar's log.",
                [
                    (grown("deskwatch_fold_failures_total"), "not counted"),
                    (
                        grown("deskwatch_refused_values_total", "reason"),
                        "refused: {{reason}}",
                    ),
                ],
            ),
        ],
    ]


def _following() -> list[Line]:
    return [
        [
            course(
                11,
                "Events read per second",
                "Of each bot's journals. It is what the bots do, as the sidecar sees it; 0 for a running bot is "
                "impossible, as it sends heartbeats.",
                [(rate("deskwatch_events_total", "bot", "writer"), "{{bot}} {{writer}}")],
                unit="short",
                least=0,
            ),
            course(
                12,
                "Not read yet",
                "Journal bytes that a consumer has not read, by consumer: feed is the figures, the others are sinks. "
                "A line that only climbs will not come back by itself.",
                [("max by (instance, kind) (deskwatch_backlog_bytes)", "{{instance}} {{kind}}")],
                unit="bytes",
                least=0,
            ),
            counts(
                13,
                "Lines invalid",
                "In each interval, by reason. Loki holds the lines, with the reason as their `invalid`.",
                [(increase("deskwatch_invalid_lines_total", "reason"), "{{reason}}")],
            ),
        ],
        [
            counts(
                14,
                "Journal faults",
                "Times in each interval that a journal was not as it was written: holes, lines again or late, segments "
                "cut, gone or replaced. Run `deskwatch journal check`, and look at the disk and at who touches files.",
                [
                    (
                        grown("deskwatch_journal_faults_total", "reason"),
                        "{{reason}}",
                    )
                ],
            ),
            counts(
                15,
                "Events missing and lost",
                "Missing by their numbering, and what the bots themselves say that they could not write. Both are gone "
                "for good; the second mostly for a full disk.",
                [
                    (
                        f"sum({series('deskwatch_journal_missing_events')})",
                        "missing",
                    ),
                    (increase("tradebot_events_lost_total"), "lost"),
                ],
            ),
            joined(
                16,
                "Journals",
                "How far each journal is followed. Unreadable: its figures stand still; see the folder's permissions "
                "and the disk.",
                {"bot": Label(title="Bot", width=90), "writer": Label(title="Writer", width=75)},
                [
                    Column(
                        title="Read",
                        width=80,
                        expr=f"max by (bot, writer) ({series('deskwatch_journal_unreadable')})",
                        names={0: ("yes", "green"), 1: ("unreadable", "red")},
                    ),
                    Column(
                        title="Segment",
                        width=80,
                        expr=f"max by (bot, writer) ({series('deskwatch_followed_segment')})",
                        decimals=0,
                    ),
                    Column(
                        title="Up to",
                        width=80,
                        expr=f"max by (bot, writer) ({series('deskwatch_followed_offset_bytes')})",
                        unit="bytes",
                    ),
                    Column(
                        title="Size",
                        width=80,
                        expr=f"max by (bot, writer) ({series('deskwatch_journal_bytes')})",
                        unit="bytes",
                    ),
                ],
                sort_by="Bot",
                falling=False,
                span=8,
                no_value="-",
            ),
        ],
    ]


def _process() -> list[Line]:
    return [
        [
            course(
                71,
                "Memory",
                "Of the sidecar; the dashed line is the 64 MiB that it is made to stay below.",
                [("max by (instance) (deskwatch_process_resident_memory_bytes)", "{{instance}}")],
                unit="bytes",
                steps=((None, "green"), (MEMORY_BYTES, "orange")),
                least=0,
            ),
            course(
                72,
                "CPU",
                "Of the sidecar; 100 % is one core. At 100 % it falls behind the journals.",
                [(rate("deskwatch_process_cpu_seconds_total", "instance", where=""), "{{instance}}")],
                unit="percentunit",
                least=0,
            ),
            course(
                73,
                "Event-loop lag",
                "How much later than asked the sidecar's event loop woke a task: the median, and what 95 of 100 stay "
                "below. Every answer of the sidecar is late by as much, commands too.",
                [
                    (quantile(0.5, "deskwatch_event_loop_lag_seconds", "instance", where=""), "{{instance}} median"),
                    (quantile(0.95, "deskwatch_event_loop_lag_seconds", "instance", where=""), "{{instance}} p95"),
                ],
                unit="s",
                least=0,
            ),
        ],
        [
            course(
                74,
                "Descriptors used",
                "Open files and connections of what the sidecar may have open. Journals, readers and requests need "
                "them.",
                [
                    (
                        "max by (instance) (deskwatch_process_open_fds / deskwatch_process_max_fds)",
                        "{{instance}}",
                    )
                ],
                unit="percentunit",
                least=0,
            ),
            course(
                75,
                "Disk",
                "What the sidecar had read from and written to disks: journals, checkpoints, cursors.",
                [
                    (rate("deskwatch_process_disk_read_bytes_total", "instance", where=""), "{{instance}} read"),
                    (rate("deskwatch_process_disk_written_bytes_total", "instance", where=""), "{{instance}} written"),
                ],
                unit="Bps",
                least=0,
            ),
            course(
                76,
                "Threads, and lost the processor per second",
                "Threads of the sidecar, and how often it was moved off a processor although it had work. Many such "
                "moves are a host with too little CPU.",
                [
                    ("max by (instance) (deskwatch_process_threads)", "{{instance}} threads"),
                    (
                        (
                            f"sum by (instance) (rate(deskwatch_process_context_switches_total"
                            f'{{kind="involuntary"}}[{INTERVAL}]))'
                        ),
                        "{{instance}} lost the processor",
                    ),
                ],
                unit="short",
                least=0,
            ),
        ],
    ]
