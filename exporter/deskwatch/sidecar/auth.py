"""Who may: what a token opens, and where reading needs none.

Reading without a token is allowed only where the sidecar listens on a loopback address and the request's Host is a name
of this machine, so that a web page elsewhere can't read through a visitor's browser (DNS rebinding).
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Sequence

from deskwatch.config import Settings
from deskwatch.sidecar.refusals import Refusals
from deskwatch.tokens import WRITING, Scope, Token, TokenFile, digest
from deskwatch.tokens.file import read_secret

__all__ = ["WRITING", "Denied", "Gate", "Scope", "load_tokens"]

_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
ANONYMOUS = Token(name="anonymous", hash="", scopes=frozenset({"read"}))
"""Whoever reads without a token, where that is allowed."""


class Denied(Exception):
    """A request may not do what it asks.

    Attributes:
        problem: `missing`, `wrong`, `expired`, `scope` or `bot`.
    """

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


class Gate:
    """Knows the tokens; decides on each request."""

    def __init__(self, settings: Settings, tokens: Sequence[Token], now: Callable[[], float] = time.time) -> None:
        self._tokens = tuple(tokens)
        self._now = now
        self.refusals = Refusals()
        """What becomes of whoever is not admitted."""
        self._open_reading = settings.is_loopback
        self._hosts = _LOOPBACK_NAMES | {host.lower() for host in (*settings.allowed_hosts, settings.host)}

    def replace(self, tokens: Sequence[Token]) -> None:
        """From now on, these are the tokens."""
        self._tokens = tuple(tokens)

    def identify(self, authorization: str | None, *scopes: Scope) -> Token:
        """The token of this Authorization header, if it has one of the scopes.

        Raises:
            Denied: No token where one is needed, a wrong one, one that is too old, or one without the scope.
        """
        if not authorization:
            if "read" in scopes and self._open_reading:
                return ANONYMOUS
            raise Denied("missing")
        kind, _, presented = authorization.partition(" ")
        found = self._find(presented.strip())
        if found is None or kind.lower() != "bearer":
            raise Denied("wrong")
        if self._is_expired(found):
            raise Denied("expired")
        if found.scopes.isdisjoint(scopes):
            raise Denied("scope")
        return found

    def is_good(self, token: Token) -> bool:
        """Whether a token that was admitted would still be: it was not revoked or changed, and is not too old."""
        if token is ANONYMOUS:
            return self._open_reading
        return token in self._tokens and not self._is_expired(token)

    def holds(self, secret: str) -> bool:
        """Whether a text is the secret of a token."""
        return self._find(secret) is not None

    def knows_host(self, host_header: str) -> bool:
        """Whether a request's Host names this sidecar. Asked only where reading is open."""
        if not self._open_reading:
            return True
        name = host_header.rpartition(":")[0] if not host_header.endswith("]") and ":" in host_header else host_header
        return name.strip("[]").lower() in self._hosts

    def _find(self, secret: str) -> Token | None:
        hashed = digest(secret)
        found = None
        for token in self._tokens:  # all of them, so that time tells nothing
            if hmac.compare_digest(token.hash, hashed):
                found = token
        return found

    def _is_expired(self, token: Token) -> bool:
        return token.expires is not None and self._now() >= token.expires


def load_tokens(settings: Settings) -> list[Token]:
    """The tokens of a home, the first operator's made on first use; and the read token where there is one.

    Raises:
        ConfigError: A file of tokens or of a secret can't be read, or holds none.
    """
    return [*TokenFile(settings.home).prepare(), *reader_of(settings)]


def reader_of(settings: Settings) -> list[Token]:
    """The read token of a file of its own, where there is one.

    Raises:
        ConfigError: Its file can't be read or is empty.
    """
    path = settings.read_token_file
    if path is None:
        return []
    secret = read_secret(path, "write one into it")
    return [Token(name="reader", hash=digest(secret), scopes=frozenset({"read"}))]
