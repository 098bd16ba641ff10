"""What has to be known of a freqtrade to watch it."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit, urlunsplit

from msgspec import Meta

from deskwatch.sources.secret import Secret
from deskwatch.sources.settings import SourceSettings

API = "/api/v1"
"""Where freqtrade's REST API begins (`rpc/api_server/webserver.py`)."""


class Settings(SourceSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of a freqtrade whose `api_server` is enabled."""

    url: Annotated[
        str,
        Meta(description="where freqtrade's api_server listens: http://127.0.0.1:8080, or a proxy's address and path"),
    ]
    user: Annotated[str, Meta(description="api_server.username of freqtrade's configuration")]
    password_file: Annotated[
        Path | None, Meta(description="file that holds api_server.password alone; read again when it is refused")
    ] = None
    password_env: Annotated[str | None, Meta(description="environment variable that holds api_server.password")] = None
    ws_token_file: Annotated[
        Path | None, Meta(description="file that holds api_server.ws_token; without it a login's token is used")
    ] = None
    ws_token_env: Annotated[str | None, Meta(description="environment variable that holds api_server.ws_token")] = None
    ca_file: Annotated[
        Path | None, Meta(description="certificates to trust for https, PEM; by default the system's")
    ] = None
    requests_per_second: Annotated[
        float, Meta(gt=0, le=100, description="most requests on average; commands go ahead of the others")
    ] = 1.0
    timeout_seconds: Annotated[float, Meta(gt=0, le=300, description="most time for an answer")] = 10.0

    def __post_init__(self) -> None:
        """Refuse what can't be meant.

        Raises:
            ValueError: The URL is none, or holds a password; the user can't be sent.
        """
        try:
            parts = urlsplit(self.url)
            host, _ = parts.hostname, parts.port
        except ValueError as error:
            raise ValueError(f"expected url like http://127.0.0.1:8080, but: {error}") from None
        if "@" in parts.netloc:
            raise ValueError("expected url without user and password; give them as user and password_file")
        if parts.scheme not in ("http", "https") or not host:
            raise ValueError(
                f"expected url like http://127.0.0.1:8080, was {self.url!r}; begin with http:// or https://"
            )
        if parts.query or parts.fragment:
            raise ValueError(f"expected url without ? and #, was one; give it up to the path: {self.base}")
        if ":" in self.user or not self.user.isprintable() or not self.user:
            raise ValueError(f"expected user without a colon and control characters, was {self.user!r}")
        if not (self.password_file or self.password_env):
            raise ValueError("expected password_file or password_env to say where the password is; give one of them")

    @property
    def base(self) -> str:
        """The URL below which all endpoints are."""
        parts = urlsplit(self.url)
        path = parts.path.rstrip("/").removesuffix(API)
        return urlunsplit((parts.scheme, parts.netloc, path + API, "", ""))

    @property
    def peer(self) -> str:
        """The URL as people know it."""
        return self.base.removesuffix(API)

    @property
    def stream_url(self) -> str:
        """Where the WebSocket is, without the token."""
        return "ws" + self.base.removeprefix("http") + "/message/ws"

    @property
    def is_tls(self) -> bool:
        """Whether what is sent is encrypted."""
        return urlsplit(self.url).scheme == "https"

    @property
    def is_local(self) -> bool:
        """Whether what is sent stays on this machine."""
        host = urlsplit(self.url).hostname or ""
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host == "localhost" or host.endswith(".localhost")

    @property
    def password(self) -> Secret:
        """Where the password is."""
        return Secret("password", self.password_file, self.password_env)

    @property
    def ws_token(self) -> Secret:
        """Where the WebSocket's token is, if it has one of its own."""
        return Secret("ws_token", self.ws_token_file, self.ws_token_env)
