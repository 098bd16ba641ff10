"""The doorman: whatever would change something is asked for its token, and its body measured, before it is read."""

from __future__ import annotations

from http import HTTPStatus

from fastapi.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deskwatch.sidecar import problems
from deskwatch.sidecar.parts import may_write
from deskwatch.sidecar.problems import Problem
from deskwatch.sidecar.requests import Requests

MAX_BODY_BYTES = 64 * 1024
_READING = frozenset({"GET", "HEAD", "OPTIONS"})


class Doorman:
    """ASGI middleware. Strangers get 401 without a byte of their body being read. Answers are counted."""

    def __init__(self, app: ASGIApp, requests: Requests) -> None:
        self._app = app
        self._requests = requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with a problem."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        has_begun = False

        async def count_and_send(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                self._requests.count(message["status"])
            await send(message)

        if scope["method"] not in _READING:
            try:
                await _admit(HTTPConnection(scope))
            except Problem as problem:
                await problems.answer(problem)(scope, receive, count_and_send)
                return
        try:
            await self._app(scope, receive, count_and_send)
        except Exception:  # it is answered further out, unless the answer had begun and is counted
            if not has_begun:
                self._requests.count(HTTPStatus.INTERNAL_SERVER_ERROR)
            raise


async def _admit(connection: HTTPConnection) -> None:
    await may_write(connection)
    length = connection.headers.get("content-length", "0")
    if "transfer-encoding" in connection.headers or not length.isdecimal():
        raise Problem(HTTPStatus.LENGTH_REQUIRED, "expected a body with a Content-Length")
    if int(length) > MAX_BODY_BYTES:
        raise Problem(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"expected a body of at most {MAX_BODY_BYTES} bytes, was {length}"
        )
