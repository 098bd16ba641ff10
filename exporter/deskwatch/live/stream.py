"""The road of choice: a sidecar's WebSocket."""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from urllib.parse import urlencode

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from deskwatch.errors import NotAllowed, Unreachable
from deskwatch.live.access import Access
from deskwatch.live.messages import Cursor, Message, Other, decode

OPEN_SECONDS = 5.0
CLOSE_SECONDS = 1.0
SILENCE_SECONDS = 3.0
"""A heartbeat comes every second: after this time without anything the connection is taken for broken."""
MAX_MESSAGE_BYTES = 64 * 1024 * 1024
_POLICY = 1008
_ASKS_FOR_TOKEN = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.MISDIRECTED_REQUEST})


class Shut(Unreachable):
    """The WebSocket was refused the way a wrong token is, which a proxy in between may do as well."""


class _Straight(connect):
    def process_redirect(self, exc: Exception) -> Exception:
        """Go nowhere else: a token is for the place that it was given for."""
        return exc


class Stream:
    """One open connection. Use `Stream.open`, and `close` it."""

    def __init__(self, connection: ClientConnection, name: str, *, resumes: bool) -> None:
        self._connection = connection
        self._name = name
        self._resumes = resumes
        self._n = 0

    @classmethod
    async def open(cls, access: Access, bots: tuple[str, ...], kinds: tuple[str, ...], *, resumes: bool) -> Stream:
        """Connect.

        Raises:
            ConfigError: The token file can't be read.
            NotAllowed: The sidecar wants another token.
            Shut: It may be that.
            Unreachable: It can't be had now.
        """
        query = [("bot", one) for one in bots] + [("kind", one) for one in kinds] + [("resume", "1")] * resumes
        url = f"{access.socket_url}/stream" + ("?" + urlencode(query) if query else "")
        authorization = access.authorization()
        headers = {} if authorization is None else {"Authorization": authorization}
        try:
            connection = await _Straight(
                url,
                ssl=access.tls(),
                additional_headers=headers,
                proxy=None,
                open_timeout=OPEN_SECONDS,
                close_timeout=CLOSE_SECONDS,
                ping_interval=None,  # heartbeats come from the other side
                max_size=MAX_MESSAGE_BYTES,
            )
        except InvalidStatus as error:
            raise _refusal(error.response.status_code, access.name) from None
        except (OSError, WebSocketException) as error:  # a timeout is an OSError
            raise Unreachable(
                f"{access.name} opens no WebSocket: {_words(error)}", arrived=not isinstance(error, OSError)
            ) from None
        return cls(connection, access.name, resumes=resumes)

    async def resume(self, cursor: Cursor) -> None:
        """Say from where to go on; within a second of opening.

        Raises:
            Unreachable: The connection broke, or was opened before there was anything to go on from.
        """
        if not self._resumes:
            raise Unreachable(f"{self._name} opened a stream from now on, but a place to go on from is known by now")
        try:
            await self._connection.send(json.dumps({"type": "resume", "cursor": cursor}))
        except ConnectionClosed as error:
            raise self._broken(error) from None

    async def receive(self) -> Message | Other:
        """The next message.

        Raises:
            Shut: The connection was closed as one with a wrong token is.
            Unreachable: It broke, was silent for too long, or what came is no message in its turn.
        """
        try:
            async with asyncio.timeout(SILENCE_SECONDS):
                text = await self._connection.recv()
        except TimeoutError:
            raise Unreachable(f"{self._name} was silent for {SILENCE_SECONDS:g} s") from None
        except ConnectionClosed as error:
            raise self._broken(error) from None
        try:
            message = decode(text)
        except msgspec.DecodeError as error:
            raise Unreachable(f"{self._name} sent no message of the stream: {error}") from None
        if message.n is not None:
            if message.n != self._n + 1:
                raise Unreachable(f"{self._name} sent message {message.n} after {self._n}")
            self._n = message.n
        return message

    async def close(self) -> None:
        """Hang up, within a second."""
        await self._connection.close()

    def _broken(self, error: ConnectionClosed) -> Unreachable:
        code = error.rcvd.code if error.rcvd is not None else None
        reason = error.rcvd.reason if error.rcvd is not None else ""
        words = f"the connection to {self._name} broke" + (f": {reason}" if reason else "")
        return Shut(words) if code == _POLICY else Unreachable(words)


def _refusal(status: int, name: str) -> Exception:
    if status == HTTPStatus.UNAUTHORIZED:
        return NotAllowed(f"{name} wants a token, or another one", status=status)
    words = f"{name} opens no WebSocket: status {status}"
    return Shut(words) if status in _ASKS_FOR_TOKEN else Unreachable(words)


def _words(error: BaseException) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__
