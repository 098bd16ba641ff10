"""`<home>/tokens.json`: every token but the read token of `--read-token-file`. Its owner alone may read it.

    {"format": 1, "tokens": [{"name": …, "hash": …, "scopes": […], "bots": null, "expires": null, "made": …}]}

The first operator's token is made on first use; its secret lies in `<home>/token`. Whoever changes the file holds a
lock meanwhile and replaces it whole, so that a reader never finds half of it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from deskwatch import atomic
from deskwatch.errors import ConfigError
from deskwatch.journal.names import check_name
from deskwatch.tokens.token import ALL_SCOPES, Token, digest, new_secret

OPERATOR = "operator"
"""Name of the first operator's token."""
RESERVED = frozenset({"anonymous", "reader", "supervisor"})
"""Names that the journal gives to others."""
MAX_TOKENS = 1000
MIN_SECRET = 16
"""Characters of a secret that somebody else chose."""


class _File(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    format: int
    tokens: list[Token]


class TokenFile:
    """Reads and changes the tokens of a home."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.path = home / "tokens.json"
        self.secret_path = home / "token"

    def read(self) -> list[Token]:
        """The tokens; none where there is no file.

        Raises:
            ConfigError: The file is not what it should be.
            OSError: It can't be read.
        """
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return []
        try:
            file = msgspec.json.decode(data, type=_File)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ConfigError(f"expected tokens in {self.path}, but: {error}; mend it, or restore it") from None
        if file.format != 1:
            raise ConfigError(
                f"expected {self.path} to be of format 1, was {file.format}; use the version that made it"
            )
        return file.tokens

    def stamp(self) -> tuple[int, int, int] | None:
        """What differs once the file was replaced or changed; None where there is none."""
        try:
            found = os.stat(self.path)
        except FileNotFoundError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size

    def add(self, token: Token) -> None:
        """Add a token; the first operator's is there before it.

        Raises:
            ConfigError: There is one of its name already, or too many.
        """
        check_name("token's name", token.name)
        if token.name in RESERVED:
            raise ConfigError(f"expected another name than {token.name!r}, which the journal gives to others")

        def with_it(tokens: list[Token]) -> list[Token]:
            if any(one.name == token.name for one in tokens):
                raise ConfigError(f"expected a new name, was {token.name!r}; revoke that token first")
            if len(tokens) >= MAX_TOKENS:
                raise ConfigError(f"expected fewer than {MAX_TOKENS} tokens; revoke some")
            return [*tokens, token]

        self.prepare()
        self._change(with_it)

    def revoke(self, name: str) -> None:
        """Take a token away; the operator's first one with the file of its secret.

        Raises:
            ConfigError: There is none of this name.
        """

        def without(tokens: list[Token]) -> list[Token]:
            left = [one for one in tokens if one.name != name]
            if len(left) == len(tokens):
                names = ", ".join(one.name for one in tokens) or "none"
                raise ConfigError(f"expected the name of a token, was {name!r}; there are: {names}")
            if name == OPERATOR:  # before the tokens: of a secret that is still there, the next start makes a token
                self.secret_path.unlink(missing_ok=True)
            return left

        self._change(without)

    def prepare(self) -> list[Token]:
        """The tokens, the first operator's among them; it is made on first use.

        A secret that its owner put into `<home>/token`, or took away from there, counts from here on; a token that was
        revoked is not made again.

        Raises:
            ConfigError: The secret is too short to be one, or the file is not what it should be.
        """

        def with_operator(tokens: list[Token]) -> list[Token]:
            known = next((one for one in tokens if one.name == OPERATOR), None)
            if not self.secret_path.exists():
                if known is None and self.path.exists():
                    return tokens  # revoked
                atomic.write(self.secret_path, new_secret().encode() + b"\n")
            hashed = digest(read_secret(self.secret_path, "delete it to have one made"))
            if known is not None and known.hash == hashed:
                return tokens
            operator = Token(name=OPERATOR, hash=hashed, scopes=frozenset(ALL_SCOPES), made=time.time())
            return [operator, *(one for one in tokens if one.name != OPERATOR)]

        return self._change(with_operator)

    def _change(self, change: Callable[[list[Token]], list[Token]]) -> list[Token]:
        with self._locked():
            before = self.read()
            after = change(before)
            if after != before or not self.path.exists():
                data = msgspec.json.encode(_File(format=1, tokens=after), order="deterministic")
                atomic.write(self.path, msgspec.json.format(data, indent=2) + b"\n")
            return after

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        fd = os.open(self.home / "tokens.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)


def read_secret(path: Path, way_out: str) -> str:
    """The secret that a file holds.

    Raises:
        ConfigError: It can't be read, or could be guessed.
    """
    try:
        secret = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"expected a token in {path}: {getattr(error, 'strerror', error)}") from None
    if len(secret) < MIN_SECRET:
        raise ConfigError(f"expected {path} to hold a token of {MIN_SECRET} or more characters; {way_out}")
    return secret
