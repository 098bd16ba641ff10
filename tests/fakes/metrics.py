"""A sidecar's `/metrics` for tests that decide what it says."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from deskwatch import exposition
from deskwatch.journal import Follower, Position
from deskwatch.projections import Projections
from deskwatch.projections.metrics import Gauge, readings


class FakeMetrics:
    """What is answered.

    Attributes:
        text: The body; `answers` come before it, each once, as status and body.
        authorizations: The header of each request.
    """

    def __init__(self) -> None:
        self.text = ""
        self.answers: deque[tuple[int, str]] = deque()
        self.authorizations: list[str | None] = []
        self.url = ""


@contextmanager
def running() -> Iterator[FakeMetrics]:
    """A server on a loopback port."""
    fake = FakeMetrics()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            fake.authorizations.append(self.headers["Authorization"])
            status, text = fake.answers.popleft() if fake.answers else (200, fake.text)
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def of_journals(home: Path, *, followed: bool) -> str:
    """What a sidecar that has followed all journals would say; with `followed`, how far that is."""
    projections = Projections()
    follower = Follower(home).open()
    follower.discover()
    positions: dict[tuple[str, str], Position] = {}
    try:
        while batches := list(follower.read()):
            for batch in batches:
                projections.apply_batch(batch)
                positions[batch.bot, batch.writer] = batch.position
    finally:
        follower.close()
    segment = Gauge("deskwatch_followed_segment", "Segment.", ("bot", "writer"))
    offset = Gauge("deskwatch_followed_offset_bytes", "Offset.", ("bot", "writer"))
    for key, at in positions.items():
        segment.set(key, at.segment)
        offset.set(key, at.offset)
    own = [segment, offset] if followed else []
    return exposition.render(readings([*projections.metrics.current(), *own], time.time())).decode()
