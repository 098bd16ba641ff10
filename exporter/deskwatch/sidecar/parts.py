"""What the routes work with: the sidecar's running parts, found on the app."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated

import msgspec
from fastapi import Depends, Request
from fastapi.requests import HTTPConnection
from starlette.responses import Response

from deskwatch.config import Settings
from deskwatch.errors import JournalError
from deskwatch.events import SignInRefused
from deskwatch.journal.names import SIDECAR
from deskwatch.projections.state import BotState
from deskwatch.sidecar.auth import WRITING, Denied, Gate, Scope
from deskwatch.sidecar.commanding import Commanding
from deskwatch.sidecar.feed import Feed
from deskwatch.sidecar.hub import Hub
from deskwatch.sidecar.loop_lag import LoopLag
from deskwatch.sidecar.problems import Problem
from deskwatch.sidecar.requests import Requests
from deskwatch.sidecar.retention import Retention
from deskwatch.sidecar.samples import Samples
from deskwatch.sidecar.scraping import Scraping
from deskwatch.sidecar.supervisor import Supervisor
from deskwatch.sinks.sink import Sink

if TYPE_CHECKING:
    from deskwatch.sinks.otlp.push import MetricsPush

logger = logging.getLogger(__name__)

_encoder = msgspec.json.Encoder()


class Parts:
    """The running parts of one sidecar. `sinks` and `supervisor` are there where they were asked for."""

    def __init__(
        self,
        settings: Settings,
        gate: Gate,
        feed: Feed,
        hub: Hub,
        commanding: Commanding,
        samples: Samples,
        loop_lag: LoopLag,
        requests: Requests,
        retention: Retention,
        sinks: list[Sink],
        supervisor: Supervisor | None,
    ) -> None:
        self.settings = settings
        self.gate = gate
        self.feed = feed
        self.hub = hub
        self.commanding = commanding
        self.samples = samples
        self.loop_lag = loop_lag
        self.requests = requests
        self.retention = retention
        self.sinks = sinks
        self.supervisor = supervisor
        self.push: MetricsPush | None = None
        """What pushes the metrics, and reads them from here; so it comes after."""
        self.scraping = Scraping()
        self.cut_off: Callable[[HTTPConnection], None] | None = None
        """Ends a connection at once, whatever waits to be sent by it; the server sets it."""

    def cut(self, connection: HTTPConnection) -> Callable[[], None] | None:
        """What ends a connection at once, where there is a server that can."""
        return None if self.cut_off is None else partial(self.cut_off, connection)


def parts_of(connection: HTTPConnection) -> Parts:
    """The parts behind a request or a WebSocket."""
    parts: Parts = connection.app.state.parts
    return parts


Wired = Annotated[Parts, Depends(parts_of)]


async def require(connection: HTTPConnection, *scopes: Scope) -> str:
    """Name of whoever sends a request, if they have one of the scopes.

    Raises:
        Problem: 401, 403 or, for a Host that is not ours, 421.
    """
    parts = parts_of(connection)
    if not parts.gate.knows_host(connection.headers.get("host", "")):
        raise Problem(
            HTTPStatus.MISDIRECTED_REQUEST, "expected a Host that names this sidecar; add it by --allowed-host"
        )
    try:
        return parts.gate.identify(connection.headers.get("authorization"), *scopes)
    except Denied as denied:
        await _journal_refusal(connection, parts, denied)
        wanted = " or ".join(scopes)
        if denied.problem == "scope":
            raise Problem(HTTPStatus.FORBIDDEN, f"expected a token that may {wanted}") from None
        raise Problem(
            HTTPStatus.UNAUTHORIZED,
            f"expected 'Authorization: Bearer' with a token that may {wanted}; the operator's is in <home>/token",
            {"WWW-Authenticate": "Bearer"},
        ) from None


async def _journal_refusal(connection: HTTPConnection, parts: Parts, denied: Denied) -> None:
    """A wrong token is journaled; a missing one only where it would change something."""
    method = connection.scope.get("method", "WS")
    if denied.problem == "missing" and method in ("GET", "WS", "HEAD"):
        return
    client = connection.client.host if connection.client else "unknown"
    event = SignInRefused(route=f"{method} {connection.url.path}"[:200], remote=client, problem=denied.problem)
    try:
        await parts.commanding.journal(SIDECAR, event)
    except (OSError, JournalError) as error:
        logger.error("a refused sign-in could not be journaled", extra={"error": str(error)})


async def may_read(connection: HTTPConnection) -> str:
    """Name of a caller who may read."""
    return await require(connection, "read")


async def may_operate(connection: HTTPConnection) -> str:
    """Name of a caller who may do what does not raise the risk."""
    return await require(connection, "operate")


async def may_trade(connection: HTTPConnection) -> str:
    """Name of a caller who may do what moves money."""
    return await require(connection, "trade")


async def may_write(connection: HTTPConnection) -> str:
    """Name of a caller who may change something; what, the route decides by the request."""
    return await require(connection, *WRITING)


Operator = Annotated[str, Depends(may_operate)]
Trader = Annotated[str, Depends(may_trade)]
Writer = Annotated[str, Depends(may_write)]


def known_bot(bot: str, request: Request) -> BotState:
    """The state of the bot that a path names.

    Raises:
        Problem: 404, there is no such bot.
    """
    state = parts_of(request).feed.projections.state.bots.get(bot)
    if state is None:
        raise Problem(HTTPStatus.NOT_FOUND, f"expected a bot that has a journal here, was {bot[:80]!r}; see GET /bots")
    return state


KnownBot = Annotated[BotState, Depends(known_bot)]


def as_json(value: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """An answer encoded by msgspec."""
    return Response(
        _encoder.encode(value), status, {"Cache-Control": "no-store", **(headers or {})}, "application/json"
    )
