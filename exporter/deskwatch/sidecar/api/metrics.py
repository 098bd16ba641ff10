"""`GET /metrics`: Prometheus text or OpenMetrics by Accept, compressed where the scraper takes it.

A scrape is written in slices between which the event loop does its other work, however many series there are, and
compressed in a thread. What is held against the journal is read in one go when the scrape begins.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response, StreamingResponse

from deskwatch import negotiation
from deskwatch.projections.metrics import Counter, Family, Gauge
from deskwatch.sidecar.parts import Parts, Wired, may_read
from deskwatch.sidecar.problems import Problem
from deskwatch.sidecar.scraping import compressed, plain
from deskwatch.sinks.loki import LokiSink

router = APIRouter(tags=["metrics"], dependencies=[Depends(may_read)])


@router.get("/metrics", response_class=Response)
async def metrics(request: Request, parts: Wired) -> Response:
    """All metrics of all bots and of deskwatch itself; 503 until the journals are followed to their end."""
    if not parts.feed.caught_up.is_set():
        raise Problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "the journals are still being read; counters would seem to fall",
            {"Retry-After": "1"},
        )
    content_type = negotiation.content_type(request.headers.get("accept", ""))
    headers = {"Content-Type": content_type, "Vary": "Accept, Accept-Encoding", "Cache-Control": "no-store"}
    blocks = await parts.scraping.scrape(lambda: collect(parts), content_type)
    if negotiation.accepts_gzip(request.headers.get("accept-encoding", "")):
        headers["Content-Encoding"] = "gzip"
        return StreamingResponse(compressed(blocks), headers=headers)
    return StreamingResponse(plain(blocks), headers=headers)


def collect(parts: Parts) -> list[Family[Any]]:
    """Every family of now: what the journals say, what is sampled, and the sidecar's own work."""
    projections = parts.feed.projections
    bots = list(projections.state.bots.values())
    return [*projections.metrics.current(), *parts.samples.families(bots), *_own(parts)]


def _own(parts: Parts) -> list[Family[Any]]:
    backlog = Gauge("deskwatch_backlog_bytes", "Journal bytes that a consumer has not read yet.", ("kind",))
    backlog.set(("feed",), parts.feed.backlog_bytes())
    clients = Gauge("deskwatch_stream_clients", "Readers of the stream.", ())
    clients.set((), len(parts.hub.clients))
    dropped = Counter("deskwatch_stream_drops", "Readers dropped because they did not read.", ())
    dropped.inc((), parts.hub.dropped)
    checkpoints = Counter("deskwatch_checkpoint_failures", "Checkpoints that could not be written.", ())
    checkpoints.inc((), parts.feed.checkpoint_failures)
    families: list[Family[Any]] = [backlog, clients, dropped, checkpoints, *_followed(parts), *_kept(parts)]
    for sink in parts.sinks:
        backlog.set((sink.name,), sink.backlog_bytes())
    return [*families, *_delivered(parts)]


def _delivered(parts: Parts) -> list[Family[Any]]:
    """What each sink did."""
    delivered = Counter("deskwatch_sink_delivered", "Lines (spans, for traces) that a sink has delivered.", ("kind",))
    quarantined = Counter("deskwatch_sink_quarantined", "Lines (or spans) that a sink could not deliver.", ("kind",))
    failures = Counter("deskwatch_sink_failures", "Deliveries tried again.", ("kind", "reason"))
    late = Counter("deskwatch_sink_late", "Lines delivered to the late lane.", ("kind",))
    rereads = Counter(
        "deskwatch_sink_rereads",
        "Journals read again in part, because they were not what a sink had read.",
        ("kind",),
    )
    lag = Gauge("deskwatch_sink_lag_seconds", "Age of the oldest line of the delivery under way.", ("kind",))
    for sink in parts.sinks:
        delivered.inc((sink.name,), sink.delivered)
        quarantined.inc((sink.name,), sink.quarantined)
        for reason, count in list(sink.failures.items()):
            failures.inc((sink.name, reason), count)
        if isinstance(sink, LokiSink):
            late.inc((sink.name,), sink.late)
        rereads.inc((sink.name,), sink.rereads)
        lag.set((sink.name,), sink.lag_seconds())
    if parts.push is not None:
        for reason, count in list(parts.push.failures.items()):
            failures.inc((parts.push.name, reason), count)
    return [delivered, quarantined, late, rereads, lag, failures]


def _followed(parts: Parts) -> list[Family[Any]]:
    """How far the counters of this very scrape go: `deskwatch verify` counts the journal up to here."""
    segment = Gauge("deskwatch_followed_segment", "Segment that the figures go up to.", ("bot", "writer"))
    offset = Gauge("deskwatch_followed_offset_bytes", "Bytes of it that are folded in.", ("bot", "writer"))
    for key, position in parts.feed.positions.items():
        segment.set(key, position.segment)
        offset.set(key, position.offset)
    return [segment, offset]


def _kept(parts: Parts) -> list[Family[Any]]:
    retention = parts.retention
    size = Gauge("deskwatch_journal_bytes", "Size of a journal, as of the last minute.", ("bot", "writer"))
    for key, value in retention.sizes.items():
        size.set(key, value)
    removed = Counter("deskwatch_retention_removed_segments", "Segments that retention removed.", ("bot",))
    base = retention.base
    for bot, count in base.removed.items():
        removed.inc((bot,), count)
    overflowed = Counter(
        "deskwatch_retention_overflow_lines",
        "Lines that went at the hard disk budget though a sink had not delivered them.",
        ("bot", "kind"),
    )
    for key, count in base.overflowed.items():
        overflowed.inc(key, count)
    failures = Counter("deskwatch_retention_failures", "Runs of retention that failed.", ())
    failures.inc((), retention.failures)
    whole = Gauge("deskwatch_base_whole", "0 where figures that retention removed could not all be taken back.", ())
    whole.set((), parts.feed.base_is_whole and base.is_whole)
    return [size, removed, overflowed, failures, whole]
