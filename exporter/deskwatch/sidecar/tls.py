"""TLS: whether it is there where it is needed, and that its handshake takes no time."""

from __future__ import annotations

import asyncio
import ssl
from functools import partial

from deskwatch.config import Settings
from deskwatch.errors import ConfigError

HANDSHAKE_SECONDS = 5.0


def check(settings: Settings) -> None:
    """Find what would let tokens travel unencrypted, or stop TLS from working, while it can be told in one line.

    Raises:
        ConfigError: The address is beyond this machine and there is no TLS; or its files can't be used.
    """
    if settings.is_exposed and not settings.insecure_http:
        raise ConfigError(
            f"expected TLS to listen on {settings.host}, beyond this machine; give --tls-cert and --tls-key, or "
            "--insecure-http if nobody else can read that network"
        )
    if settings.tls_cert is None:
        return
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(settings.tls_cert, settings.tls_key, password="")  # never ask at the terminal
    except (OSError, ValueError) as error:  # an SSLError is an OSError
        words = getattr(error, "strerror", None) or str(error)
        raise ConfigError(
            f"expected a certificate in {settings.tls_cert} and its key, not encrypted, in {settings.tls_key}, but: "
            f"{words}"
        ) from None


def hurry(loop: asyncio.AbstractEventLoop) -> None:
    """Give each handshake HANDSHAKE_SECONDS; asyncio's own limit is a minute, and uvicorn has no setting for it."""
    loop.create_server = partial(loop.create_server, ssl_handshake_timeout=HANDSHAKE_SECONDS)  # type: ignore[method-assign]
