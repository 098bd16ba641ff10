"""uvicorn's connections, with limits on how many there are and how long a request may take to arrive.

uvicorn has no time-out for a request's head or body (slowloris), and its one limit on connections shuts out the
operator with everyone else. What is built on: `connection_made`, `data_received`, `connection_lost` of asyncio, of
uvicorn's class `on_response_complete`, `handle_websocket_upgrade`, `send_400_response` and its h11 connection, and of
its class for WebSockets `shutdown`, `handshake_initiated` and `handshake_complete`.
"""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from deskwatch.sidecar.refusals import network
from deskwatch.sidecar.visitors import VISITOR, Visitors

HEAD_SECONDS = 5.0
"""A request's head must have arrived so long after its connection, or after its first byte."""
BODY_SECONDS = 10.0
"""Its body must have arrived so long after its head."""
HANDSHAKE_SECONDS = 5.0
"""A WebSocket must be open, or refused, so long after it was asked for."""
MAX_HEAD_BYTES = 16 * 1024
_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class GuardedConnection(H11Protocol):
    """One HTTP connection."""

    def __init__(self, visitors: Visitors, *args: Any, **more: Any) -> None:  # as uvicorn calls it
        super().__init__(*args, **more)
        self.address = ""
        self._visitors = visitors
        self._timer: asyncio.TimerHandle | None = None
        self._awaited: str | None = None
        self._is_handed_over = False
        self.app_state = {**self.app_state, VISITOR: self}

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Let it in, if there is room."""
        super().connection_made(transport)
        self.address = network(self.client[0]) if self.client else "unknown"
        if self._visitors.enter(self):
            self._await("head", HEAD_SECONDS)
        else:
            self.turn_away()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._await(None)
        self._visitors.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take in what came, and see what is still to come."""
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        """An answer is out: what comes next is another request."""
        super().on_response_complete()
        self._look()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """From here on another protocol reads."""
        self._is_handed_over = True
        self._await(None)
        self._visitors.speaks(self)
        super().handle_websocket_upgrade(event)

    def send_400_response(self, msg: str) -> None:
        """What came was no HTTP."""
        self._visitors.note("malformed")
        self._await(None)
        if (
            self.cycle is not None and not self.cycle.response_complete
        ):  # it broke off within its body: the app is at it
            self.cycle.disconnected = True  # else what the app answers fails, with a traceback for each such request
            self.cycle.message_event.set()
            if self.cycle.response_started:
                self.transport.close()
                return
        super().send_400_response(msg)

    def turn_away(self) -> None:
        """End it at once."""
        self._await(None)
        self.transport.abort()

    def trust(self) -> None:
        """It showed a right token."""
        self._visitors.trust(self)

    @property
    def is_crowded(self) -> bool:
        """Whether it was let in only to show a token."""
        return self._visitors.is_crowded(self)

    def malformed(self) -> None:
        """The WebSocket that it was handed over to got what is none."""
        self._visitors.note("malformed")

    def left(self) -> None:
        """The WebSocket that it was handed over to is gone."""
        self._visitors.leave(self)

    def _look(self) -> None:
        """Begin to wait for what is to come, or stop waiting."""
        if self._is_handed_over or self.transport.is_closing():
            return
        state = self.conn.their_state
        if state is h11.SEND_BODY:
            self._visitors.speaks(self)
            self._await("body", BODY_SECONDS)
        elif state is h11.IDLE:
            self._visitors.falls_silent(self)
            has_begun = bool(self.conn.trailing_data[0])
            if has_begun:
                self._await("head", HEAD_SECONDS)
            elif self._awaited != "head":
                self._await(None)  # uvicorn's own keep-alive limit runs
        else:
            self._visitors.speaks(self)
            self._await(None)

    def _await(self, what: str | None, seconds: float = 0.0) -> None:
        """Wait for a part of a request; what is waited for already is not given more time."""
        if what == self._awaited:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._awaited = what
        if what is not None:
            self._timer = self.loop.call_later(seconds, self._too_slow)

    def _too_slow(self) -> None:
        self._visitors.note("slow")
        if not self.transport.is_closing():
            if self.cycle is None or self.cycle.response_complete:
                self.transport.write(_TOO_SLOW)
            self.transport.close()


class GuardedWebSocket(WebSocketsSansIOProtocol):
    """One WebSocket; its connection is told when it ends.

    Heads that h11 takes and the WebSocket's own parser does not (more than 128 fields, one of more than 8 KiB) would
    leave it open for ever, unanswered, and let the sidecar's stop fail.
    """

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It was asked for."""
        super().connection_made(transport)
        self._opening = self.loop.call_later(HANDSHAKE_SECONDS, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._opening.cancel()
        super().connection_lost(exc)
        visitor: GuardedConnection = self.app_state[VISITOR]
        visitor.left()

    def data_received(self, data: bytes) -> None:
        """Take in what came. Before it is open, that is the head and no more."""
        if self.handshake_initiated and not self.handshake_complete:
            self._refuse()
            return
        super().data_received(data)
        if not self.handshake_initiated:
            self._refuse()

    def shutdown(self) -> None:
        """The sidecar stops."""
        if not self.transport.is_closing():
            super().shutdown()

    def _look(self) -> None:
        if not self.handshake_complete:
            self._refuse()

    def _refuse(self) -> None:
        visitor: GuardedConnection = self.app_state[VISITOR]
        if not self.transport.is_closing():
            visitor.malformed()
            self.transport.abort()
