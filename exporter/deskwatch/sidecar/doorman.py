"""The doorman: whatever would change something is asked for its token, and its body measured, before it is read."""

from __future__ import annotations

from http import HTTPStatus

from fastapi.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from deskwatch.sidecar import problems
from deskwatch.sidecar.parts import may_operate
from deskwatch.sidecar.problems import Problem

MAX_BODY_BYTES = 64 * 1024
_READING = frozenset({"GET", "HEAD", "OPTIONS"})


class Doorman:
    """ASGI middleware. Strangers get 401 without a byte of their body being read."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with a problem."""
        if scope["type"] == "http" and scope["method"] not in _READING:
            try:
                await _admit(HTTPConnection(scope))
            except Problem as problem:
                await problems.answer(problem)(scope, receive, send)
                return
        await self._app(scope, receive, send)


async def _admit(connection: HTTPConnection) -> None:
    await may_operate(connection)
    length = connection.headers.get("content-length", "0")
    if "transfer-encoding" in connection.headers or not length.isdecimal():
        raise Problem(HTTPStatus.LENGTH_REQUIRED, "expected a body with a Content-Length")
    if int(length) > MAX_BODY_BYTES:
        raise Problem(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"expected a body of at most {MAX_BODY_BYTES} bytes, was {length}"
        )
