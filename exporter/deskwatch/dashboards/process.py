"""Process and host: do the bots' processes live, what do they use, and is there room for more?"""

from __future__ import annotations

from grafana_foundation_sdk.builders import table
from grafana_foundation_sdk.builders.dashboard import Dashboard

from deskwatch.dashboards import host, pools
from deskwatch.dashboards.counts import counts, total
from deskwatch.dashboards.frame import frame
from deskwatch.dashboards.layout import Line, section
from deskwatch.dashboards.lines import activity
from deskwatch.dashboards.links import OF_CELL, to_dashboard
from deskwatch.dashboards.panels import course, figure
from deskwatch.dashboards.pools import POOL
from deskwatch.dashboards.promql import SHOWN, grown, increase, limit, rate, series
from deskwatch.dashboards.tables import Column, Label, joined
from deskwatch.dashboards.variables import BOT

_BAD_FROM_ONE = ((None, "green"), (1, "red"))
_FULL_STEPS = ((None, "green"), (0.7, "orange"), (0.9, "red"))
_LAG_STEPS = ((None, "green"), (0.1, "orange"), (1, "red"))
_UP = {0: ("gone", "red"), 1: ("up", "green")}
_GIVEN_UP = {0: ("no", "green"), 1: ("given up", "red")}

_FDS = f"{series('tradebot_process_open_fds')} / {series('tradebot_process_max_fds')}"
_CPU = rate("tradebot_process_cpu_seconds_total", "bot")
_GONE = f"{series('tradebot_process_up')} == 0 and on (job, instance, bot) {series('tradebot_running')} == 1"


def process() -> Dashboard:
    """The dashboard."""
    dashboard = frame(
        "process",
        "Process and host",
        "For whoever keeps the machines: which processes live and which were restarted, what they use of processor, "
        "memory and descriptors, and how much of the host is left.",
    )
    section(dashboard, 100, "Now", _now())
    section(dashboard, 200, "Processes", [_table(11)], *_processes())
    section(dashboard, 300, "Restarts and exits", *_restarts())
    section(dashboard, 400, "Pools inside the bots", pools.line())
    section(dashboard, 500, "Host", host.figures(), *host.courses())
    section(dashboard, 600, "Container", host.container(), collapsed=True)
    return dashboard


def _now() -> Line:
    return [
        figure(
            1,
            "Processes gone",
            "Bots that did not stop in good order and whose process is not there any more. Their orders and positions "
            "are unattended: look at those first, then start the bot again.",
            (f"count({_GONE}) or vector(0)", "gone"),
            unit="none",
            steps=_BAD_FROM_ONE,
        ),
        figure(
            2,
            "Given up",
            "Supervised bots that ended so often that the supervisor starts them no more. Read why under Restarts and "
            "exits, mend it, then start the bot by hand.",
            (f"sum({series('deskwatch_process_gave_up')}) or vector(0)", "given up"),
            unit="none",
            steps=_BAD_FROM_ONE,
        ),
        total(
            3,
            "Restarts, an hour",
            "Supervised bots that ended by themselves and were started again within the last hour.",
            (f"{increase('deskwatch_process_restarts_total', window='1h')} or vector(0)", "restarts"),
            unit="none",
            steps=((None, "green"), (1, "orange"), (3, "red")),
            decimals=0,
        ),
        figure(
            4,
            "Event-loop lag",
            "How late the event loop of the bot that is latest ran its last timer. Whatever blocks it (a call that is "
            "not async, a long computation) holds up orders too.",
            (f"max({series('tradebot_event_loop_lag_seconds')})", "lag"),
            unit="s",
            steps=_LAG_STEPS,
            no_value="not told",
        ),
        figure(
            5,
            "Busiest process",
            "Processor time of the bot that uses most; 100 % is one core, which is all that one thread of Python gets.",
            (f"max({_CPU})", "of a core"),
            unit="percentunit",
            steps=_FULL_STEPS,
            no_value="not seen",
        ),
        figure(
            6,
            "Largest process",
            "Memory of the bot that uses most. What matters is whether it grows: see the course below.",
            (f"max({series('tradebot_process_resident_memory_bytes')})", "memory"),
            unit="bytes",
            no_value="not seen",
        ),
        figure(
            7,
            "Descriptors used",
            "Open files and connections of what the process may have open, for the bot nearest to its limit. At the "
            "limit it can open no connection: look for ones that are never closed.",
            (f"max({_FDS})", "used"),
            unit="percentunit",
            steps=_FULL_STEPS,
            no_value="not seen",
        ),
        figure(
            8,
            "Fullest pool",
            "Use of the pool inside a bot that is fullest. A full pool makes whoever needs it wait.",
            (f"max({POOL})", "used"),
            unit="percentunit",
            steps=_FULL_STEPS,
            no_value="none told",
        ),
    ]


