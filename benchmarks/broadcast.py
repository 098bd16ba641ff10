"""What people write who need a live page: FastAPI, a list of sockets, a loop. The baseline of `benchmarks.stream`.

It gets the bot's events, a JSON line each, on stdin, so that it is spared the journal, the folding and the state.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

sockets: set[WebSocket] = set()


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Broadcast as long as the app runs."""
    task = asyncio.create_task(broadcast())
    yield
    task.cancel()


app = FastAPI(lifespan=lifespan)


async def broadcast() -> None:
    """Send each event to each socket."""
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        event = json.loads(line)
        for socket in list(sockets):
            try:
                await socket.send_text(json.dumps(event, separators=(",", ":")))
            except (RuntimeError, WebSocketDisconnect):
                sockets.discard(socket)


@app.get("/healthz")
async def healthz() -> dict[str, int]:
    """It runs."""
    return {"clients": len(sockets)}


@app.websocket("/stream")
async def stream(socket: WebSocket) -> None:
    """A client."""
    await socket.accept()
    sockets.add(socket)
    try:
        while True:
            await socket.receive_text()
    except WebSocketDisconnect:
        sockets.discard(socket)


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
