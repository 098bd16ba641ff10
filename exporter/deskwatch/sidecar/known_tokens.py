"""Following the file of tokens: what was made or revoked counts within LOOK_SECONDS, and is journaled.

What was journaled is remembered in `<home>/tokens-journaled.json`, so that what changed while no sidecar ran is
journaled at its start; the operator's first token, which is made with the home, is not. A crash between the journal and
the memory tells a change twice, never not at all. A file that can't be read leaves the tokens as they were, so that a
slip of an editor locks nobody out in a bad hour; it is logged.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable

import msgspec

from deskwatch import atomic
from deskwatch.config import Settings
from deskwatch.errors import DeskwatchError
from deskwatch.events import Event, TokenMade, TokenRevoked
from deskwatch.sidecar.auth import Gate, reader_of
from deskwatch.sidecar.steady import Steady
from deskwatch.tokens import Token, TokenFile
from deskwatch.tokens.file import OPERATOR

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
"""How long a token that was revoked may still count."""

Journal = Callable[[Event], Awaitable[None]]


class KnownTokens(Steady):
    """Keeps a gate's tokens those of the file. An async context manager."""

    def __init__(self, settings: Settings, gate: Gate, journal: Journal) -> None:
        self._file = TokenFile(settings.home)
        self._reader = reader_of(settings)
        self._gate = gate
        self._journal = journal
        self._memory = settings.home / "tokens-journaled.json"
        self._journaled: dict[str, str] | None = None
        self._tokens: list[Token] | None = None
        self._stamp: object = object()

    async def _work(self) -> None:
        while True:
            try:
                self._read()
                await self._tell()
            except (OSError, DeskwatchError) as error:
                logger.error("the tokens could not be followed, trying again", extra={"error": str(error)})
            await asyncio.sleep(LOOK_SECONDS)

    def _read(self) -> None:
        stamp = self._file.stamp()
        if stamp == self._stamp:
            return
        self._stamp = stamp  # of before the reading: what comes in between is seen next time
        try:
            self._tokens = self._file.read()
        except OSError:  # it may well be sound, and a token revoked in it
            self._stamp = object()
            raise
        self._gate.replace([*self._tokens, *self._reader])

    async def _tell(self) -> None:
        """Journal what changed since it was last journaled."""
        if self._tokens is None:
            return
        wanted = {token.name: _fingerprint(token) for token in self._tokens}
        before = self._journaled if self._journaled is not None else self._remember(wanted)
        if wanted == self._journaled:
            return
        for name in before.keys() - wanted.keys():
            await self._journal(TokenRevoked(name=name))
        for token in self._tokens:
            if before.get(token.name) == wanted[token.name]:
                continue
            if token.name in before:  # revoked and made anew between two looks, or changed by hand
                await self._journal(TokenRevoked(name=token.name))
            await self._journal(_made(token))
        await asyncio.to_thread(atomic.write, self._memory, msgspec.json.encode(wanted))
        self._journaled = wanted

    def _remember(self, wanted: dict[str, str]) -> dict[str, str]:
        try:
            return msgspec.json.decode(self._memory.read_bytes(), type=dict[str, str])
        except FileNotFoundError:  # a home's first token is made with it, and is no news
            return {OPERATOR: wanted[OPERATOR]} if OPERATOR in wanted else {}
        except msgspec.DecodeError:
            logger.warning("which tokens were journaled is not known: all of them are journaled again")
            return {}


def _made(token: Token) -> TokenMade:
    return TokenMade(
        name=token.name,
        scopes=sorted(token.scopes),
        bots=None if token.bots is None else sorted(token.bots),
        expires_ts=None if token.expires is None else int(token.expires * 1e9),
    )


def _fingerprint(token: Token) -> str:
    return hashlib.sha256(msgspec.json.encode(token, order="deterministic")).hexdigest()
