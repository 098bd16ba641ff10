"""Server-sent events: framing of messages as `text/event-stream`."""

from __future__ import annotations

from collections.abc import AsyncIterator

from starlette.responses import StreamingResponse


def respond(messages: AsyncIterator[bytes]) -> StreamingResponse:
    """Answer with a stream of JSON messages, each an event's `data`. JSON holds no raw newline."""

    async def framed() -> AsyncIterator[bytes]:
        async for message in messages:
            yield b"data: " + message + b"\n\n"

    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(framed(), media_type="text/event-stream", headers=headers)
