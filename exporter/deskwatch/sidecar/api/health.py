"""`GET /healthz` and `/readyz`: alive, and ready. Open to all, as they tell nothing of the bots."""

from __future__ import annotations

import os
from http import HTTPStatus

from fastapi import APIRouter
from starlette.responses import Response

from deskwatch.journal.names import journal_root
from deskwatch.sidecar.parts import Wired, as_json

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def healthz() -> Response:
    """Answers while the sidecar's event loop runs."""
    return as_json({"status": "alive"})


@router.get("/readyz")
async def readyz(parts: Wired) -> Response:
    """200 when the journals can be read, the checkpoint can be written and the feed has caught up; else 503."""
    home = parts.settings.home
    checks = {
        "journals_readable": os.access(journal_root(home), os.R_OK | os.X_OK) and parts.feed.is_following,
        "checkpoint_writable": os.access(home, os.W_OK | os.X_OK),
        "caught_up": parts.feed.caught_up.is_set(),
    }
    ready = all(checks.values())
    status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
    return as_json({"status": "ready" if ready else "not ready", "checks": checks}, status)
