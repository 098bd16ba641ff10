"""The doorman: measures each request, and asks what would change something for its token before its body is read."""

from __future__ import annotations

import sys
from http import HTTPStatus

from fastapi.requests import HTTPConnection
from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deskwatch.sidecar import problems
from deskwatch.sidecar.admission import bears_token, sign_in
from deskwatch.sidecar.origins import cross_origin_headers, origin_allowed
from deskwatch.sidecar.parts import parts_of
from deskwatch.sidecar.problems import Problem
from deskwatch.sidecar.requests import Requests
from deskwatch.sidecar.revocation import Opened
from deskwatch.sidecar.visitors import VISITOR, Visitor
from deskwatch.tokens import WRITING

MAX_BODY_BYTES = 64 * 1024
MAX_DRAINED_BYTES = 1024 * 1024
"""What is too long, and up to this, is read and thrown away, so that its sender finds the answer."""
MAX_PATH_BYTES = 1024
MAX_QUERY_BYTES = 8192
"""Room for a cursor over many journals."""
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_POLICY_VIOLATION = 1008
_TRY_AGAIN = 1013
_ALWAYS = frozenset({"/healthz", "/readyz"})
"""Answered to strangers even where there is no room for them."""


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
        connection = HTTPConnection(scope)
        if not _has_room(connection):
            await send({"type": "websocket.close", "code": _TRY_AGAIN, "reason": "full"})
        elif origin_allowed(connection):
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
            if _body_bytes(connection) > MAX_DRAINED_BYTES:
                answer.headers["Connection"] = "close"
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
    if not _has_room(connection) and connection.scope["path"] not in _ALWAYS:
        raise Problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "expected fewer connections; with a token there is room",
            {"Retry-After": "1", "Connection": "close"},
        )
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
        if "transfer-encoding" in connection.headers:
            raise Problem(HTTPStatus.LENGTH_REQUIRED, "expected a body with a Content-Length")
        if (length := _body_bytes(connection)) > MAX_BODY_BYTES:
            raise Problem(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"expected a body of at most {MAX_BODY_BYTES} bytes, was {length}"
            )
    return None


def _has_room(connection: HTTPConnection) -> bool:
    """Whether there is room for a stranger's request, or it is none: who bears a right token always finds room."""
    visitor: Visitor | None = connection.scope.get("state", {}).get(VISITOR)
    if visitor is None:
        return True
    if bears_token(parts_of(connection).gate, connection):
        visitor.trust()
    return not visitor.is_crowded


def _body_bytes(connection: HTTPConnection) -> int:
    """How long a body says it is; one that does not say is taken for endless."""
    length = connection.headers.get("content-length", "0")
    is_endless = "transfer-encoding" in connection.headers or not length.isdecimal() or len(length) > 18
    return sys.maxsize if is_endless else int(length)
