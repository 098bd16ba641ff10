"""`GET /metrics`: Prometheus text or OpenMetrics by Accept, compressed where the scraper takes it.

A scrape is written in slices between which the event loop does its other work, however many series there are, and
compressed in a thread. Samples are taken first; then what is held against the journal is read in one go.
"""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response, StreamingResponse

from deskwatch import negotiation
from deskwatch.sidecar.own_metrics import collect
from deskwatch.sidecar.parts import Wired, may_read
from deskwatch.sidecar.problems import Problem
from deskwatch.sidecar.scraping import compressed, plain

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
    blocks = await parts.scraping.scrape(lambda: collect(parts), content_type, parts.samples.take)
    if negotiation.accepts_gzip(request.headers.get("accept-encoding", "")):
        headers["Content-Encoding"] = "gzip"
        return StreamingResponse(compressed(blocks), headers=headers)
    return StreamingResponse(plain(blocks), headers=headers)
