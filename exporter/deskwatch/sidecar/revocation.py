"""Ending what a token opened, once that token is revoked or too old.

A stream lasts for hours. Before each message of it, at most every CHECK_SECONDS, the token that it was opened with is
looked at again. `/stream` sends a heartbeat every second, so that one of a revoked token ends within about two seconds;
`/activity/stream` ends at its next event or, where nothing happens, heartbeat: within 15 seconds.
"""

from __future__ import annotations

import time
from typing import Any

from starlette.types import Message, Receive, Scope, Send

from deskwatch.sidecar.admission import TOKEN
from deskwatch.sidecar.auth import Gate

CHECK_SECONDS = 0.5
_BODY = frozenset({"http.response.body", "websocket.send"})
_POLICY_VIOLATION = 1008


class Opened:
    """One answer or WebSocket: `receive` and `send` stand before those of the server."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._checked = time.monotonic()
        self._has_ended = False

    async def receive(self) -> Message:
        """The client's next message; a disconnection once it was ended."""
        if self._has_ended:
            return self._disconnection()
        message = await self._receive()
        return self._disconnection() if self._has_ended else message

    async def send(self, message: Message) -> None:
        """Pass a message on, or end it all.

        Raises:
            OSError: It was ended: to the app, as if its client had gone.
        """
        if self._has_ended:
            self._refuse()
            return
        now = time.monotonic()
        if now - self._checked < CHECK_SECONDS or message["type"] not in _BODY or self._is_good():
            await self._send(message)
            return
        self._has_ended = True
        if self._scope["type"] == "websocket":
            await self._send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": "token revoked"})
        else:
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
        self._refuse()

    def _is_good(self) -> bool:
        self._checked = time.monotonic()
        token = self._scope.get(TOKEN)
        if token is None:
            return True  # what is open to all
        gate: Gate = self._scope["app"].state.parts.gate
        return gate.is_good(token)

    def _disconnection(self) -> dict[str, Any]:
        if self._scope["type"] == "websocket":
            return {"type": "websocket.disconnect", "code": _POLICY_VIOLATION, "reason": "token revoked"}
        return {"type": "http.disconnect"}

    def _refuse(self) -> None:
        """Tell the app as its framework expects it: below ASGI 2.4 it listens for the disconnection by itself."""
        version = self._scope["asgi"].get("spec_version", "2.0")
        if tuple(map(int, version.split("."))) >= (2, 4):
            raise OSError("expected a token that counts, was one that was revoked or expired")
