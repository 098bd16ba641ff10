"""A Loki for machines without one: its push API as documented, in memory.

What it keeps to (Loki's defaults, each settable): JSON with gzip; timestamps are strings of nanoseconds, metadata is
flat text; an entry older than seven days, or more than ten minutes ahead, or longer than 256 KiB is refused; so is one
more than an hour older than the newest of its stream, also where the stream has it already; the sound ones of a refused
request are stored (400); an entry like one that is stored (same time, line and metadata) is dropped without a word; a
body that is too large stores nothing (413); 204 is the only yes. Answers carry the `Date` of its clock.
"""

from __future__ import annotations

import contextlib
import gzip
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import msgspec

from tests.fakes import http_server, loki_query

HOUR_NS = 3600 * 10**9
DAY_NS = 24 * HOUR_NS
Key = tuple[tuple[str, str], ...]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One scripted answer.

    Attributes:
        status: HTTP status; 204 stores as usual, and answers 400 where it must. 0: hang up without an answer.
        headers: Sent with it.
        words: The body.
        stores: Store the push, whatever the status says.
        seconds: Wait before answering (after storing).
        is_cut: Announce a longer body than is sent, then hang up.
        of_many: For a push of several entries only; one alone is answered as it deserves.
    """

    status: int = 204
    headers: dict[str, str] = {}
    words: str = ""
    stores: bool = False
    seconds: float = 0.0
    is_cut: bool = False
    of_many: bool = False

    @classmethod
    def of(cls, short: Answer | int) -> Answer:
        """A status alone; 0 hangs up, and a negative one stores, then hangs up."""
        if isinstance(short, Answer):
            return short
        return cls(status=max(short, 0), stores=short < 0)


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """An entry as it is stored."""

    labels: dict[str, str]
    ts: int
    line: str
    metadata: dict[str, str]


class Stream:
    """One stream: what it holds, and the newest time of it."""

    def __init__(self) -> None:
        self.entries: list[tuple[int, str, dict[str, str]]] = []
        self.newest = 0


class FakeLoki:
    """What was stored, and what to answer next.

    Attributes:
        answers: What to answer the next pushes with, before going back to 204.
        down: Answer 503 to all pushes without a scripted answer.
        pushes: Requests received.
        repeats: Entries that were there already.
        refusals: Entries refused, by reason: `old`, `new`, `behind`, `line`.
        on_stored: Called after a push was stored, before it is answered.
        clock: Its time, ns.
    """

    def __init__(self) -> None:
        self.streams: dict[Key, Stream] = {}
        self.answers: deque[Answer | int] = deque()
        self.pushes = 0
        self.repeats = 0
        self.refusals: Counter[str] = Counter()
        self.down = False
        self.url = ""
        self.clock: Callable[[], int] = time.time_ns
        self.on_stored: Callable[[], None] = lambda: None
        self.max_age_ns = 7 * DAY_NS
        self.future_ns = HOUR_NS // 6
        self.order_ns = HOUR_NS
        self.max_line_bytes = 256 * 1024
        self.max_body_bytes = 100 * 1024 * 1024
        self.authorization: str | None = None
        """The header that is asked for; None for anyone."""
        self.lock = threading.Lock()
        self.closing = threading.Event()
        self._known: set[tuple[Any, ...]] = set()

    def stored(self, **labels: str) -> list[Stored]:
        """All entries of the streams with these labels."""
        with self.lock:
            return [
                Stored(labels=dict(key), ts=ts, line=line, metadata=metadata)
                for key, stream in self.streams.items()
                if labels.items() <= dict(key).items()
                for ts, line, metadata in stream.entries
            ]

    def entries(self, **labels: str) -> list[tuple[int, str]]:
        """Time and line of all entries of the streams with these labels."""
        return [(one.ts, one.line) for one in self.stored(**labels)]

    def answer(self, body: bytes, authorization: str | None) -> Answer:
        """What to answer a request with, after storing what it brought."""
        with self.lock:
            self.pushes += 1
            script = Answer.of(self.answers.popleft() if self.answers else 503 if self.down else 204)
            if self.authorization is not None and authorization != self.authorization:
                return Answer(status=401, words="no")
            if len(body) > self.max_body_bytes:
                return Answer(status=413, words="request body too large")
            if script.of_many and gzip.decompress(body).count(b'"writer":') == 1:
                script = Answer()
            if script.status != 204 and not script.stores:
                return script
            status, words = self._push(body)
        self.on_stored()
        return script if script.status != 204 else msgspec.structs.replace(script, status=status, words=words)

    def _push(self, body: bytes) -> tuple[int, str]:
        try:
            streams = msgspec.json.decode(gzip.decompress(body))["streams"]
        except (msgspec.DecodeError, UnicodeDecodeError, OSError, KeyError) as error:
            return 400, str(error)
        if not streams:
            return 422, "at least one valid stream is required for ingestion"
        if not all(map(_is_sound, (values for stream in streams for values in stream["values"]))):
            return 400, "expected timestamps, lines and flat metadata to be strings"
        faults: list[str] = []
        for stream in streams:
            key = tuple(sorted(stream["stream"].items()))
            if not key or len(key) > 15:
                return 400, "stream labels missing or too many"
            one = self.streams.setdefault(key, Stream())
            for ts, line, *metadata in stream["values"]:
                fault = self._take(key, one, (int(ts), line, metadata[0] if metadata else {}))
                if fault:
                    faults.append(fault)
        return (400, "; ".join(faults)) if faults else (204, "")

    def _take(self, key: Key, stream: Stream, entry: tuple[int, str, dict[str, str]]) -> str:
        """Store one entry; what is wrong with it, in Loki's words."""
        ts, line, metadata = entry
        now = self.clock()
        name = "{" + ", ".join(f'{label}="{value}"' for label, value in key) + "}"
        oldest = now - self.max_age_ns
        if ts < oldest:
            self.refusals["old"] += 1
            return (
                f"entry for stream '{name}' has timestamp too old: {_time(ts)}, "
                f"oldest acceptable timestamp is: {_time(oldest)}"
            )
        if ts > now + self.future_ns:
            self.refusals["new"] += 1
            return f"entry for stream '{name}' has timestamp too new: {_time(ts)}"
        if len(line) > self.max_line_bytes:
            self.refusals["line"] += 1
            return f"max entry size '{self.max_line_bytes}' bytes exceeded for stream '{name}'"
        if stream.entries and stream.entries[-1] == entry:
            self.repeats += 1
            return ""
        if ts < stream.newest - self.order_ns:
            self.refusals["behind"] += 1
            return (
                f"entry with timestamp {_time(ts)} ignored, reason: 'entry too far behind, entry timestamp is: "
                f"{_time(ts)}, oldest acceptable timestamp is: {_time(stream.newest - self.order_ns)}'"
            )
        stream.newest = max(stream.newest, ts)
        whole = (key, ts, line, tuple(sorted(metadata.items())))
        if whole in self._known:
            self.repeats += 1
        else:
            self._known.add(whole)
            stream.entries.append(entry)
        return ""


