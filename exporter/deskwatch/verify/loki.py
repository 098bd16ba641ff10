"""Reading Loki back: every entry of a stream selector within a time, in pages, however many share a timestamp.

API: `GET /loki/api/v1/query_range`; `start` is inclusive, `end` exclusive, times are nanoseconds since 1970.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import msgspec
import urllib3

from deskwatch.backoff import Backoff
from deskwatch.harmless import harmless
from deskwatch.verify.metrics import Unreachable

LIMIT = 5000
"""Entries in a page: what Loki allows unless it is told otherwise."""
MIN_LIMIT = 100
WINDOW_NS = 30 * 86400 * 10**9
"""Time that one query spans; Loki's own limit (`max_query_length`) is 721 h unless it is told otherwise."""
MIN_WINDOW_NS = 60 * 10**9
CONNECT_SECONDS = 5.0
READ_SECONDS = 120.0
TRY_SECONDS = 60.0
"""How long a Loki that fails is asked again."""
DEFAULT_HIDDEN_SECONDS = 3 * 3600.0
"""Loki's `query_ingesters_within` unless it is told otherwise."""
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0}
_DIGITS = "0123456789"
_NEITHER = '| seq="" | at=""'


class Entry(NamedTuple):
    """One entry that Loki holds: its time, its line, and its labels and structured metadata together."""

    ts: int
    line: str
    labels: Mapping[str, str]


class _Stream(msgspec.Struct, kw_only=True):
    stream: dict[str, str]
    values: list[list[str | dict[str, dict[str, str]]]]


class _Data(msgspec.Struct, kw_only=True):
    result: list[_Stream]


class _Answer(msgspec.Struct, kw_only=True):
    data: _Data


class Refused(Exception):
    """Loki refuses a query for what it asks (400); `words` are Loki's."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


_decoder = msgspec.json.Decoder(_Answer)


class Loki:
    """Reads from one Loki. Its limits are found out as they are met.

    Attributes:
        requests: Queries sent.
    """

    def __init__(self, url: str, headers: Mapping[str, str], pool: urllib3.PoolManager | None = None) -> None:
        self._base = url.rstrip("/")
        self._url = f"{self._base}/loki/api/v1/query_range"
        # Labels apart from structured metadata: smaller, and understood or passed over by every version.
        self._headers = {**headers, "X-Loki-Response-Encoding-Flags": "categorize-labels", "Accept-Encoding": "gzip"}
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
        self._pool = pool or urllib3.PoolManager(timeout=timeout, retries=False)
        self._limit = LIMIT
        self._window = WINDOW_NS
        self.requests = 0

    def entries(self, selector: str, start: int, end: int) -> Iterator[Entry]:
        """Every entry of a selector from `start` until before `end`, in order of time.

        Raises:
            Unreachable: Loki does not answer, or not with entries.
        """
        while start < end:
            until = min(start + self._window, end)
            try:
                page, is_full = self._page(selector, start, until)
            except Refused as refusal:
                self._yield_to(refusal)
                continue
            if not is_full:
                yield from page
                start = until
                continue
            last = page[-1].ts
            if page[0].ts == last:  # a page of one timestamp: is there more of it?
                yield from self._crowd(selector, last)
                start = last + 1
            else:  # the last timestamp may have more entries than fitted: all of it comes with the next page
                yield from (entry for entry in page if entry.ts < last)
                start = last

    def close(self) -> None:
        """Close the connection."""
        self._pool.clear()

    def _crowd(self, selector: str, ts: int, ending: str = "") -> Iterator[Entry]:
        """All entries of one timestamp that has more than a page holds, told apart by the last digits of their key."""
        for digit in _DIGITS:
            digits = digit + ending
            # Not `.*`: Loki (3.7) takes `.*1` for "has a 1", as it does in a line's filter.
            key = f"[0-9:]*{digits}"
            page, is_full = self._page(f'{selector} | seq=~"{key}" or at=~"{key}"', ts, ts + 1)
            if is_full:
                yield from self._of_key(f'{selector} | seq="{digits}" or at="{digits}"', ts)
                yield from self._crowd(selector, ts, digits)
            else:
                yield from (entry for entry in page if _key(entry).endswith(digits))
        if not ending:
            yield from self._of_key(f"{selector} {_NEITHER}", ts)
        else:  # what stands before these digits is no digit in a place such as `1:5`
            page = self._of_key(f'{selector} | at=~"[0-9]+:{ending}"', ts)
            yield from (entry for entry in page if _key(entry).endswith(f":{ending}"))

    def _of_key(self, selector: str, ts: int) -> list[Entry]:
        """The entries of one timestamp and one key, or of none: there can't be many.

        Raises:
            Unreachable: There are.
        """
        page, is_full = self._page(selector, ts, ts + 1)
        if is_full:
            raise Unreachable(
                f"expected entries of deskwatch, but Loki has {len(page):,} or more of {ts} ns that nothing tells "
                "apart; raise its max_entries_limit_per_query"
            )
        return page

    def hides_older_than(self) -> float:
        """Age in seconds beyond which Loki shows a line only once it is flushed; infinite where it shows all.

        A line is stored when its push is acknowledged, but a query of old times doesn't ask the ingesters, which hold
        it for up to two hours (`max_chunk_age`). How old: the ingester's `query_store_max_look_back_period`, which a
        Loki of one process sets to 2h41m, else the querier's `query_ingesters_within`; both are left out where they
        are 0. A Loki that does not show its configuration is taken for one with the defaults.
        """
        try:
            response = self._pool.request("GET", f"{self._base}/config", headers=self._headers, redirect=False)
        except urllib3.exceptions.HTTPError:
            return DEFAULT_HIDDEN_SECONDS
        if response.status != 200:
            return DEFAULT_HIDDEN_SECONDS
        text = response.data.decode(errors="replace")
        for name in ("query_store_max_look_back_period", "query_ingesters_within"):
            found = re.search(rf"^ *{name}: (\S+)$", text, re.MULTILINE)
            if found and not found[1].startswith("0"):
                return math.inf if found[1].startswith("-") else _go_seconds(found[1])
        return math.inf

    def _page(self, selector: str, start: int, end: int) -> tuple[list[Entry], bool]:
        """The first entries within a time, and whether there may be more.

        Raises:
            Refused: Loki will not answer this query.
            Unreachable: Loki does not answer at all, or not what it was asked.
        """
        limit = self._limit
        fields = {"query": selector, "start": str(start), "end": str(end), "limit": str(limit), "direction": "forward"}
        entries = [_entry(stream, value) for stream in self._ask(fields) for value in stream.values]
        entries.sort(key=lambda entry: entry.ts)
        if entries and not start <= entries[0].ts <= entries[-1].ts < end:  # paging would never come to its end
            odd = entries[0] if entries[0].ts < start else entries[-1]
            raise Unreachable(
                f"expected entries from {self._url} of {start} to before {end} ns as asked for, was one of {odd.ts}; "
                "is it a Loki?"
            )
        return entries, len(entries) >= limit

    def _ask(self, fields: dict[str, str]) -> list[_Stream]:
        """One query's streams, asked again while Loki has trouble."""
        backoff = Backoff()
        deadline = time.monotonic() + TRY_SECONDS
        while True:
            self.requests += 1
            try:
                response = self._pool.request("GET", self._url, fields=fields, headers=self._headers, redirect=False)
            except urllib3.exceptions.HTTPError as error:
                status, words, lasting = 0, str(error).rpartition(": ")[2], _is_lasting(error)
            else:
                status, words = response.status, response.data[:500].decode(errors="replace").strip()
                lasting = status < 500 and status != 429
            if status == 200:
                try:
                    return _decoder.decode(response.data).data.result
                except (msgspec.DecodeError, ValueError, RecursionError) as error:
                    raise Unreachable(f"expected streams from {self._url}, but: {harmless(str(error))}") from None
            if status == 400 or "larger than max" in words:
                raise Refused(words)
            if lasting or time.monotonic() >= deadline:
                raise Unreachable(
                    f"expected entries from {self._url}, was {status or 'no answer'}: {harmless(words)[:300]}; "
                    "check --loki-url, and its tenant and credentials"
                )
            time.sleep(backoff.next_seconds())

    def _yield_to(self, refusal: Refused) -> None:
        """Ask for less, if it is that what Loki refuses.

        Raises:
            Unreachable: It is something else.
        """
        words = refusal.words
        if "max entries limit" in words or "larger than max" in words:
            found = re.search(r"> (\d+)", words)
            smaller = int(found[1]) if found else self._limit // 2
            if MIN_LIMIT <= smaller < self._limit:
                self._limit = smaller
                return
        elif "time range exceeds" in words or "query length" in words:
            self._window //= 2
            if self._window >= MIN_WINDOW_NS:
                return
        raise Unreachable(f"expected entries from {self._url}, but Loki refuses: {harmless(words)[:300]}")


