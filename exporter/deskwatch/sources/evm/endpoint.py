"""One endpoint: questions over HTTP, in batches as long as it takes them, and how it fares."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx

from deskwatch.backoff import Backoff
from deskwatch.scrub import REDACTED
from deskwatch.sources.evm.errors import EndpointFault, Garbled
from deskwatch.sources.evm.question import Answer, Question, answers, decode, encode, is_refusal
from deskwatch.sources.evm.wire import words
from deskwatch.sources.health import Health
from deskwatch.sources.pace import Pace

MAX_ANSWER_BYTES = 64 * 2**20
"""Longer answers are not read to their end: a full block of the busiest chains has some MB."""
REFUSALS = frozenset({400, 405, 413, 414, 422})
"""HTTP statuses by which nodes refuse a batch as such."""
BATCH_AGAIN_SECONDS = 600.0
"""Batches are tried longer again after so long: what refused them may have been a proxy's or a node's bad moment."""
_HEADERS = {"Content-Type": "application/json"}
_WORD = re.compile(r"[A-Za-z0-9_-]{8,}")
WELL_SECONDS = 60.0
"""An endpoint that served for so long starts anew with the first pause when it fails."""


class Endpoint:
    """A URL, and what is known of the node behind it.

    Attributes:
        name: Host and port, without what may hold a key: the connection's `venue`.
        batch_calls: Most calls in a batch: as configured, or fewer for a while where it refused that many.
        chain_id: Its chain, once it said so since it was last down.
        fault: Why it is not asked now; None where it may be.
        latency_seconds: How long its last answer took; None before the first.
    """

    def __init__(
        self,
        url: str,
        name: str,
        client: httpx.AsyncClient,
        *,
        requests: Pace,
        calls: Pace,
        health: Health,
        batch_calls: int,
        timeout_seconds: float,
    ) -> None:
        self.name = name
        self.batch_calls = self._most_calls = batch_calls
        self._refused_at = 0.0
        self.chain_id: int | None = None
        self.fault: EndpointFault | None = None
        self.latency_seconds: float | None = None
        self._url = url
        self._client = client
        self._requests, self._calls = requests, calls
        self._timeout_seconds = timeout_seconds
        self._health = health
        self._backoff = Backoff()
        self._well_since = time.monotonic()
        self._free_from = 0.0

    # What it is asked

    async def ask(self, questions: Sequence[Question], *, urgent: bool = False) -> list[Answer]:
        """The answers, in the order of the questions: a result or an `RpcError` each.

        Args:
            questions: In batches as long as it takes them.
            urgent: Whether a person waits: those asked later wait instead.

        Raises:
            EndpointFault: It did not answer well.
        """
        found: list[Answer] = []
        if self.batch_calls < self._most_calls and time.monotonic() - self._refused_at >= BATCH_AGAIN_SECONDS:
            self.batch_calls = self._most_calls
        while len(found) < len(questions):
            part = questions[len(found) : len(found) + self.batch_calls]
            for _ in part:
                await self._calls.turn(urgent=urgent)
            await self._requests.turn(urgent=urgent)
            status, retry_seconds, body = await self._post(encode(part))
            if len(part) > 1 and _refuses_batch(status, body):
                self.batch_calls, self._refused_at = max(1, len(part) // 2), time.monotonic()
                continue
            self._judge(status, retry_seconds, body)
            found += answers(decode(body, self._without_key), len(part), self._without_key)
        return found

    async def _post(self, body: bytes) -> tuple[int, float, bytes]:
        """Status, `Retry-After` in seconds, and body. A connection that was closed while idle is opened again."""
        self._health.asked()
        began = time.monotonic()
        try:
            async with asyncio.timeout(self._timeout_seconds):
                try:
                    found = await self._exchange(body)
                except (httpx.NetworkError, httpx.RemoteProtocolError):
                    found = await self._exchange(body)
        except (TimeoutError, httpx.TimeoutException):
            raise EndpointFault("timeout", f"no answer within {self._timeout_seconds:g} s") from None
        except httpx.DecodingError:
            raise Garbled("expected a body that is packed as its headers say, was another") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise EndpointFault("connect", words(self._without_key(str(error) or type(error).__name__))) from None
        self.latency_seconds = time.monotonic() - began
        return found

    async def _exchange(self, body: bytes) -> tuple[int, float, bytes]:
        found = bytearray()
        async with self._client.stream("POST", self._url, content=body, headers=_HEADERS) as response:
            async for chunk in response.aiter_bytes():
                found += chunk
                if len(found) > MAX_ANSWER_BYTES:
                    raise Garbled(f"expected at most {MAX_ANSWER_BYTES} bytes, was more")
        return response.status_code, _seconds(response.headers.get("Retry-After")), bytes(found)

    def _judge(self, status: int, retry_seconds: float, body: bytes) -> None:
        if status == 200:
            return
        said = words(self._without_key(body.decode(errors="replace")), 100)
        if status == 429:
            raise EndpointFault("rate_limited", f"asked too often (HTTP 429): {said}", retry_seconds)
        if status in (401, 403):
            raise EndpointFault("refused", f"it wants another key, or none from here (HTTP {status}): {said}")
        if 400 <= status < 500 and isinstance(_json_or_none(body), dict):
            return  # some nodes give a method's error a status too
        raise EndpointFault(f"http_{status}", f"expected HTTP 200, was {status}: {said}", retry_seconds)

    def _without_key(self, text: str) -> str:
        return without_key(text, self._url)

    # How it fares

    def may_be_asked(self) -> bool:
        """Whether it has no fault, or one long enough ago for another try."""
        return self.fault is None or time.monotonic() >= self._free_from

    @property
    def retry_seconds(self) -> float:
        """Until it may be asked again."""
        return max(0.0, self._free_from - time.monotonic()) if self.fault is not None else 0.0

    def failed(self, fault: EndpointFault, at_least_seconds: float = 0.0) -> None:
        """Leave it alone for a while: longer from time to time, and as long as it asked for."""
        now = time.monotonic()
        if self.fault is None and now - self._well_since >= WELL_SECONDS:
            self._backoff.reset()
        self.fault = fault
        self.chain_id = None  # another node may answer there next time
        self.rest_until(now + self._backoff.next_seconds(max(fault.retry_seconds, at_least_seconds)))

    def rest_until(self, moment: float) -> None:
        """Leave it alone until then, as `time.monotonic` has it."""
        self._free_from = moment

    def served(self) -> None:
        """It answered well."""
        if self.fault is not None:
            self.fault = None
            self._well_since = time.monotonic()


def names_of(urls: Sequence[str]) -> list[str]:
    """A name for each: its host and port, and a number where two share them."""
    names: list[str] = []
    for url in urls:
        parts = urlsplit(url)
        host = (parts.hostname or "endpoint") + (f":{parts.port}" if parts.port else "")
        times = sum(name == host or name.startswith(f"{host}#") for name in names)
        names.append(f"{host}#{times + 1}" if times else host)
    return names


def without_key(text: str, url: str) -> str:
    """A text without what a URL may hold in secret: servers like to repeat it. To be cut after this, not before."""
    for secret in _WORD.findall(url.partition("://")[2].partition("/")[2]):
        text = text.replace(secret, REDACTED)
    return text


def _refuses_batch(status: int, body: bytes) -> bool:
    told = _json_or_none(body)
    return is_refusal(told) if isinstance(told, dict) and status < 500 else status in REFUSALS


def _json_or_none(body: bytes) -> Any:  # Any: a node may write any JSON
    try:
        return decode(body)
    except Garbled:
        return None


def _seconds(header: str | None) -> float:
    """`Retry-After` in seconds; its other form, a date, is rare enough to be left to our own pauses."""
    try:
        return max(0.0, min(float(header or 0), 3600.0))
    except ValueError:
        return 0.0
