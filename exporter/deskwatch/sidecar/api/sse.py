"""Server-sent events: what is sent as `text/event-stream`."""

from __future__ import annotations

from collections.abc import AsyncIterator

from starlette.responses import StreamingResponse

RETRY = b"retry: 1000\n\n"
"""How long a browser waits, in milliseconds, before it connects again."""


def event(message: bytes) -> bytes:
    """A JSON message as an event's `data`. A carriage return between its members is only space, and would end it."""
    return b"data: " + message.replace(b"\r", b" ") + b"\n\n"


def respond(events: AsyncIterator[bytes]) -> StreamingResponse:
    """Answer with a stream of events."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(events, media_type="text/event-stream", headers=headers)
