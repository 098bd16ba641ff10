"""Which web pages may talk to the sidecar: those that it serves itself, and those of an exact list."""

from __future__ import annotations

from fastapi.requests import HTTPConnection

from deskwatch.origin import parse

_PLAIN = {"ws": "http", "wss": "https"}
_MAY_ASK = {
    "Access-Control-Allow-Methods": "GET, POST, PUT",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key, If-Match, Last-Event-ID",
    "Access-Control-Max-Age": "600",
}
_MAY_SEE = {"Access-Control-Expose-Headers": "ETag, Location, Retry-After, Warning"}


def origin_allowed(connection: HTTPConnection) -> bool:
    """Whether the page that a request comes from may make it: it has no Origin, its own, or an allowed one.

    An Origin is compared whole: scheme, host and port. A request without one comes from no web page, or from a page of
    the same origin that only reads.
    """
    return connection.headers.get("origin") is None or _is_own(connection) or _is_elsewhere(connection)


def cross_origin_headers(connection: HTTPConnection) -> dict[str, str]:
    """What lets an allowed page elsewhere read the answer; nothing for all others."""
    if connection.headers.get("origin") is None or not _is_elsewhere(connection):
        return {}
    more = _MAY_ASK if connection.scope.get("method") == "OPTIONS" else _MAY_SEE
    return {"Access-Control-Allow-Origin": connection.headers["origin"], "Vary": "Origin", **more}


def _is_own(connection: HTTPConnection) -> bool:
    scheme = connection.scope.get("scheme", "http")
    own = parse(f"{_PLAIN.get(scheme, scheme)}://{connection.headers.get('host', '')}")
    return own is not None and parse(connection.headers["origin"]) == own


def _is_elsewhere(connection: HTTPConnection) -> bool:
    asked = parse(connection.headers["origin"])
    return asked is not None and asked in map(parse, connection.app.state.parts.settings.allowed_origins)
