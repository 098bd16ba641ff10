"""Asking freqtrade over its REST API: in the settings' pace, in bounded time, and for answers of bounded size."""

from __future__ import annotations

import asyncio
import email.utils
import logging
import socket
import ssl
import time
from typing import Any, Self

import httpx

from deskwatch.sources.freqtrade.answer import Answer, value_of
from deskwatch.sources.freqtrade.errors import FreqtradeError, Refused, Unauthorized, Unreachable
from deskwatch.sources.freqtrade.login import Login
from deskwatch.sources.freqtrade.settings import Settings
from deskwatch.sources.health import Health
from deskwatch.sources.pace import Pace

MAX_BYTES = 16 * 1024 * 1024
"""Of an answer. 500 trades with ten orders each are about 5 MB."""
KEEP_SECONDS = 4.0
"""A connection that was idle for longer is not used again: uvicorn, freqtrade's server, closes it after 5 s."""
Params = str | int | float | bool
"""What a query's parameter may be."""


class Client:
    """Of one freqtrade. An async context manager; everything else within it.

    What is asked, answered and not answered is told to `health`; `reachable` is set while the last request was
    answered, whatever the answer was.

    Attributes:
        settings: Where it is, and how it is asked.
        reachable: Set while it answers and lets deskwatch in.
        ahead_seconds: How far its clock is ahead of ours, by its last answer's date, to the second; None before that.
    """

    def __init__(self, settings: Settings, health: Health) -> None:
        self.settings = settings
        self.reachable = asyncio.Event()
        self.ahead_seconds: float | None = None
        self._health = health
        self._pace = Pace(settings.requests_per_second)
        self._login = Login(settings, self._post_login)
        self._http: httpx.AsyncClient | None = None
        self._not_before = 0.0

    async def __aenter__(self) -> Self:
        """Make ready to ask; nothing is asked yet.

        Raises:
            Unreachable: `ca_file` can't be used.
        """
        limits = httpx.Limits(max_connections=8, keepalive_expiry=KEEP_SECONDS)
        logging.getLogger("httpx").setLevel(logging.WARNING)  # it tells each request at INFO
        self._http = httpx.AsyncClient(  # no proxy and no password from the environment: the URL says whom to ask
            verify=self.tls() or True,
            trust_env=False,
            limits=limits,
            timeout=self.settings.timeout_seconds,
            headers={"accept": "application/json", "accept-encoding": "identity", "user-agent": "deskwatch"},
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._http is not None:
            await self._http.aclose()

    def tls(self) -> ssl.SSLContext | None:
        """Whom to trust; None without TLS.

        Raises:
            Unreachable: `ca_file` can't be used.
        """
        if not self.settings.is_tls:
            return None
        try:
            return ssl.create_default_context(cafile=self.settings.ca_file)
        except OSError as error:  # ssl's errors are among them
            raise Unreachable("tls", f"expected certificates in {self.settings.ca_file}, but: {error}") from None

    async def get(self, path: str, *, urgent: bool = False, **params: Params) -> Any:  # Any: whatever JSON holds
        """What is read from `path`, below `/api/v1/`.

        Raises:
            Unreachable: No answer.
            Unauthorized: It lets nobody in.
            Refused: The answer was no.
        """
        return await self._ask("GET", path, params=params, urgent=urgent)

    async def post(
        self, path: str, body: Any = None, *, urgent: bool = True, timeout_seconds: float | None = None
    ) -> Any:  # Any: whatever JSON holds
        """What it says to `body`, posted to `path`. It is sent once only: `Unreachable.arrived` tells of doubts.

        Raises:
            Unreachable: No answer.
            Unauthorized: It lets nobody in.
            Refused: The answer was no.
        """
        return await self._ask("POST", path, body=body, urgent=urgent, seconds=timeout_seconds)

    async def delete(
        self, path: str, *, urgent: bool = True, timeout_seconds: float | None = None, **params: Params | list[str]
    ) -> Any:  # Any: whatever JSON holds
        """What it says to deleting `path`. It is sent once only.

        Raises:
            Unreachable: No answer.
            Unauthorized: It lets nobody in.
            Refused: The answer was no.
        """
        return await self._ask("DELETE", path, params=params, urgent=urgent, seconds=timeout_seconds)

    async def ping(self) -> float:
        """Seconds that freqtrade took to answer a ping, which needs no password.

        Raises:
            Unreachable: No answer, or none that is freqtrade's.
            Refused: There is no such endpoint.
        """
        try:
            answer = await self._send("GET", "ping", None, urgent=True)
            told = value_of(answer, "ping")
            if not isinstance(told, dict) or told.get("status") != "pong":
                raise Unreachable("garbage", "expected a pong from freqtrade, was something else; is this its url?")
        except FreqtradeError as error:
            self._note(error)
            raise
        return self._health.latency_seconds or 0.0

    async def stream_token(self) -> str:
        """What opens the WebSocket: its own token, else a login's.

        Raises:
            Unreachable: No answer to the login.
            Unauthorized: There is none.
        """
        if self.settings.ws_token.is_given():
            return self.settings.ws_token.read()
        token = await self._login.token()
        if token is None:
            raise Unauthorized("expected a token for the WebSocket, but freqtrade gives none; give ws_token_file")
        return token

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        params: Any = None,
        body: Any = None,
        urgent: bool = False,
        seconds: float | None = None,
    ) -> Any:
        try:
            if not urgent and (wait := self._not_before - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            while True:
                header = await self._login.header()
                answer = await self._send(
                    method, path, header, params=params, body=body, urgent=urgent, seconds=seconds
                )
                if answer.status != 401:
                    break
                self._login.refused(header)  # raises when no other way is left
            self._login.accepted(header)
            value = value_of(answer, path)
        except FreqtradeError as error:
            self._note(error)
            raise
        self._answered()
        return value

    def _note(self, error: FreqtradeError) -> None:
        if isinstance(error, Refused):
            self._answered()
        else:
            self.reachable.clear()
            self._health.lost()
        self._health.failed(error.reason)
        if isinstance(error, Unreachable):
            self._not_before = time.monotonic() + error.retry_seconds
            if not error.arrived:
                self._login.forget()

    def _answered(self) -> None:
        self.reachable.set()
        self._health.heard()

    async def _post_login(self, path: str, header: str) -> Answer:
        return await self._send("POST", path, header, urgent=True)

    async def _send(
        self,
        method: str,
        path: str,
        header: str | None,
        *,
        params: Any = None,
        body: Any = None,
        urgent: bool,
        seconds: float | None = None,
    ) -> Answer:
        for is_last in (False, True):
            await self._pace.turn(urgent=urgent)
            self._health.asked()
            began = time.monotonic()
            try:
                async with asyncio.timeout(seconds or self.settings.timeout_seconds):
                    answer = await self._receive(method, path, header, params, body, seconds)
            except (httpx.TimeoutException, TimeoutError) as error:
                is_connect = isinstance(error, httpx.ConnectTimeout)
                raise Unreachable("timeout", f"no answer from {path} in time", arrived=not is_connect) from None
            except httpx.ConnectError as error:
                raise _not_connected(error, self.settings) from None
            except httpx.HTTPError as error:
                if is_last or method != "GET":  # the server may close an idle connection just when it is used again
                    raise Unreachable(
                        "broken", f"the connection ended within an answer: {type(error).__name__}"
                    ) from None
                self._health.failed("broken")
                continue
            self._health.latency_seconds = time.monotonic() - began
            self._read_clock(answer)
            return answer
        raise AssertionError  # the last try returned or raised

    async def _receive(
        self, method: str, path: str, header: str | None, params: Any, body: Any, seconds: float | None
    ) -> Answer:
        if self._http is None:
            raise RuntimeError("expected to be asked within `async with client`")
        async with self._http.stream(
            method,
            f"{self.settings.base}/{path}",
            params=params or None,
            json=body,
            headers={} if header is None else {"authorization": header},
            timeout=seconds or self.settings.timeout_seconds,
        ) as response:
            if response.headers.get("content-encoding", "identity") != "identity":
                raise Unreachable("garbage", f"expected {path} as it is, was packed ({path}): something is between")
            parts, size = [], 0
            async for part in response.aiter_raw():
                size += len(part)
                if size > MAX_BYTES:
                    raise Unreachable("too_large", f"expected at most {MAX_BYTES} bytes from {path}, was more")
                parts.append(part)
            return Answer(response.status_code, response.headers, b"".join(parts))

    def _read_clock(self, answer: Answer) -> None:
        try:
            told = email.utils.parsedate_to_datetime(answer.headers.get("date", ""))
            self.ahead_seconds = round(told.timestamp() - time.time())
        except (ValueError, TypeError, OverflowError):
            pass  # no date, or none that can be read


def _not_connected(error: httpx.ConnectError, settings: Settings) -> Unreachable:
    """What kept from connecting; httpx's own words are empty or a system's."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return Unreachable("tls", f"no TLS with {settings.peer}: {cause}", arrived=False)
        if isinstance(cause, ConnectionRefusedError):
            return Unreachable("refused", f"nothing listens at {settings.peer}", arrived=False)
        if isinstance(cause, socket.gaierror):
            return Unreachable("dns", f"no such host: {settings.peer}", arrived=False)
        cause = cause.__cause__ or cause.__context__
    return Unreachable("network", f"no way to {settings.peer}: {error}", arrived=False)
