"""An Origin, as browsers send it: scheme, host and port of the web page that makes a request."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

from deskwatch.errors import ConfigError

_PORTS = {"http": 80, "https": 443}


class Origin(NamedTuple):
    """Two are the same where all of it is."""

    scheme: str
    host: str
    port: int


def parse(text: str) -> Origin | None:
    """What a header or a person says; None for what is no Origin of a web page, `null` among it."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return None
    scheme, host = parts.scheme.lower(), parts.hostname
    has_more = parts.path or parts.query or parts.fragment or "@" in parts.netloc
    if scheme not in _PORTS or not host or has_more or not text.isascii():
        return None
    return Origin(scheme, host.lower(), port if port is not None else _PORTS[scheme])


def check_origin(text: str) -> str:
    """An Origin that a person wrote.

    Raises:
        ConfigError: It is none, or holds more than scheme, host and port.
    """
    if parse(text) is None:
        raise ConfigError(
            f"expected --allowed-origin to be a scheme, host and port such as https://desk.example:8443, was {text!r}"
        )
    return text
