"""Access to the sidecar: sign-ins that were refused, and tokens."""

from __future__ import annotations

from typing import Any

from deskwatch.events import BotStarted, SignInRefused, TokenMade, TokenRevoked
from deskwatch.journal import Record
from deskwatch.projections.metrics.family import label
from deskwatch.projections.metrics.registry import Registry

PROBLEMS = ("missing", "wrong", "expired", "scope", "bot")
"""What may be wrong with a request's token, in the words of `SignInRefused.problem`."""


class Access:
    """All of it starts at 0 with the first bot that starts."""

    def __init__(self, registry: Registry) -> None:
        self.memory: dict[str, Any] = {}
        self.sign_ins = registry.counter("deskwatch_sign_ins_refused", "Requests with a bad token.", "reason")
        self.made = registry.counter("deskwatch_tokens_made", "Tokens made.")
        self.revoked = registry.counter("deskwatch_tokens_revoked", "Tokens revoked.")
        registry.on(BotStarted, self._started)
        registry.on(SignInRefused, self._sign_in)
        registry.on(TokenMade, self._made)
        registry.on(TokenRevoked, self._revoked)

    def _started(self, record: Record, event: BotStarted) -> None:
        for problem in PROBLEMS:
            self.sign_ins.inc((problem,), 0)
        self.made.inc((), 0)
        self.revoked.inc((), 0)

    def _sign_in(self, record: Record, event: SignInRefused) -> None:
        self.sign_ins.inc((label(event.problem),), max(1, event.attempts))

    def _made(self, record: Record, event: TokenMade) -> None:
        self.made.inc(())

    def _revoked(self, record: Record, event: TokenRevoked) -> None:
        self.revoked.inc(())
