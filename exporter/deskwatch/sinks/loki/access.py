"""How to reach a Loki that asks who is there: tenant, credentials, and the CA that its certificate is checked against.

Secrets come from files. A file that changes is read again, so that a secret can be rotated without a restart; while it
can't be read, what it last said is used.
"""

from __future__ import annotations

import argparse
import base64
import os
import re
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from deskwatch.config import Settings
from deskwatch.errors import ConfigError

MAX_SECRET_BYTES = 16 * 1024
_SECRET = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
T = TypeVar("T")


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent with each request, and whom to trust. Either user and password, or a token, or neither."""

    tenant: str | None = None
    """X-Scope-OrgID."""
    user: str | None = None
    password_file: Path | None = None
    token_file: Path | None = None
    ca_file: Path | None = None
    """PEM; None for the CAs that the system trusts."""

    @classmethod
    def of(cls, settings: Settings | argparse.Namespace) -> Access:
        """What the sidecar, or a command with the same flags, was told."""
        return cls(
            tenant=settings.loki_tenant,
            user=settings.loki_user,
            password_file=settings.loki_password_file,
            token_file=settings.loki_token_file,
            ca_file=settings.loki_ca_file,
        )

    def check(self) -> None:
        """Read every file once.

        Raises:
            ConfigError: All that is wrong, in one message.
        """
        faults = []
        if (self.user is None) is not (self.password_file is None):
            faults.append("expected --loki-user and --loki-password-file together, was one of them alone")
        if self.token_file is not None and (self.user is not None or self.password_file is not None):
            faults.append("expected a token or a user for Loki, was both; leave out --loki-token-file or --loki-user")
        if self.user is not None and ":" in self.user:
            faults.append("expected --loki-user without ':'")
        for path in (self.password_file, self.token_file):
            if path is not None:
                faults += _fault_of(read_secret, path)
        if self.ca_file is not None:
            faults += _fault_of(read_ca, self.ca_file)
        if faults:
            raise ConfigError("; ".join(faults))


class Watched(Generic[T]):
    """A file's content, read again when the file changes."""

    def __init__(self, path: Path, read: Callable[[Path], T]) -> None:
        self._path = path
        self._read = read
        self._seen: tuple[int, int, int] | None = None
        self._value: T | None = None

    def get(self) -> T:
        """The content; the last good one where the file can't be read now.

        Raises:
            ConfigError: It never could be read.
        """
        try:
            stat = os.stat(self._path)
            seen = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if seen != self._seen:
                self._value = self._read(self._path)
                self._seen = seen
        except (OSError, ConfigError) as error:
            if self._value is None:
                raise ConfigError(str(error)) from None
        assert self._value is not None  # noqa: S101  read, or raised
        return self._value


class Credentials:
    """An access's headers and TLS context, as its files are now."""

    def __init__(self, access: Access) -> None:
        self._access = access
        secret = access.token_file or access.password_file
        self._secret = None if secret is None else Watched(secret, read_secret)
        self._ca = None if access.ca_file is None else Watched(access.ca_file, read_ca)

    def headers(self) -> dict[str, str]:
        """The headers that say who asks.

        Raises:
            ConfigError: A secret's file can't be read.
        """
        headers = {} if self._access.tenant is None else {"X-Scope-OrgID": self._access.tenant}
        if self._secret is not None:
            secret = self._secret.get()
            if self._access.token_file is not None:
                headers["Authorization"] = f"Bearer {secret}"
            else:
                pair = f"{self._access.user}:{secret}".encode()
                headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        return headers

    def tls(self) -> ssl.SSLContext | None:
        """The context of the CA file, another object whenever it changed; None where there is no such file.

        Raises:
            ConfigError: The file can't be read.
        """
        return None if self._ca is None else self._ca.get()


def read_secret(path: Path) -> str:
    """The one line of a secret's file.

    Raises:
        ConfigError: There is no such file, or it holds anything else.
    """
    try:
        with path.open("rb") as file:
            text = file.read(MAX_SECRET_BYTES + 1).decode("ascii").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"expected a secret for Loki in {path}: {_words(error)}") from None
    if len(text) > MAX_SECRET_BYTES or not _SECRET.fullmatch(text):
        raise ConfigError(f"expected one line of printable ASCII in {path}, was something else; write the secret alone")
    return text


def read_ca(path: Path) -> ssl.SSLContext:
    """A TLS context that trusts the certificates of a PEM file and no others.

    Raises:
        ConfigError: There is no such file, or no certificate in it.
    """
    try:
        return ssl.create_default_context(cafile=str(path))
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise ConfigError(f"expected PEM certificates in {path}: {_words(error)}") from None


def _fault_of(read: Callable[[Path], object], path: Path) -> list[str]:
    try:
        read(path)
    except ConfigError as error:
        return [str(error)]
    return []


def _words(error: Exception) -> str:
    return error.strerror or "unreadable" if isinstance(error, OSError) else "not ASCII"
