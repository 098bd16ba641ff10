"""A node's WebSocket: it says that there is a new block, which is then read as always.

Nothing that it tells is believed: it shortens the wait for the next look, no more. So a stream that is cut, stands
still or tells nonsense costs time and nothing else.
Format: geth's `eth_subscribe("newHeads")` (geth.ethereum.org/docs/interacting-with-geth/rpc/pubsub).
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, InvalidURI, WebSocketException

from deskwatch.backoff import Backoff
from deskwatch.sources.evm.endpoint import WELL_SECONDS, without_key
from deskwatch.sources.evm.errors import EndpointFault
from deskwatch.sources.evm.local import is_local
from deskwatch.sources.evm.question import decode
from deskwatch.sources.evm.rhythm import Rhythm
from deskwatch.sources.evm.wire import words
from deskwatch.sources.watched import Watched
from deskwatch.version import __version__

logger = logging.getLogger("deskwatch.sources.evm.websocket")
logger.setLevel(logging.INFO)  # at DEBUG the library writes the URL, which may hold a key

CONNECTION = "websocket"
MAX_MESSAGE_BYTES = 2**20
SILENT_BLOCKS = 5
"""A stream that says nothing for so many blocks' time, while the chain goes on, is opened anew."""
SILENT_AT_LEAST_SECONDS = 30.0
PASSED_BLOCKS = 2
"""So many must have been found by polling meanwhile: the block that it told of last may be found after its word."""


class Stream:
    """Sets an event at each block that the node tells of.

    Args:
        url: Where the node listens.
        name: The endpoint's, for people.
        watched: Is told whether the stream is up.
        rhythm: How fast the chain is.
        wake: The event.
        newest: Number of the newest block that is known, by whichever way.
        tls: For a `wss` URL.
        timeout_seconds: Longest wait for an answer.
    """

    def __init__(
        self,
        url: str,
        name: str,
        watched: Watched,
        rhythm: Rhythm,
        wake: asyncio.Event,
        newest: Callable[[], int],
        *,
        tls: ssl.SSLContext | None = None,
        timeout_seconds: float = 10.0,
    ) -> None:
        self._url = url
        self._name = name
        self._watched = watched
        self._rhythm = rhythm
        self._wake = wake
        self._newest = newest
        self._tls = tls
        self._timeout = timeout_seconds
        self.is_up = False

    async def listen(self) -> None:
        """Listen until canceled, connecting again as often as it takes."""
        backoff = Backoff()
        while True:
            try:
                async with _connect(self._url, self._timeout, self._tls) as connection:
                    await subscribe(connection, self._timeout)
                    began = time.monotonic()
                    self._show(up=True)
                    await self._follow(connection)
            except _FAULTS as error:
                why = _why(error, self._url)
            if self.is_up and time.monotonic() - began >= WELL_SECONDS:  # else one that cuts at once is asked for ever
                backoff.reset()
            self._show(up=False, why=why)
            await asyncio.sleep(backoff.next_seconds())

    async def _follow(self, connection: ClientConnection) -> None:
        while True:
            silence = max(SILENT_BLOCKS * self._rhythm.block_seconds, SILENT_AT_LEAST_SECONDS)
            before = self._newest()
            try:
                async with asyncio.timeout(silence):
                    await connection.recv()
            except TimeoutError:
                if self._newest() - before < PASSED_BLOCKS:
                    continue  # the chain rests, as development chains do
                raise
            self._wake.set()

    def _show(self, *, up: bool, why: str | None = None) -> None:
        self.is_up = up
        if not up:
            self._watched.health.failed("websocket")
        self._watched.connected(CONNECTION, self._name, up=up, reason=why)


async def subscribe(connection: ClientConnection, timeout_seconds: float) -> None:
    """Ask to be told of new heads.

    Raises:
        EndpointFault: It says no.
        TimeoutError: It says nothing.
    """
    request = {"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": ["newHeads"]}
    await connection.send(msgspec.json.encode(request).decode())
    async with asyncio.timeout(timeout_seconds):
        while True:
            told = decode(_bytes(await connection.recv()))
            if not isinstance(told, dict) or told.get("id") != 1:
                continue
            if isinstance(told.get("result"), str):
                return
            raise EndpointFault("refused", f"it lets nobody subscribe to new heads: {told.get('error')}")


async def try_stream(url: str, timeout_seconds: float, tls: ssl.SSLContext | None) -> str | None:
    """Why a URL does not tell of new heads; None where it does."""
    try:
        async with _connect(url, timeout_seconds, tls) as connection:
            await subscribe(connection, timeout_seconds)
    except _FAULTS as error:
        return _why(error, url)
    return None


def _connect(url: str, timeout_seconds: float, tls: ssl.SSLContext | None) -> connect:
    return connect(
        url,
        ssl=tls if url.startswith("wss:") else None,
        proxy=None if is_local(urlsplit(url).hostname or "") else True,
        open_timeout=timeout_seconds,
        close_timeout=1.0,
        max_size=MAX_MESSAGE_BYTES,
        max_queue=64,
        logger=logger,
        user_agent_header=f"deskwatch/{__version__}",
    )


_FAULTS = (WebSocketException, OSError, TimeoutError, EndpointFault)


def _why(error: BaseException, url: str) -> str:
    """In words without the URL, which may hold a key."""
    match error:
        case InvalidHandshake():
            return "handshake: it answers, but speaks no WebSocket here, or wants another key"
        case InvalidURI():
            return "url: it is no WebSocket's"
        case EndpointFault():
            return f"{error.reason}: {words(without_key(str(error), url))}"
        case TimeoutError():
            return "silent: it said nothing for too long"
        case OSError():
            return f"connect: {words(error.strerror or type(error).__name__)}"
        case _:
            return f"closed: {type(error).__name__}"


def _bytes(message: str | bytes) -> bytes:
    return message.encode(errors="replace") if isinstance(message, str) else message
