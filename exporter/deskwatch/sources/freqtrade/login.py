"""How deskwatch shows freqtrade who it is: by a token that a login gave, else by user and password at each request.

freqtrade's `rpc/api_server/api_auth.py`: `POST token/login` with HTTP Basic gives an access token (15 minutes) and a
refresh token (30 days), both JWTs signed with `jwt_secret_key`; `POST token/refresh` with the latter gives another
access token. All else takes either an access token or HTTP Basic. What is not good is answered with 401.
"""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Awaitable, Callable
from typing import Any

from deskwatch.backoff import Backoff
from deskwatch.errors import ConfigError
from deskwatch.sources.freqtrade.answer import Answer
from deskwatch.sources.freqtrade.errors import Unauthorized
from deskwatch.sources.freqtrade.settings import Settings
from deskwatch.sources.peer_json import NotJson, decode

SHARE = 0.8
"""An access token is replaced after this share of its life."""
MAX_TOKEN = 8192
"""Characters of a token that is worth keeping."""


class Login:
    """The `Authorization` header in force.

    A password that was refused is not tried again at once: whoever asks meanwhile gets `Unauthorized` without a
    request, unless the secret has changed.

    Args:
        settings: Who, and where the password is.
        post: Posts to a path with an `Authorization` header, and gives the answer.
    """

    def __init__(self, settings: Settings, post: Callable[[str, str], Awaitable[Answer]]) -> None:
        self._settings = settings
        self._post = post
        self._line = asyncio.Lock()
        self._header: str | None = None
        self._refresh: str | None = None
        self._due = 0.0
        self._is_proven = False
        self._uses_password = False
        self._denied: str | None = None
        self._denied_until = 0.0
        self._backoff = Backoff(first_seconds=2.0)

    async def header(self) -> str:
        """What to send.

        Raises:
            Unauthorized: The password is not accepted, or can't be read.
            Unreachable: No answer to the login.
        """
        async with self._line:
            if self._header is None or time.monotonic() >= self._due:
                self._header, self._is_proven = await self._obtain(), False
            return self._header

    async def token(self) -> str | None:
        """The access token alone; None where user and password are sent each time."""
        kind, _, token = (await self.header()).partition(" ")
        return token if kind == "Bearer" else None

    def accepted(self, header: str) -> None:
        """It was taken."""
        if header == self._header:
            self._is_proven = True
            self._denied = None
            self._backoff.reset()

    def refused(self, header: str) -> None:
        """It was not taken: the next one is made otherwise.

        Raises:
            Unauthorized: There is no other way.
        """
        if header != self._header:
            return  # another request found that out before
        self._header = None
        if header.startswith("Basic "):
            self._refresh, self._uses_password = None, False
            self._deny(_password(self._settings))
        elif not self._is_proven:  # fresh from a login, and yet: something before freqtrade wants the password
            self._refresh, self._uses_password = None, True

    def forget(self) -> None:
        """It may be another process that is asked next, so it is asked anew whom it lets in."""
        self._header = self._refresh = None

    async def _obtain(self) -> str:
        password = _password(self._settings)
        if password == self._denied and time.monotonic() < self._denied_until:
            raise Unauthorized(
                f"freqtrade refused the user {self._settings.user} or the password; it is tried again soon"
            )
        if self._refresh is not None:
            refresh, self._refresh = self._refresh, None
            access = self._access(await self._post("token/refresh", f"Bearer {refresh}"))
            if access is not None:
                self._refresh = refresh
                return access
        basic = _basic(self._settings.user, password)
        self._due = float("inf")
        if self._uses_password:
            return basic
        answer = await self._post("token/login", basic)
        if answer.status == 401:
            self._deny(password)
        access = self._access(answer)
        if access is None:  # something that lets no login pass, or gives no token
            self._uses_password = True
            return basic
        self._refresh = _text(_object(answer.body).get("refresh_token"))
        return access

    def _access(self, answer: Answer) -> str | None:
        """The header of an answer's access token; None where it holds none."""
        token = _text(_object(answer.body).get("access_token")) if 200 <= answer.status < 300 else None
        if token is None:
            return None
        self._due = time.monotonic() + SHARE * _lifetime_seconds(token)
        return f"Bearer {token}"

    def _deny(self, password: str) -> None:
        self._denied = password
        self._denied_until = time.monotonic() + self._backoff.next_seconds(at_least=1.0)
        raise Unauthorized(
            f"freqtrade refused the user {self._settings.user} or the password; compare api_server.username and "
            f"api_server.password of its configuration with {_place(self._settings)}"
        )


def _password(settings: Settings) -> str:
    try:
        return settings.password.read()
    except ConfigError as error:
        raise Unauthorized(str(error)) from None


def _place(settings: Settings) -> str:
    return f"the file {settings.password_file}" if settings.password_file else f"the variable {settings.password_env}"


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _object(body: bytes) -> dict[str, Any]:
    """The JSON object in it; an empty one where it is none."""
    try:
        found = decode(body)
    except NotJson:
        return {}
    return found if isinstance(found, dict) else {}


def _text(found: Any) -> str | None:  # Any: whatever JSON holds
    """A token that can stand in a header."""
    is_one = isinstance(found, str) and 0 < len(found) <= MAX_TOKEN and found.isascii() and found.isprintable()
    return found if is_one and " " not in found else None


def _lifetime_seconds(token: str) -> float:
    """How long a JWT is good for, by its own `iat` and `exp`, so that clocks need not agree; else for ever."""
    body = token.split(".")[1] if token.count(".") == 2 else ""
    try:
        claims = _object(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        return max(float(claims["exp"]) - float(claims["iat"]), 1.0)
    except (ValueError, KeyError, TypeError, OverflowError):
        return float("inf")
