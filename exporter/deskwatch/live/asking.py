"""One request to a sidecar, and what its answer means. Blocking: threads wait here, event loops hand it to one."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import msgspec
import urllib3

from deskwatch.errors import Declined, NotAllowed, Unreachable
from deskwatch.live.access import Access

CONNECT_SECONDS = 3.0
READ_SECONDS = 10.0
MAX_ANSWER_BYTES = 64 * 1024 * 1024
"""A longer answer is none of a sidecar's."""
MAX_WORDS = 500
_NOT_ALLOWED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.MISDIRECTED_REQUEST})
_LATER = frozenset({408, 425, 429})


class Sidecar:
    """A sidecar that can be asked. Safe to share between threads."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self._pool = urllib3.PoolManager(
            num_pools=2, maxsize=4, retries=False, ssl_context=access.tls(), cert_reqs="CERT_REQUIRED"
        )

    def close(self) -> None:
        """Give back the connections."""
        self._pool.clear()

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        query: dict[str, Any] | None = None,  # Any: urlencode's
        headers: dict[str, str] | None = None,
        read_seconds: float = READ_SECONDS,
    ) -> Any:  # Any: whatever JSON holds
        """The JSON of a good answer.

        Raises:
            ConfigError: The token file can't be read.
            Declined: The sidecar said no.
            NotAllowed: It wants another token, or another name.
            Unreachable: No answer, or one that asks to try later.
        """
        return self._decode(self.ask_bytes(method, path, body, query=query, headers=headers, read_seconds=read_seconds))

    def ask_bytes(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        query: dict[str, Any] | None = None,  # Any: urlencode's
        headers: dict[str, str] | None = None,
        read_seconds: float = READ_SECONDS,
    ) -> bytes:
        """The body of a good answer. Raises as `ask`."""
        sent = {"Accept": "application/json", **(headers or {})}
        authorization = self.access.authorization()
        if authorization is not None:
            sent["Authorization"] = authorization
        data = None
        if body is not None:
            data = msgspec.json.encode(body)
            sent["Content-Type"] = "application/json"
        url = self.access.base + path + ("?" + urlencode(query, doseq=True) if query else "")
        status, answer, more = self._send(method, url, data, sent, read_seconds)
        if 200 <= status < 300:
            return answer
        raise self._error(status, answer, more)

    def _send(
        self, method: str, url: str, data: bytes | None, headers: dict[str, str], read_seconds: float
    ) -> tuple[int, bytes, str | None]:
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=read_seconds)
        try:
            answer = self._pool.request(
                method, url, body=data, headers=headers, timeout=timeout, redirect=False, preload_content=False
            )
            try:
                content = answer.read(MAX_ANSWER_BYTES + 1, decode_content=True)
            finally:
                answer.release_conn() if answer.length_remaining == 0 else answer.close()
        except (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError) as error:
            raise Unreachable(f"{self.access.name} can't be reached: {_short(error)}", arrived=False) from None
        except urllib3.exceptions.SSLError as error:
            raise Unreachable(
                f"{self.access.name} can't be trusted: {_short(error)}; name its CA by --ca-file", arrived=False
            ) from None
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise Unreachable(f"{self.access.name} gave no answer: {_short(error)}") from None
        if len(content) > MAX_ANSWER_BYTES:
            raise Unreachable(f"{self.access.name} gave an answer that does not end; is it a sidecar?")
        return answer.status, content, answer.headers.get("Retry-After")

    def _error(self, status: int, answer: bytes, retry_after: str | None) -> Exception:
        words = _detail(answer) or f"status {status}"
        if status in _NOT_ALLOWED:
            if status == HTTPStatus.UNAUTHORIZED:
                words += self._sent()
            return NotAllowed(f"{self.access.name} does not allow it: {words}", status=status)
        if status >= 500 or status in _LATER:
            asked = float(retry_after) if retry_after and retry_after.isdecimal() else 0.0
            return Unreachable(f"{self.access.name} can't do it now: {words}", retry_seconds=asked)
        if status < 400:
            return Declined(f"{self.access.name} answered with status {status}; is it a sidecar?", status=status)
        return Declined(words, status=status)

    def _sent(self) -> str:
        if self.access.token_file is not None:
            return f"; sent was the one in {self.access.token_file}"
        return "" if self.access.token else "; name that home by --home, or a token's file by --token-file"

    def _decode(self, answer: bytes) -> Any:  # Any: whatever JSON holds
        try:
            return msgspec.json.decode(answer)
        except msgspec.DecodeError:
            raise Unreachable(f"{self.access.name} answered with something that is no JSON; is it a sidecar?") from None


def _short(error: BaseException) -> str:
    """The system's reason within urllib3's words."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.strerror:
            return str(seen.strerror)
        reason = getattr(seen, "reason", None)
        seen = reason if isinstance(reason, BaseException) else seen.__cause__ or seen.__context__
    return str(error)[:MAX_WORDS] or type(error).__name__


def _detail(answer: bytes) -> str:
    """What a problem document says."""
    try:
        document = json.loads(answer)
    except ValueError:
        return ""
    detail = document.get("detail") if isinstance(document, dict) else None
    return detail[:MAX_WORDS] if isinstance(detail, str) else ""
