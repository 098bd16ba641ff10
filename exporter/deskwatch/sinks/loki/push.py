"""One request to Loki's push API, and what its answer means.

Format: `POST /loki/api/v1/push`, JSON, gzip. Only 204 says that Loki has the entries; any other 2xx does not (260 is
Loki's word for "blocked").
"""

from __future__ import annotations

import ssl
import threading
import zlib
from collections import defaultdict

import msgspec
import urllib3

from deskwatch.errors import ConfigError
from deskwatch.sinks.answer import Answer
from deskwatch.sinks.loki.access import Access, Credentials
from deskwatch.sinks.loki.clock import LokiClock, date_ns
from deskwatch.sinks.loki.entries import Entry, Stream, labels

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
MAX_ANSWER_BYTES = 8 * 1024
"""Of an answer's words no more is read: they name entries, and a time or two."""
_POISON = frozenset({400, 413, 422})
_GZIP = 16 + zlib.MAX_WBITS
_encoder = msgspec.json.Encoder()


class Push:
    """Connections to one Loki. Safe from several threads.

    Attributes:
        clock: Loki's clock, as its answers tell it.
    """

    def __init__(
        self,
        url: str,
        tenant: str | None = None,
        *,
        access: Access | None = None,
        connect_seconds: float = CONNECT_SECONDS,
        read_seconds: float = READ_SECONDS,
    ) -> None:
        self.clock = LokiClock()
        self._url = url.rstrip("/") + "/loki/api/v1/push"
        self._credentials = Credentials(access or Access(tenant=tenant))
        self._timeout = urllib3.Timeout(connect=connect_seconds, read=read_seconds)
        self._tls: ssl.SSLContext | None = None
        self._lock = threading.Lock()
        self._pool = self._connect()

    def send(self, entries: list[Entry]) -> Answer:
        """Push entries, in their order within each stream. Never raises for trouble with the server."""
        try:
            headers = self._ready()
        except ConfigError as error:
            return Answer(outcome="later", reason="credentials", detail=str(error))
        headers |= {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        try:
            response = self._pool.request(
                "POST", self._url, body=encode(entries), headers=headers, redirect=False, preload_content=False
            )
        except (urllib3.exceptions.HTTPError, OSError) as error:
            return Answer(outcome="later", reason=type(error).__name__, detail=str(error)[:300])
        try:
            return self._judge(response)
        finally:
            if response.length_remaining == 0:
                response.release_conn()
            else:
                response.close()

    def close(self) -> None:
        """Close the connection."""
        self._pool.clear()

    def _connect(self) -> urllib3.PoolManager:
        return urllib3.PoolManager(maxsize=2, timeout=self._timeout, retries=False, ssl_context=self._tls)

    def _ready(self) -> dict[str, str]:
        """The headers of now; a CA file that changed takes a new connection."""
        with self._lock:
            tls = self._credentials.tls()
            if tls is not self._tls:
                self._pool.clear()
                self._tls = tls
                self._pool = self._connect()
            return self._credentials.headers()

    def _judge(self, response: urllib3.BaseHTTPResponse) -> Answer:
        date = response.headers.get("Date")
        self.clock.tell(date)
        if response.status == 204:
            return Answer(outcome="stored", reason="204")
        try:
            detail = response.read(MAX_ANSWER_BYTES, decode_content=False).decode(errors="replace")
        except (urllib3.exceptions.HTTPError, OSError) as error:  # cut off: the status stands all the same
            detail = f"({type(error).__name__})"
        return Answer(
            outcome="refused" if response.status in _POISON else "later",
            reason=str(response.status),
            detail=detail,
            retry_after=_seconds(response.headers.get("Retry-After"), self.clock),
        )


def encode(entries: list[Entry]) -> bytes:
    """The gzipped body of a push. What it costs beside protobuf: docs/decisions/0006-json-gzip-to-loki.md."""
    streams: dict[Stream, list[tuple[str, str, dict[str, str]]]] = defaultdict(list)
    for entry in entries:
        streams[entry.stream].append((str(entry.ts), entry.line, entry.metadata))
    body = {"streams": [{"stream": labels(stream), "values": values} for stream, values in streams.items()]}
    return zlib.compress(_encoder.encode(body), 1, _GZIP)


def _seconds(retry_after: str | None, clock: LokiClock) -> float:
    """`Retry-After` in seconds: it is a number of them, or a date."""
    try:
        return max(0.0, float(retry_after or 0))
    except ValueError:
        until = date_ns(retry_after)
        return 0.0 if until is None else max(0.0, (until - clock.now_ns()) / 1e9)
