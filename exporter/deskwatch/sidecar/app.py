"""Wiring: the sidecar's parts, started and stopped in one place, and the app that serves them."""

from __future__ import annotations

import fcntl
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from fastapi import Depends, FastAPI

from deskwatch.config import Settings
from deskwatch.errors import ConfigError
from deskwatch.journal.names import SIDECAR
from deskwatch.sidecar import problems, telemetry
from deskwatch.sidecar.api import ROUTERS
from deskwatch.sidecar.api.queries import known_query
from deskwatch.sidecar.auth import Gate, load_tokens
from deskwatch.sidecar.beat import Beat
from deskwatch.sidecar.commanding import Commanding
from deskwatch.sidecar.doorman import Doorman
from deskwatch.sidecar.feed import Feed
from deskwatch.sidecar.hub import Hub
from deskwatch.sidecar.known_tokens import KnownTokens
from deskwatch.sidecar.loop_lag import LoopLag
from deskwatch.sidecar.parts import Parts
from deskwatch.sidecar.requests import Requests
from deskwatch.sidecar.retention import Retention
from deskwatch.sidecar.samples import Backlog, BotProcesses, Container, Fill, Host, Samples, SidecarProcess
from deskwatch.sinks.loki import Access, LokiSink
from deskwatch.sinks.sink import Sink
from deskwatch.supervised import Supervised
from deskwatch.version import __version__

if TYPE_CHECKING:
    from deskwatch.sidecar.supervisor.supervisor import Supervisor
    from deskwatch.sources.host import Sources
    from deskwatch.sources.kinds import Assigned


def create(settings: Settings, *supervised: Supervised, sources: Sequence[Assigned] = ()) -> FastAPI:
    """The app. Its parts run from its lifespan's start to its end.

    Args:
        settings: What the sidecar was told.
        supervised: The bots that the sidecar runs.
        sources: What it watches for bots that write no journal.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.callback(os.close, lock_home(settings))
            gate = Gate(settings, load_tokens(settings))
            feed = Feed(settings.home, settings.checkpoint_seconds, settings.max_series)
            hub = Hub(feed, [one.bot for one in supervised])
            feed.listen(hub.publish)
            commanding = Commanding(settings.home, feed)
            commanding.is_secret = gate.holds
            gate.refusals.journal_by(partial(commanding.journal, SIDECAR))
            known_tokens = KnownTokens(settings, gate, partial(commanding.journal, SIDECAR))
            loki = LokiSink(settings.home, settings.loki_url, access=Access.of(settings)) if settings.loki_url else None
            otlp = telemetry.sinks(settings)
            sinks: list[Sink] = [*([loki] if loki else []), *(otlp.sinks if otlp else [])]
            supervisors = _supervisors(settings, commanding, supervised)
            watching = _watching(settings, sources)
            retention = Retention(settings.home, settings.limits, feed, [sink.name for sink in sinks])
            samples = _samples(settings, feed, sinks)
            loop_lag = LoopLag()
            for part in (
                feed,
                hub,
                loki,
                otlp,
                commanding,
                Beat(settings.home),
                gate.refusals,
                known_tokens,
                *supervisors.values(),
                watching,
                retention,
                loop_lag,
            ):
                if part is not None:
                    await stack.enter_async_context(part)
            parts = Parts(
                settings, gate, feed, hub, commanding, samples, loop_lag, requests, retention, sinks, supervisors
            )
            parts.sources = watching.healths if watching is not None else []
            app.state.parts = parts
            parts.push = telemetry.push(settings, parts)
            if parts.push is not None:
                await stack.enter_async_context(parts.push)
            yield

    requests = Requests()
    app = FastAPI(title="deskwatch", version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None)
    app.state.visitors = requests.visitors
    problems.install(app)
    app.add_middleware(Doorman, requests=requests)
    for router in ROUTERS:
        app.include_router(router, dependencies=[Depends(known_query)], responses=problems.RESPONSES)
    return app


def _supervisors(
    settings: Settings, commanding: Commanding, supervised: tuple[Supervised, ...]
) -> dict[str, Supervisor]:
    if not supervised:
        return {}
    from deskwatch.sidecar.supervisor.supervisor import Supervisor  # noqa: PLC0415  see `deskwatch.sidecar.supervisor`

    return {one.bot: Supervisor(one, settings.home, commanding.journal) for one in supervised}


def _watching(settings: Settings, sources: Sequence[Assigned]) -> Sources | None:
    if not sources:
        return None
    from deskwatch.sources.host import Sources  # noqa: PLC0415  a sidecar without sources goes without their code

    return Sources(settings.home, sources)


def _samples(settings: Settings, feed: Feed, sinks: list[Sink]) -> Samples:
    metrics = feed.projections.metrics
    return Samples(
        (
            BotProcesses(lambda: list(feed.projections.state.bots.values())),
            SidecarProcess(),
            Host(settings.home),
            Container(),
            Backlog({"feed": feed.backlog_bytes, **{sink.name: sink.backlog_bytes for sink in sinks}}),
            Fill(lambda: feed.projections.metrics.families, metrics.max_series),
        )
    )


def lock_home(settings: Settings) -> int:
    """One sidecar for each home.

    Raises:
        ConfigError: Another serves it.
    """
    fd = os.open(settings.home / "sidecar.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(fd, 64, 0).decode(errors="replace").strip()
        os.close(fd)
        raise ConfigError(
            f"expected to be the only sidecar of {settings.home}, but process {holder} serves it; choose another --home"
        ) from None
    os.ftruncate(fd, 0)
    os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
    return fd
