"""What settings say of endpoints, as endpoints: URLs from their places, names, one HTTP client for all."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Iterable
from urllib.parse import urlsplit

import httpx

from deskwatch.errors import ConfigError
from deskwatch.sources.evm.endpoint import Endpoint, names_of
from deskwatch.sources.evm.local import is_local
from deskwatch.sources.evm.settings import Settings, check_url
from deskwatch.sources.health import Health
from deskwatch.sources.pace import Pace
from deskwatch.sources.secret import Secret
from deskwatch.version import __version__

logging.getLogger("httpx").setLevel(logging.WARNING)  # at INFO it logs each URL, which may hold a provider's key
logging.getLogger("httpcore").setLevel(logging.WARNING)

BURST_REQUESTS, BURST_SECONDS = 10.0, 10.0
"""What may be asked at once after a rest: so many requests, and so many seconds' worth of calls."""


def urls(settings: Settings) -> list[str]:
    """All endpoints, in the order in which they are preferred: those of the settings, then the file's or variable's.

    Raises:
        ConfigError: There are none, or one is no URL of an endpoint.
    """
    secret = Secret("urls", settings.urls_file, settings.urls_env)
    found = [*settings.urls, *(secret.read().split() if secret.is_given() else ())]
    if not found:
        raise ConfigError("expected an endpoint in urls, urls_file or urls_env, was none; give one at least")
    for place, url in enumerate(found):
        try:
            check_url(url, ("http", "https"), may_hold_password=True)
        except ValueError as error:
            raise ConfigError(f"endpoint {place + 1}: {error}") from None
        if url in found[:place]:
            raise ConfigError(f"expected endpoints that differ, was {names_of([url])[0]} twice; give it once")
    return found


def websocket_url(settings: Settings) -> str | None:
    """The WebSocket's URL, where one is given.

    Raises:
        ConfigError: It can't be read, or is no URL of one.
    """
    secret = Secret("ws_url", settings.ws_url_file, settings.ws_url_env)
    url = secret.read() if secret.is_given() else settings.ws_url
    if url is not None:
        try:
            check_url(url, ("ws", "wss"), may_hold_password=True)
        except ValueError as error:
            raise ConfigError(f"ws_url: {error}") from None
    return url


def tls(settings: Settings) -> ssl.SSLContext:
    """What endpoints' certificates are checked by: the system's CAs, and those of `ca_file`.

    Raises:
        ConfigError: That file can't be read.
    """
    context = ssl.create_default_context()
    if settings.ca_file is not None:
        try:
            context.load_verify_locations(settings.ca_file)
        except OSError as error:  # SSLError is one
            raise ConfigError(f"expected PEM certificates in ca_file {settings.ca_file}, but: {error}") from None
    return context


def client(settings: Settings, found: Iterable[str], context: ssl.SSLContext) -> httpx.AsyncClient:
    """An HTTP client for these URLs. A proxy that the environment names is used for hosts elsewhere alone."""
    hosts = {host for url in found if is_local(host := urlsplit(url).hostname or "")}
    return httpx.AsyncClient(
        verify=context,
        timeout=settings.timeout_seconds,
        headers={"User-Agent": f"deskwatch/{__version__}", "Accept": "application/json"},
        mounts={
            f"all://[{host}]" if ":" in host else f"all://{host}": httpx.AsyncHTTPTransport(verify=context)
            for host in hosts
        },
    )


def endpoints(settings: Settings, found: list[str], http: httpx.AsyncClient, health: Health) -> list[Endpoint]:
    """An endpoint for each URL. They share one pace."""
    requests = Pace(settings.requests_per_second, BURST_REQUESTS)
    calls = Pace(settings.calls_per_second, max(1.0, settings.calls_per_second * BURST_SECONDS))
    return [
        Endpoint(
            url,
            name,
            http,
            requests=requests,
            calls=calls,
            health=health,
            batch_calls=settings.batch_calls,
            timeout_seconds=settings.timeout_seconds,
        )
        for url, name in zip(found, names_of(found), strict=True)
    ]