def _is_sound(values: list[Any]) -> bool:
    if not 2 <= len(values) <= 3 or not all(isinstance(one, str) for one in values[:2]):
        return False
    metadata = values[2] if len(values) == 3 else {}
    return isinstance(metadata, dict) and all(isinstance(one, str) for one in metadata.values())


def _time(ts: int) -> str:
    return datetime.fromtimestamp(ts // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@contextlib.contextmanager
def running(certificate: tuple[Path, Path] | None = None, port: int = 0) -> Iterator[FakeLoki]:
    """A fake Loki on a loopback port; over TLS with a certificate and its key."""
    loki = FakeLoki()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            with contextlib.suppress(OSError):  # the client may be gone
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.reply(loki.answer(body, self.headers.get("Authorization")))

        def reply(self, answer: Answer) -> None:
            loki.closing.wait(answer.seconds)
            if answer.status == 0:
                self.close_connection = True
                return
            self.send_response(answer.status)
            words = answer.words.encode()
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if answer.status != 204:
                self.send_header("Content-Length", str(len(words) + 1000 * answer.is_cut))
            self.end_headers()
            self.wfile.write(words)
            self.close_connection = self.close_connection or answer.is_cut

        def date_time_string(self, timestamp: float | None = None) -> str:
            return formatdate(loki.clock() / 1e9, usegmt=True)

        def do_GET(self) -> None:
            with loki.lock:
                status, words = loki_query.answer(loki.streams, self.path, dict(self.headers))
            self.send_response(status)
            self.send_header("Content-Length", str(len(words.encode())))
            self.end_headers()
            self.wfile.write(words.encode())

        def log_message(self, *_: object) -> None:
            pass

    with http_server.serving(Handler, port, certificate, loki.closing) as loki.url:
        yield loki
