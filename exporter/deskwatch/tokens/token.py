"""One token: its name, the hash of its secret, and what it may.

A secret is 32 random bytes, so that nobody finds it by trying; a plain SHA-256 of it is enough. A slow hash (scrypt,
Argon2) makes guessing dear where a person chose the secret; here it would only make each request cost 50 ms, and give a
stranger the means to keep the sidecar busy. What the file gives away to a thief is a hash of which nothing follows.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import Annotated, Literal, get_args

import msgspec

Scope = Literal["read", "operate", "trade"]
"""`read`; `operate`: what lowers the risk or leaves it; `trade`: what moves money, and leaving `halted`."""
ALL_SCOPES: tuple[Scope, ...] = get_args(Scope)
WRITING: tuple[Scope, ...] = ("operate", "trade")
LAST_SECOND = 9e9
"""The year 2255: what expires later, as one given in milliseconds would, is a slip, and no event could tell it."""
PREFIX = "dwt_"
"""What a secret begins with, so that it is recognised (and scrubbed) wherever it turns up."""


class Token(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A token and what it may do."""

    name: str
    """What the journal calls whoever uses it."""
    hash: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    """SHA-256 of the secret, 64 hex digits; empty for who needs none."""
    scopes: frozenset[Scope]
    """What it may do."""
    bots: frozenset[str] | None = None
    """Only with these bots; None for all, and for what concerns no single bot."""
    expires: Annotated[float, msgspec.Meta(ge=0, le=LAST_SECOND)] | None = None
    """Unix time in seconds from which it counts no more; None for never."""
    made: float = 0.0
    """Unix time in seconds when it was made."""

    def is_for(self, bot: str) -> bool:
        """Whether it may have to do with a bot."""
        return self.bots is None or bot in self.bots


def digest(secret: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def new_secret() -> str:
    """A secret of 32 random bytes, in letters that go into a header."""
    return PREFIX + secrets.token_urlsafe(32)
