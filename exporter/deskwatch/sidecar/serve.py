"""Running the sidecar: its logs, its socket, its event loop, its end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import uvicorn
from fastapi.requests import HTTPConnection
from pythonjsonlogger.json import JsonFormatter

from deskwatch.config import Settings
from deskwatch.errors import ConfigError
from deskwatch.journal.names import prepare_home
from deskwatch.sidecar import app, descriptors, pauses, tls
from deskwatch.sidecar.auth import load_tokens
from deskwatch.sidecar.guarded import MAX_HEAD_BYTES, GuardedConnection, GuardedWebSocket
from deskwatch.sidecar.parts import Parts
from deskwatch.sinks import otlp
from deskwatch.sinks.loki import Access
from deskwatch.supervised import Supervised

if TYPE_CHECKING:
    from deskwatch.sources.kinds import Assigned, Configured

logger = logging.getLogger(__name__)

STOP_SECONDS = 2
"""How long open connections may hold up the end."""
UNREAD_MILLISECONDS = 5000
"""How long what was sent may stay unread before the connection is ended."""
PING_SECONDS = 1.0
"""How often a WebSocket's peer is asked whether it still reads."""
PONG_SECONDS = 1.8
"""And how long it may take to answer; with what waits before the question, if it is slow."""
SEND_BYTES = 128 * 1024
"""What the system holds of what was sent and not yet received, so that a peer that does not read is soon noticed."""
PARENT_SECONDS = 1.0
"""How often to look whether the process that started this one is still there."""


def set_up_logs() -> None:
    """The sidecar's own log records as JSON on stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        JsonFormatter("{asctime}{levelname}{name}{message}", style="{", rename_fields={"asctime": "timestamp"})
    )
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for noisy in ("uvicorn.access", "urllib3"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)  # a line for each malformed request would fill the disk
    logging.getLogger("uvicorn.error").addFilter(_is_our_fault)


def _is_our_fault(record: logging.LogRecord) -> bool:
    """Whether uvicorn tells an error of ours: what a client sends wrongly it tells with a traceback each time."""
    return not record.getMessage().startswith("Invalid UTF-8")


def run(settings: Settings, *supervised: Supervised, watched: Sequence[Configured] = ()) -> int:
    """Serve until a signal; returns the exit status.

    Args:
        settings: What the sidecar was told.
        supervised: The bots that it runs.
        watched: What it watches beside what the settings' `config` names.

    Raises:
        ConfigError: The home can't be used, a token's file neither, what is to be watched can't be, or the address
            can't be listened on.
        WriterLocked: Another sidecar serves this home.
    """
    _check(settings)
    sources = _sources(settings, supervised, watched)
    tls.check(settings)
    listening = _listen(settings)
    set_up_logs()
    descriptors.raise_limit()
    host, port = listening.getsockname()[:2]
    if settings.is_exposed:
        logger.warning("listening beyond this machine without TLS: whoever shares the network can read the tokens")
    scheme = "http" if settings.tls_cert is None else "https"
    logger.info("listening", extra={"url": f"{scheme}://{host}:{port}", "home": str(settings.home)})
    application = app.create(settings, *supervised, sources=sources)
    connection: Any = partial(GuardedConnection, application.state.visitors)  # uvicorn calls it as the class
    config = uvicorn.Config(
        application,
        http=connection,
        h11_max_incomplete_event_size=MAX_HEAD_BYTES,
        proxy_headers=False,  # anyone could say by them where a request comes from
        ssl_certfile=settings.tls_cert,
        ssl_keyfile=settings.tls_key,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        ws=GuardedWebSocket,
        ws_max_size=65536,
        ws_per_message_deflate=False,  # an eighth of the bytes, for 2.5 times the CPU: each client's are packed anew
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=PONG_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    server = _Server(config)
    return asyncio.run(_serve(server, listening, settings))


class _Server(uvicorn.Server):
    """Ends the streams first, so that their readers don't hold up the stop; and a stop by signal is a good end."""

    _settling: asyncio.Task[None]

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        parts: Parts | None = getattr(self.config.app.state, "parts", None)  # type: ignore[union-attr]  # our FastAPI
        if parts is not None:
            parts.cut_off = self._cut_off
            self._settling = asyncio.create_task(pauses.settle(parts.feed.caught_up), name="settling")

    def _cut_off(self, connection: HTTPConnection) -> None:
        """End a connection without waiting until its peer has read what was sent."""
        for one in self.server_state.connections:
            if getattr(one, "client", None) == tuple(connection.client or ()):
                one.transport.abort()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        parts: Parts | None = getattr(self.config.app.state, "parts", None)  # type: ignore[union-attr]  # our FastAPI
        if parts is not None:
            parts.hub.close()
            self._settling.cancel()
        await super().shutdown(sockets)


async def _serve(server: uvicorn.Server, listening: socket.socket, settings: Settings) -> int:
    if settings.tls_cert is not None:
        tls.hurry(asyncio.get_running_loop())
    parent = settings.with_parent
    watch = asyncio.create_task(_watch_parent(server, parent)) if parent is not None else None
    await server.serve(sockets=[listening])
    if watch is not None:
        watch.cancel()
    return 0 if server.started else 1


async def _watch_parent(server: uvicorn.Server, parent: int) -> None:
    while os.getppid() == parent:  # noqa: ASYNC110  the system has no event for it
        await asyncio.sleep(PARENT_SECONDS)
    logger.info("the process that started the sidecar is gone")
    server.should_exit = True


def _check(settings: Settings) -> None:
    """Find what would stop the app from starting while it can still be told in one line."""
    try:
        prepare_home(settings.home)
        os.close(app.lock_home(settings))
        load_tokens(settings)
        if settings.loki_url is not None:
            Access.of(settings).check()
        otlp.check_installed(otlp.resolve(settings.otlp_endpoint, os.environ))
    except OSError as error:
        raise ConfigError(
            f"expected to read and write the folder {settings.home}, but: {error.strerror}; choose another --home"
        ) from None


def _sources(settings: Settings, supervised: Sequence[Supervised], watched: Sequence[Configured]) -> list[Assigned]:
    if settings.config is None and not watched:
        return []
    from deskwatch.sources import file, host, kinds  # noqa: PLC0415  a sidecar without sources goes without their code

    configured = [*watched, *(file.read(settings.config) if settings.config is not None else ())]
    assigned = kinds.assign(configured, taken=[one.bot for one in supervised])
    host.check_free(settings.home, assigned)
    return assigned


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # or what is small waits 40 ms for an answer
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BYTES)  # accepted sockets inherit it, and the next
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # a peer that does not read is cut off
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_MILLISECONDS)
    try:
        listening.bind((settings.host, settings.port))
    except OSError as error:
        listening.close()
        raise ConfigError(
            f"expected to listen on {settings.host}:{settings.port}, but: {error.strerror}; choose another --port"
        ) from None
    return listening
