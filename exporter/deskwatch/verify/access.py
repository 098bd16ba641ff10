"""How `verify` reaches Loki: by the sink's own settings, for reading and for shipping again."""

from __future__ import annotations

import urllib3

from deskwatch.sinks.loki import Access
from deskwatch.sinks.loki.access import Credentials
from deskwatch.sinks.loki.push import Push
from deskwatch.verify.loki import CONNECT_SECONDS, READ_SECONDS, Loki


class LokiAccess:
    """One Loki, and what it wants to be shown.

    Raises:
        ConfigError: A file that the access names can't be used.
    """

    def __init__(self, url: str, access: Access) -> None:
        access.check()
        self._url = url
        self._access = access

    def reader(self) -> Loki:
        """For reading."""
        credentials = Credentials(self._access)
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
        pool = urllib3.PoolManager(timeout=timeout, retries=False, ssl_context=credentials.tls())
        return Loki(self._url, credentials.headers(), pool)

    def push(self) -> Push:
        """For shipping again."""
        return Push(self._url, access=self._access)
