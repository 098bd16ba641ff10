"""What the routes work with: the sidecar's running parts, found on the app."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated

import msgspec
from fastapi import Depends, Request
from fastapi.requests import HTTPConnection
from starlette.responses import Response

from deskwatch.config import Settings
from deskwatch.projections.state import BotState
from deskwatch.sidecar.admission import refuse_bots, sign_in
from deskwatch.sidecar.auth import WRITING, Gate, Scope
from deskwatch.sidecar.commanding import Commanding
from deskwatch.sidecar.feed import Feed
from deskwatch.sidecar.hub import Hub
from deskwatch.sidecar.loop_lag import LoopLag
from deskwatch.sidecar.problems import Problem
from deskwatch.sidecar.requests import Requests
from deskwatch.sidecar.retention import Retention
from deskwatch.sidecar.samples import Samples
from deskwatch.sidecar.scraping import Scraping
from deskwatch.sinks.sink import Sink
from deskwatch.sources.health import Health

if TYPE_CHECKING:
    from deskwatch.sidecar.supervisor.supervisor import Supervisor
    from deskwatch.sinks.otlp.push import MetricsPush

_encoder = msgspec.json.Encoder()


class Parts:
    """The running parts of one sidecar. `sinks` and `supervisors` are there where they were asked for."""

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
        supervisors: dict[str, Supervisor],
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
        self.supervisors = supervisors
        self.push: MetricsPush | None = None
        """What pushes the metrics, and reads them from here; so it comes after."""
        self.sources: list[Health] = []
        """How each source fares."""
        self.scraping = Scraping()
        self.auditing = asyncio.Semaphore(1)
        """Held while the audit trail is read: one at a time, however many ask."""
        self.cut_off: Callable[[HTTPConnection], None] | None = None
        """Ends a connection at once, whatever waits to be sent by it; the server sets it."""

    def cut(self, connection: HTTPConnection) -> Callable[[], None] | None:
        """What ends a connection at once, where there is a server that can."""
        return None if self.cut_off is None else partial(self.cut_off, connection)

    def bot_state(self, bot: str) -> BotState | None:
        """A bot's state as it is served: one that is supervised has a state before its first line."""
        return self.hub.view.state(bot)


def parts_of(connection: HTTPConnection) -> Parts:
    """The parts behind a request or a WebSocket."""
    parts: Parts = connection.app.state.parts
    return parts


Wired = Annotated[Parts, Depends(parts_of)]


async def require(connection: HTTPConnection, *scopes: Scope, bots: Sequence[str] | None = None) -> str:
    """Name of whoever sends a request, if they have one of the scopes, for the bots that the request is about.

    Args:
        connection: The request or WebSocket.
        scopes: Any of these will do.
        bots: What the request is confined to; by default the bot of its path, or of the command in its path. A token
            for some bots opens nothing that is confined to none.

    Raises:
        Problem: 401, 403, 429 or, for a Host that is not ours, 421.
    """
    parts = parts_of(connection)
    token = await sign_in(parts.gate, connection, *scopes)
    if token.bots is not None:
        asked = _bots_of_path(connection, parts) if bots is None else bots
        if not asked or not token.bots.issuperset(asked):
            await refuse_bots(parts.gate, connection, token)
    return token.name


def _bots_of_path(connection: HTTPConnection, parts: Parts) -> list[str]:
    path = connection.path_params
    if "bot" in path:
        return [path["bot"]]
    command = parts.feed.projections.commands.get(path.get("command_id", ""))
    return [] if command is None else [command.bot]


async def may_read(connection: HTTPConnection) -> str:
    """Name of a caller who may read."""
    return await require(connection, "read")


async def may_read_bots(connection: HTTPConnection) -> str:
    """As `may_read`, for a route that shows nothing but what its repeatable query parameter `bot` asks for."""
    return await require(connection, "read", bots=connection.query_params.getlist("bot"))


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
    state = parts_of(request).bot_state(bot)
    if state is None:
        raise Problem(HTTPStatus.NOT_FOUND, f"expected a bot that has a journal here, was {bot[:80]!r}; see GET /bots")
    return state


KnownBot = Annotated[BotState, Depends(known_bot)]


def as_json(value: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """An answer encoded by msgspec."""
    return Response(
        _encoder.encode(value), status, {"Cache-Control": "no-store", **(headers or {})}, "application/json"
    )
