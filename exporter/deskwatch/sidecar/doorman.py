"""The doorman: measures each request, and asks what would change something for its token before its body is read."""

from __future__ import annotations

from http import HTTPStatus

from fastapi.requests import HTTPConnection
from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deskwatch.sidecar import problems
from deskwatch.sidecar.admission import sign_in
from deskwatch.sidecar.origins import cross_origin_headers, origin_allowed
from deskwatch.sidecar.parts import parts_of
from deskwatch.sidecar.problems import Problem
from deskwatch.sidecar.requests import Requests
from deskwatch.sidecar.revocation import Opened
from deskwatch.tokens import WRITING

MAX_BODY_BYTES = 64 * 1024
MAX_DRAINED_BYTES = 1024 * 1024
"""What is too long, and up to this, is read and thrown away, so that its sender finds the answer."""
MAX_PATH_BYTES = 1024
MAX_QUERY_BYTES = 8192
"""Room for a cursor over many journals."""
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_POLICY_VIOLATION = 1008


class Doorman:
    """ASGI middleware. Strangers get 401 without a byte of their body being read. Answers are counted."""

    def __init__(self, app: ASGIApp, requests: Requests) -> None:
        self._app = app
        self._requests = requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with a problem."""
        if scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        if origin_allowed(HTTPConnection(scope)):
            opened = Opened(scope, receive, send)
            await self._app(scope, opened.receive, opened.send)
        else:
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": ""})

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection = HTTPConnection(scope)
        has_begun = False

        async def count_and_send(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                self._requests.count(message["status"])
                headers = MutableHeaders(scope=message)
                for name, value in problems.ARMOUR.items():
                    headers.setdefault(name, value)
                for name, value in cross_origin_headers(connection).items():
                    headers.append(name, value)
            await send(message)

        try:
            answer = await _admit(connection)
        except Problem as problem:
            answer = problems.answer(problem)
        if answer is not None:
            await answer(scope, receive, count_and_send)
            return
        try:
            opened = Opened(scope, receive, count_and_send)
            await self._app(scope, opened.receive, opened.send)
        except Exception:  # it is answered further out, unless the answer had begun and is counted
            if not has_begun:
                self._requests.count(HTTPStatus.INTERNAL_SERVER_ERROR)
            raise


async def _admit(connection: HTTPConnection) -> Response | None:
    """The answer where there is nothing more to do.

    Raises:
        Problem: The request goes no further.
    """
    if len(connection.scope.get("raw_path") or b"") > MAX_PATH_BYTES:
        raise Problem(HTTPStatus.REQUEST_URI_TOO_LONG, f"expected a path of at most {MAX_PATH_BYTES} bytes")
    if len(connection.scope["query_string"]) > MAX_QUERY_BYTES:
        raise Problem(HTTPStatus.REQUEST_URI_TOO_LONG, f"expected a query of at most {MAX_QUERY_BYTES} bytes")
    if not origin_allowed(connection):
        raise Problem(HTTPStatus.FORBIDDEN, "expected a page of this sidecar; add others by --allowed-origin")
    if connection.scope["method"] == "OPTIONS" and cross_origin_headers(connection):
        return Response(status_code=HTTPStatus.NO_CONTENT)
    if connection.scope["method"] not in _READING:
        await sign_in(parts_of(connection).gate, connection, *WRITING)
        _measure(connection)
    return None


def _measure(connection: HTTPConnection) -> None:
    length = connection.headers.get("content-length", "0")
    if "transfer-encoding" in connection.headers or not length.isdecimal():
        raise Problem(HTTPStatus.LENGTH_REQUIRED, "expected a body with a Content-Length", {"Connection": "close"})
    size = int(length[:20])
    if size > MAX_BODY_BYTES:
        headers = {"Connection": "close"} if size > MAX_DRAINED_BYTES else {}
        raise Problem(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"expected a body of at most {MAX_BODY_BYTES} bytes, was {size}",
            headers,
        )
