"""Who may: tokens, and where reading needs none.

The operator's token may do everything; the read token, for Prometheus and boards, may read. Reading without a token is
allowed only where the sidecar listens on a loopback address and the request's Host is a name of this machine, so that
a web page elsewhere can't read through a visitor's browser (DNS rebinding).
"""

from __future__ import annotations

import hmac
import secrets
from typing import Literal

import msgspec

from deskwatch import atomic
from deskwatch.config import Settings
from deskwatch.errors import ConfigError

Scope = Literal["read", "operate", "trade"]
"""`read`; `operate`: what lowers the risk or leaves it; `trade`: what moves money, and leaving `halted`."""
WRITING: tuple[Scope, ...] = ("operate", "trade")
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


class Denied(Exception):
    """A request may not do what it asks.

    Attributes:
        problem: `missing`, `wrong` or `scope`.
    """

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


class Token(msgspec.Struct, frozen=True):
    """A token and what it may do."""

    name: str
    secret: str
    scopes: frozenset[Scope]


class Gate:
    """Knows the tokens; decides on each request."""

    def __init__(self, settings: Settings, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._open_reading = settings.is_loopback
        self._hosts = _LOOPBACK_NAMES | {host.lower() for host in (*settings.allowed_hosts, settings.host)}

    def identify(self, authorization: str | None, *scopes: Scope) -> str:
        """Name of whoever sends this Authorization header, if they have one of the scopes.

        Raises:
            Denied: No token where one is needed, a wrong one, or one without the scope.
        """
        if not authorization:
            if "read" in scopes and self._open_reading:
                return "anonymous"
            raise Denied("missing")
        kind, _, presented = authorization.partition(" ")
        found = None
        for token in self._tokens:  # all of them, so that time tells nothing
            if hmac.compare_digest(token.secret.encode(), presented.strip().encode()):
                found = token
        if found is None or kind.lower() != "bearer":
            raise Denied("wrong")
        if found.scopes.isdisjoint(scopes):
            raise Denied("scope")
        return found.name

    def knows_host(self, host_header: str) -> bool:
        """Whether a request's Host names this sidecar. Asked only where reading is open."""
        if not self._open_reading:
            return True
        name = host_header.rpartition(":")[0] if not host_header.endswith("]") and ":" in host_header else host_header
        return name.strip("[]").lower() in self._hosts


def load_tokens(settings: Settings) -> list[Token]:
    """The operator's token of a home, made on first use, and the read token where there is one.

    Raises:
        ConfigError: The read token's file can't be read or is empty.
    """
    path = settings.home / "token"
    if not path.exists():
        atomic.write(path, secrets.token_urlsafe(32).encode() + b"\n")
    operator = path.read_text().strip()
    if len(operator) < 16:
        raise ConfigError(f"expected {path} to hold a token of 16 or more characters; delete it to have one made")
    tokens = [Token("operator", operator, frozenset({"read", *WRITING}))]
    if settings.read_token_file is not None:
        try:
            secret = settings.read_token_file.read_text().strip()
        except OSError as error:
            raise ConfigError(f"expected a token in {settings.read_token_file}: {error.strerror}") from None
        if len(secret) < 16:
            raise ConfigError(f"expected {settings.read_token_file} to hold a token of 16 or more characters")
        tokens.append(Token("reader", secret, frozenset({"read"})))
    return tokens
