"""How `verify` reaches Loki: by the sink's own settings, for reading and for shipping again."""

from __future__ import annotations

import argparse
import importlib
import ssl
from collections.abc import Mapping
from typing import Any

import urllib3

from deskwatch.config import Settings
from deskwatch.errors import ConfigError
from deskwatch.sinks.loki.push import Push
from deskwatch.verify.loki import CONNECT_SECONDS, READ_SECONDS, Loki

_ACCESS = "deskwatch.sinks.loki.access"


class Access:
    """One Loki, and what it wants to be shown."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        url: str = arguments.loki_url
        if not url.startswith(("http://", "https://")):
            raise ConfigError(f"expected --loki-url to start with http:// or https://, was {url!r}")
        self._url = url
        self._tenant: str | None = arguments.loki_tenant
        self._access: Any = None  # Any: a version without the module has no such type
        if "loki_user" in Settings.__struct_fields__:
            self._access = importlib.import_module(_ACCESS).Access(
                tenant=self._tenant,
                user=arguments.loki_user,
                password_file=arguments.loki_password_file,
                token_file=arguments.loki_token_file,
                ca_file=arguments.loki_ca_file,
            )
            self._access.check()

    def reader(self) -> Loki:
        """For reading."""
        headers: Mapping[str, str] = {} if self._tenant is None else {"X-Scope-OrgID": self._tenant}
        tls: ssl.SSLContext | None = None
        if self._access is not None:
            credentials = importlib.import_module(_ACCESS).Credentials(self._access)
            headers, tls = credentials.headers(), credentials.tls()
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
        return Loki(self._url, headers, urllib3.PoolManager(timeout=timeout, retries=False, ssl_context=tls))

    def push(self) -> Push:
        """For shipping again."""
        if self._access is None:
            return Push(self._url, self._tenant)
        more: dict[str, Any] = {"access": self._access}  # Any: as above
        return Push(self._url, **more)
