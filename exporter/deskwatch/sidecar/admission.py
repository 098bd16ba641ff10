"""Admitting a request: whose token it bears, and what becomes of one that may not."""

from __future__ import annotations

from http import HTTPStatus
from typing import NoReturn

from fastapi.requests import HTTPConnection

from deskwatch.sidecar.auth import Denied, Gate
from deskwatch.sidecar.problems import Problem
from deskwatch.tokens import ALL_SCOPES, Scope, Token

SUBPROTOCOL = "deskwatch.v1"
"""What the sidecar speaks over a WebSocket, and answers when it was offered."""
_BEARER = "bearer."
_READING = ("GET", "WS", "HEAD", "OPTIONS")
TOKEN = "deskwatch.token"  # noqa: S105  a key of the ASGI scope
"""Where a request's ASGI scope holds the token that it was admitted with."""


async def sign_in(gate: Gate, connection: HTTPConnection, *scopes: Scope) -> Token:
    """The token that a request bears, if it has one of the scopes. A right one is never slowed.

    Raises:
        Problem: 401, 403, 429 or, for a Host that is not ours, 421.
    """
    if not gate.knows_host(connection.headers.get("host", "")):
        raise Problem(
            HTTPStatus.MISDIRECTED_REQUEST, "expected a Host that names this sidecar; add it by --allowed-host"
        )
    try:
        token = gate.identify(_authorization(connection), *scopes)
    except Denied as denied:
        await _refuse(gate, connection, denied.problem, f"expected a token that may {' or '.join(scopes)}")
    connection.scope[TOKEN] = token
    return token


def bears_token(gate: Gate, connection: HTTPConnection) -> bool:
    """Whether a request bears a right token, whatever that may; nothing comes of a wrong one here."""
    try:
        return bool(gate.identify(_authorization(connection), *ALL_SCOPES).hash)
    except Denied:
        return False


def has_shown_token(connection: HTTPConnection) -> bool:
    """Whether a request was admitted for its token, and not because reading needs none."""
    token: Token | None = connection.scope.get(TOKEN)
    return token is not None and bool(token.hash)


async def refuse_bots(gate: Gate, connection: HTTPConnection, token: Token) -> NoReturn:
    """Answer a token for some bots that asks for others.

    Raises:
        Problem: 403.
    """
    bots = ", ".join(sorted(token.bots or ()))
    await _refuse(
        gate,
        connection,
        "bot",
        f"expected a request about {bots} alone, as the token is for no other; what shows all bots needs a token for "
        "all of them",
    )


def _authorization(connection: HTTPConnection) -> str | None:
    """The Authorization header; a browser's WebSocket can't send one, and offers `bearer.<token>` as a subprotocol."""
    header = connection.headers.get("authorization")
    if header is None and connection.scope["type"] == "websocket":
        for offered in connection.headers.get("sec-websocket-protocol", "").split(","):
            if offered.strip().startswith(_BEARER):
                return f"Bearer {offered.strip().removeprefix(_BEARER)}"
    return header


async def _refuse(gate: Gate, connection: HTTPConnection, problem: str, expected: str) -> NoReturn:
    method = connection.scope.get("method", "WS")
    route = f"{method} {connection.url.path}"[:200]
    remote = connection.client.host if connection.client else "unknown"
    if problem != "missing" or method not in _READING:  # one that is missing is told where it would change something
        gate.refusals.note(remote, route, problem)
    if problem == "wrong" and not await gate.refusals.slow(remote):
        raise Problem(HTTPStatus.TOO_MANY_REQUESTS, "expected fewer requests with a wrong token", {"Retry-After": "2"})
    if problem in ("scope", "bot"):
        raise Problem(HTTPStatus.FORBIDDEN, expected)
    words = {"expired": "was one that expired", "wrong": "was none of them", "missing": "was none"}[problem]
    raise Problem(
        HTTPStatus.UNAUTHORIZED,
        f"{expected}, in 'Authorization: Bearer …', {words}; the operator's is in <home>/token",
        {"WWW-Authenticate": "Bearer"},
    )
