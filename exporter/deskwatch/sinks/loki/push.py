"""One request to Loki's push API, and what its answer means.

Format: `POST /loki/api/v1/push`, JSON, gzip. Only 204 says that Loki has the entries; any other 2xx does not (260 is
Loki's word for "blocked").
"""

from __future__ import annotations

import gzip
from collections import defaultdict
from typing import Literal

import msgspec
import urllib3

from deskwatch.sinks.loki.entries import Entry, Stream, labels

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
_POISON = frozenset({400, 413, 422})
_encoder = msgspec.json.Encoder()


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a push.

    Attributes:
        outcome: `stored`; `refused`: this very content will never be taken; `later`: try again.
        reason: The status or the error's name; a label, so few different ones.
        detail: The server's words, cut.
        retry_after: Seconds that the server asked to wait, 0 where it did not.
    """

    outcome: Literal["stored", "refused", "later"]
    reason: str
    detail: str = ""
    retry_after: float = 0.0


class Push:
    """A connection to one Loki."""

    def __init__(self, url: str, tenant: str | None = None) -> None:
        self._url = url.rstrip("/") + "/loki/api/v1/push"
        self._headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        if tenant is not None:
            self._headers["X-Scope-OrgID"] = tenant
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
        self._pool = urllib3.PoolManager(maxsize=1, timeout=timeout, retries=False)

    def send(self, entries: list[Entry]) -> Answer:
        """Push entries, in their order within each stream. Never raises for trouble with the server."""
        try:
            response = self._pool.request(
                "POST", self._url, body=encode(entries), headers=self._headers, redirect=False
            )
        except urllib3.exceptions.HTTPError as error:
            return Answer(outcome="later", reason=type(error).__name__, detail=str(error)[:300])
        detail = response.data[:500].decode(errors="replace")
        if response.status == 204:
            return Answer(outcome="stored", reason="204")
        outcome: Literal["refused", "later"] = "refused" if response.status in _POISON else "later"
        return Answer(
            outcome=outcome,
            reason=str(response.status),
            detail=detail,
            retry_after=_seconds(response.headers.get("Retry-After")),
        )

    def close(self) -> None:
        """Close the connection."""
        self._pool.clear()


def encode(entries: list[Entry]) -> bytes:
    """The gzipped body of a push."""
    streams: dict[Stream, list[tuple[str, str, dict[str, str]]]] = defaultdict(list)
    for entry in entries:
        streams[entry.stream].append((str(entry.ts), entry.line, entry.metadata))
    body = {"streams": [{"stream": labels(stream), "values": values} for stream, values in streams.items()]}
    return gzip.compress(_encoder.encode(body), compresslevel=1, mtime=0)


def _seconds(retry_after: str | None) -> float:
    try:
        return max(0.0, float(retry_after or 0))
    except ValueError:
        return 0.0  # a date: the backoff's own bound is as good
