"""What the sidecar keeps and hands on: deliveries to sinks, journals and checkpoints on disk, series in memory."""

from __future__ import annotations

from deskwatch.dashboards.counts import counts
from deskwatch.dashboards.layout import Line
from deskwatch.dashboards.panels import course
from deskwatch.dashboards.promql import increase, or_none, rate, series
from deskwatch.dashboards.variables import BOT_OR_NONE

_HELD = f"max by (instance, bot) ({series('deskwatch_series', BOT_OR_NONE)})"
_LIMIT = "deskwatch_series_limit"


def sinks() -> Line:
    """Deliveries, by sink (`kind`)."""
    return [
        course(
            21,
            "Delivered per second",
            "Lines (spans, for traces) that each sink has taken. It should follow the events read per second.",
            [(rate("deskwatch_sink_delivered_total", "instance", "kind", where=""), "{{instance}} {{kind}}")],
            unit="short",
            span=6,
            least=0,
        ),
        counts(
            22,
            "Deliveries tried again",
            "In each interval, by sink and reason: a status code, a time-out, no connection. While this is not 0 that "
            "sink stands still and the disk holds what it lacks.",
            [
                (
                    or_none(increase("deskwatch_sink_failures_total", "kind", "reason", where=""), _LIMIT, "reason"),
                    "{{kind}} {{reason}}",
                )
            ],
            span=6,
        ),
        course(
            23,
            "Age of what is delivered",
            "Age of the oldest line of the delivery under way. Seconds are normal; hours are a backlog that is being "
            "worked off.",
            [("max by (instance, kind) (deskwatch_sink_lag_seconds)", "{{instance}} {{kind}}")],
            unit="s",
            span=6,
            least=0,
        ),
        counts(
            24,
            "Put aside, late, read again",
            "In each interval: lines that a sink refused for good (they lie in sinks/….quarantine.ndjson with the "
            "reason), that Loki stored at a later time than their own, and journals that had to be read again in part, "
            "because somebody copies or cuts them.",
            [
                (increase("deskwatch_sink_quarantined_total", "kind", where=""), "{{kind}} put aside"),
                (increase("deskwatch_sink_late_total", "kind", where=""), "{{kind}} late"),
                (increase("deskwatch_sink_rereads_total", "kind", where=""), "{{kind}} read again"),
            ],
            span=6,
            colours={"put aside": "red", "late": "orange"},
        ),
    ]


def journals() -> list[Line]:
    """Disk: journals and checkpoints."""
    size = series("deskwatch_journal_bytes")
    return [
        [
            course(
                31,
                "Size of the journals",
                "Of each bot's writers. Retention keeps it below the budget given to the sidecar.",
                [(f"max by (bot, writer) ({series('deskwatch_journal_bytes')})", "{{bot}} {{writer}}")],
                unit="bytes",
                least=0,
            ),
            counts(
                32,
                "Removed by retention",
                "Segments removed in each interval, lines among them that went although a sink had not got them, and "
                "runs of retention that failed. The second is loss: bring the sink back or raise --budget-gib.",
                [
                    (
                        or_none(increase("deskwatch_retention_removed_segments_total", "bot"), size, "bot"),
                        "segments: {{bot}}",
                    ),
                    (
                        or_none(increase("deskwatch_retention_overflow_lines_total", "bot"), size, "bot"),
                        "lines not delivered: {{bot}}",
                    ),
                    (increase("deskwatch_retention_failures_total", "instance", where=""), "failed runs: {{instance}}"),
                ],
                colours={"lines not delivered": "red", "failed runs": "orange"},
            ),
            course(
                33,
                "Age of the checkpoint",
                "Since the checkpoint was written, and times in each interval that it could not be. After a restart "
                "the sidecar reads the journals from there on: an old one makes a start slow.",
                [("time() - max by (instance) (deskwatch_checkpoint_timestamp_seconds)", "{{instance}}")],
                unit="s",
                least=0,
            ),
        ],
        [
            course(
                34,
                "Size of the checkpoint",
                "It grows with the number of series and of ids that are remembered.",
                [("max by (instance) (deskwatch_checkpoint_size_bytes)", "{{instance}}")],
                unit="bytes",
                least=0,
            ),
            course(
                35,
                "Time to write the checkpoint",
                "Making and writing it. Much more than usual is a disk that is busy or failing.",
                [("max by (instance) (deskwatch_checkpoint_duration_seconds)", "{{instance}}")],
                unit="s",
                least=0,
            ),
            counts(
                36,
                "Checkpoints not written",
                "In each interval. Nothing is lost by it, but a start takes longer: look at the disk.",
                [(increase("deskwatch_checkpoint_failures_total", "instance", where=""), "{{instance}}")],
            ),
        ],
    ]


def series_held() -> Line:
    """Memory: series and their limits."""
    folded = increase("deskwatch_series_folded_total", "kind", where="")
    evicted = increase("deskwatch_series_evicted_total", "kind", where="")
    return [
        course(
            41,
            "Series held",
            "Time series of each bot, buckets of histograms among them, and those of the sidecar itself. They are what "
            "the memory goes to, here and in Prometheus.",
            [(f'label_replace({_HELD}, "bot", "its own", "bot", "")', "{{instance}} {{bot}}")],
            unit="short",
            least=0,
        ),
        course(
            42,
            "Fullest families",
            "Label sets of the bot that has most of a family, for the five fullest. The dashed line is the limit: "
            "beyond it, a bot uses something endless (an id, an address) as a label.",
            [("topk(5, max by (kind) (deskwatch_series_fullest))", "{{kind}}")],
            limits=[("max(deskwatch_series_limit)", "limit")],
            unit="short",
            least=0,
        ),
        counts(
            43,
            "Turned away at the limit",
            "In each interval, by family: updates that found it full (added up under no name, or left out), and idle "
            "label sets that made room for others.",
            [
                (or_none(folded, _LIMIT, "kind"), "full: {{kind}}"),
                (or_none(evicted, _LIMIT, "kind"), "made room: {{kind}}"),
            ],
        ),
    ]
