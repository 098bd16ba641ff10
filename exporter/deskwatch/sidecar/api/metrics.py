"""`GET /metrics`: Prometheus text or OpenMetrics by Accept, compressed where the scraper takes it.

A scrape is a picture of one moment, taken in one go, with samples taken just before. It is then written in slices
between which the event loop does its other work, however many series there are, and compressed in a thread.
"""

from __future__ import annotations

import asyncio
import gzip
from http import HTTPStatus

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from deskwatch import negotiation
from deskwatch.sidecar.own_metrics import collect
from deskwatch.sidecar.parts import Wired, may_read
from deskwatch.sidecar.problems import Problem

GZIP_LEVEL = 1
"""Nine tenths of the gain for a third of the time."""

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
    body = await parts.scraping.scrape(parts.samples.take, lambda: collect(parts), content_type)
    if negotiation.accepts_gzip(request.headers.get("accept-encoding", "")):
        body = await asyncio.to_thread(gzip.compress, body, GZIP_LEVEL, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return Response(body, headers=headers)
