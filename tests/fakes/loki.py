"""A Loki for machines without one: its push API as documented, in memory.

What it keeps to: JSON with gzip; timestamps are strings of nanoseconds; a stream takes entries up to one hour older
than its newest (else 400, the sound ones of the request stored); an entry like the last or one in the head block (same
time, line and metadata) is dropped without a word; 204 is the only yes.
"""

from __future__ import annotations

import gzip
import json
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.fakes import loki_query

HOUR_NS = 3600 * 10**9
MAX_LINE_BYTES = 256 * 1024
Entry = tuple[int, str, tuple[tuple[str, str], ...]]


class FakeLoki:
    """What was stored, and what to answer next.

    Attributes:
        answers: Statuses to answer the next pushes with, before going back to 204; 0 hangs up without an answer, and
            a negative one stores, then hangs up.
        pushes: Requests received.
    """

    def __init__(self) -> None:
        self.streams: dict[tuple[tuple[str, str], ...], list[Entry]] = {}
        self.answers: deque[int] = deque()
        self.pushes = 0
        self.repeats = 0
        self.down = False
        self.url = ""
        self._lock = threading.Lock()
        self._known: set[tuple[Any, ...]] = set()

    def entries(self, **labels: str) -> list[tuple[int, str]]:
        """Time and line of all entries of the streams with these labels."""
        with self._lock:
            return [
                (ts, line)
                for stream, stored in self.streams.items()
                if labels.items() <= dict(stream).items()
                for ts, line, _ in stored
            ]

    def push(self, body: bytes) -> tuple[int, str]:
        """Store a push; the status and its words."""
        faults: list[str] = []
        for stream in json.loads(gzip.decompress(body))["streams"]:
            key = tuple(sorted(stream["stream"].items()))
            if not key or len(key) > 15:
                return 400, "stream labels missing or too many"
            stored = self.streams.setdefault(key, [])
            for ts, line, *metadata in stream["values"]:
                if not isinstance(ts, str) or not isinstance(line, str):
                    return 400, "expected a string"
                newest = max((entry[0] for entry in stored[-1000:]), default=0)
                if int(ts) < newest - HOUR_NS:
                    faults.append("entry too far behind")
                elif len(line) > MAX_LINE_BYTES:
                    faults.append("max entry size exceeded")
                else:
                    fields = metadata[0] if metadata else {}
                    self._store(key, stored, (int(ts), line, tuple(sorted(fields.items()))))
        return (400, "; ".join(faults)) if faults else (204, "")

    def _store(self, key: tuple[tuple[str, str], ...], stored: list[Entry], entry: Entry) -> None:
        if (key, entry) in self._known:
            self.repeats += 1
            return
        self._known.add((key, entry))
        stored.append(entry)


@contextmanager
def running() -> Iterator[FakeLoki]:
    """A fake Loki on a loopback port."""
    loki = FakeLoki()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with loki._lock:
                loki.pushes += 1
                status = loki.answers.popleft() if loki.answers else 503 if loki.down else 204
                words = ""
                if status == 204:
                    status, words = loki.push(body)
                elif status < 0:
                    loki.push(body)
            if status <= 0:
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Length", str(len(words)))
            self.end_headers()
            self.wfile.write(words.encode())

        def do_GET(self) -> None:
            with loki._lock:
                status, words = loki_query.answer(loki.streams, self.path, dict(self.headers))
            self.send_response(status)
            self.send_header("Content-Length", str(len(words.encode())))
            self.end_headers()
            self.wfile.write(words.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    loki.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield loki
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
