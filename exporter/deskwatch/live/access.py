"""Where a sidecar is, and what is shown to it: URL, token, the CA that its certificate is checked against."""

from __future__ import annotations

import ssl
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from deskwatch.errors import ConfigError

MAX_TOKEN_BYTES = 4096
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """How one sidecar is reached. The token is given as it is, or in a file that is read anew for each connection."""

    url: str
    """Base URL: http:// or https://, without user, query or fragment."""
    token: str | None = None
    token_file: Path | None = None
    ca_file: Path | None = None
    """PEM; None for the CAs that the system trusts."""

    @property
    def base(self) -> str:
        """The URL without a slash at its end."""
        return self.url.rstrip("/")

    @property
    def socket_url(self) -> str:
        """The same place for a WebSocket."""
        return "ws" + self.base.removeprefix("http")

    @property
    def name(self) -> str:
        """Host and port, for people."""
        return urlsplit(self.url).netloc

    @property
    def is_loopback(self) -> bool:
        """Whether the sidecar is on this machine."""
        return urlsplit(self.url).hostname in _LOOPBACK

    def check(self) -> Access:
        """Itself, if everything in it can be used.

        Raises:
            ConfigError: All that is wrong, in one message.
        """
        faults = _url_faults(self.url)
        if self.token is not None and self.token_file is not None:
            faults.append("expected a token or a token file, was both")
        for read in (self.authorization, self.tls):
            try:
                read()
            except ConfigError as error:
                faults.append(str(error))
        if faults:
            raise ConfigError("; ".join(faults))
        return self

    def authorization(self) -> str | None:
        """The Authorization header's value; None without a token.

        Raises:
            ConfigError: The file can't be read, or what is in it is no token.
        """
        token = self.token
        if self.token_file is not None:
            try:
                with self.token_file.open("rb") as file:
                    token = file.read(MAX_TOKEN_BYTES).decode(errors="replace").strip()
            except OSError as error:
                raise ConfigError(
                    f"expected a token in {self.token_file}: {error.strerror}; name another by --token-file"
                ) from None
        if token is None:
            return None
        if not (token.isascii() and token.isprintable() and token) or " " in token:
            raise ConfigError("expected a token of printable ASCII characters without spaces")
        return f"Bearer {token}"

    def tls(self) -> ssl.SSLContext | None:
        """What the sidecar's certificate is checked by; None where the URL is without TLS.

        Raises:
            ConfigError: The CA file can't be used.
        """
        if not self.url.startswith("https://"):
            return None
        try:
            return ssl.create_default_context(cafile=None if self.ca_file is None else str(self.ca_file))
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"expected PEM certificates in {self.ca_file}: {error.strerror or error}") from None


def _url_faults(url: str) -> list[str]:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        return [f"expected the URL of a sidecar, was {url!r}: {error}"]
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return [f"expected a sidecar's URL to start with http:// or https://, was {url!r}"]
    if parts.username is not None or parts.password is not None:
        return ["expected a sidecar's URL without a user or a password in it; use a token file"]
    if parts.query or parts.fragment or any(character.isspace() for character in url):
        return [f"expected a sidecar's URL without query, fragment or spaces, was {url!r}"]
    return []