def _is_lasting(error: urllib3.exceptions.HTTPError) -> bool:
    """Whether asking again is of no use: nobody listens there, or the name is unknown."""
    return isinstance(error, urllib3.exceptions.NewConnectionError | urllib3.exceptions.LocationValueError)


def _entry(stream: _Stream, value: list[str | dict[str, dict[str, str]]]) -> Entry:
    try:
        ts, line, *more = value
        return Entry(int(_text(ts)), _text(line), _labels(stream.stream, more))
    except ValueError:  # too few members, or a time that is no number
        raise Unreachable(
            f"expected a time and a line from Loki, was {harmless(str(value))[:100]}; is it a Loki?"
        ) from None


def _text(value: str | dict[str, dict[str, str]]) -> str:
    if not isinstance(value, str):
        raise Unreachable(f"expected streams from Loki, but a time or a line is {type(value).__name__}; is it a Loki?")
    return value


def _go_seconds(text: str) -> float:
    """Seconds of a duration as Go prints it: `2h41m0s`."""
    return sum(float(number) * _SECONDS[unit] for number, unit in re.findall(r"(\d+(?:\.\d+)?)([hms])(?!s)", text))


def _key(entry: Entry) -> str:
    return entry.labels.get("seq") or entry.labels.get("at", "")


def _labels(stream: dict[str, str], more: list[str | dict[str, dict[str, str]]]) -> Mapping[str, str]:
    """Labels and structured metadata: apart in the answer of a Loki that was asked to, else merged already."""
    if more and isinstance(more[0], dict):
        return {**stream, **more[0].get("structuredMetadata", {})}
    return stream


def selector(bot: str, lane: str) -> str:
    """The streams of one bot's lane."""
    return f'{{service_name="deskwatch", bot="{bot}", lane="{lane}"}}'