def _table(panel_id: int) -> table.Panel:
    return joined(
        panel_id,
        "Bots' processes",
        "What is known of each bot's process: up as the host sees it, its restarts as the supervisor does. An exit "
        "code below 0 is the signal that ended it (-9: killed, often for memory). Nothing is seen of a process on "
        "another host, as that of a bot that is only watched.",
        {"bot": Label(title="Bot", link=to_dashboard("bot", "This bot", bot=OF_CELL))},
        [
            Column(title="Process", width=125, expr=f"max by (bot) ({series('tradebot_process_up')})", names=_UP),
            Column(
                title="Runs for",
                width=125,
                expr=f"time() - max by (bot) ({series('tradebot_process_start_time_seconds')})",
                unit="s",
                decimals=0,
            ),
            Column(title="CPU", width=125, expr=_CPU, unit="percentunit", decimals=1),
            Column(
                title="Memory",
                width=125,
                expr=f"max by (bot) ({series('tradebot_process_resident_memory_bytes')})",
                unit="bytes",
                decimals=0,
            ),
            Column(title="Threads", width=125, expr=f"max by (bot) ({series('tradebot_process_threads')})"),
            Column(
                title="Descriptors",
                width=125,
                expr=f"max by (bot) ({_FDS})",
                unit="percentunit",
                decimals=0,
                steps=_FULL_STEPS,
            ),
            Column(
                title="Loop lag",
                width=125,
                expr=f"max by (bot) ({series('tradebot_event_loop_lag_seconds')})",
                unit="s",
                steps=_LAG_STEPS,
            ),
            Column(
                title="Restarts",
                width=125,
                expr=increase("deskwatch_process_restarts_total", "bot", window=SHOWN),
                decimals=0,
            ),
            Column(
                title="Last exit",
                width=125,
                expr=f"max by (bot) ({series('deskwatch_process_last_exit_code')})",
                decimals=0,
                steps=((None, "red"), (0, "green"), (1, "red")),
            ),
            Column(
                title="Given up",
                width=125,
                expr=f"max by (bot) ({series('deskwatch_process_gave_up')})",
                names=_GIVEN_UP,
            ),
        ],
        sort_by="Bot",
        falling=False,
        no_value="-",
    )


def _processes() -> list[Line]:
    return [
        [
            course(
                12,
                "Event-loop lag",
                "How late each bot's event loop ran its last timer, at its last heartbeat. At the dashed line "
                "BotEventLoopBlocked warns. Find the call that blocks with py-spy.",
                [(f"max by (bot) ({series('tradebot_event_loop_lag_seconds')})", "{{bot}}")],
                limits=[limit("event_loop_lag_seconds", "warns")],
                unit="s",
                least=0,
            ),
            course(
                13,
                "Idle time of the bot's own code",
                "Since the bot's own code touched its recorder, at the last heartbeat. The process lives; a line that "
                "climbs is code that waits for something that does not come, and BotStalled fires.",
                [(f"max by (bot) ({series('tradebot_idle_seconds')})", "{{bot}}")],
                limits=[limit("idle_seconds", "pages")],
                unit="s",
                least=0,
            ),
            course(
                14,
                "CPU",
                "Of each bot's process; 100 % is one core. At 100 % the bot is late with everything.",
                [(_CPU, "{{bot}}")],
                unit="percentunit",
                least=0,
            ),
        ],
        [
            course(
                15,
                "Memory",
                "Resident memory of each bot's process. A line that never falls back is a leak: BotMemoryGrowing "
                "warns before the host is full.",
                [(f"max by (bot) ({series('tradebot_process_resident_memory_bytes')})", "{{bot}}")],
                unit="bytes",
                least=0,
            ),
            counts(
                16,
                "Open descriptors",
                "Files and connections that each bot has open. A steady climb is connections that are never closed.",
                [(f"max by (bot) ({series('tradebot_process_open_fds')})", "{{bot}}")],
            ),
            course(
                17,
                "Threads",
                "Of each bot's process. A bot of one event loop needs a handful.",
                [(f"max by (bot) ({series('tradebot_process_threads')})", "{{bot}}")],
                unit="none",
                least=0,
            ),
        ],
        [
            course(
                18,
                "Lost the processor, per second",
                "How often each bot was moved off a processor although it had work. Many are a host with too little "
                "CPU: see its load below.",
                [
                    (
                        rate(
                            "tradebot_process_context_switches_total",
                            "bot",
                            where=f'{BOT}, kind="involuntary"',
                        ),
                        "{{bot}}",
                    )
                ],
                unit="short",
                least=0,
            ),
            course(
                19,
                "Disk",
                "What each bot had read from and written to disks. Writing is mostly its journal.",
                [
                    (rate("tradebot_process_disk_read_bytes_total", "bot"), "{{bot}} read"),
                    (rate("tradebot_process_disk_written_bytes_total", "bot"), "{{bot}} written"),
                ],
                unit="Bps",
                least=0,
            ),
            counts(
                20,
                "Errors in the bot's code",
                "Errors in each interval, by where and what. They often come just before a process ends.",
                [(grown("tradebot_errors_total", "bot", "component", "kind"), "{{bot}} {{component}} {{kind}}")],
            ),
        ],
    ]


def _restarts() -> list[Line]:
    return [
        [
            counts(
                31,
                "Starts, stops, restarts",
                "In each interval. A start without a stop before it came after a crash.",
                [
                    (increase("tradebot_starts_total", "bot"), "{{bot}} started"),
                    (increase("tradebot_stops_total", "bot"), "{{bot}} stopped"),
                    (increase("deskwatch_process_restarts_total", "bot"), "{{bot}} restarted by the supervisor"),
                ],
                span=12,
            ),
            counts(
                32,
                "Exits, by how they ended",
                "Of supervised bots, in each interval: clean (code 0), error (above 0), by a signal, or not known.",
                [(grown("tradebot_process_exits_total", "bot", "reason"), "{{bot}} {{reason}}")],
                span=12,
            ),
        ],
        [
            activity(
                33,
                "Exits and restarts, with the last words",
                "What the supervisor did and why, with the exit code and the last lines that the process printed: "
                "mostly the traceback that ended it. A click opens them in full.",
                f'{{service_name="deskwatch", {BOT}}} | type =~ "process_acted|bot_started|bot_stopped" | json '
                "| line_format `{{.bot}}  {{.type}}  {{.action}} {{.exit_code}} {{.reason}} {{.version}}`",
                height=8,
            ),
        ],
    ]
