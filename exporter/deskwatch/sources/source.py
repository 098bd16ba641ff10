"""What every source is: settings, a memory of what it told, and a task that watches until it is canceled.

A source runs on an event loop in a thread of its own (`deskwatch.sources.host`): nothing that it does holds up the
sidecar. What it raises is counted and told, and it is begun again with backoff.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

import msgspec

from deskwatch.sources.memory import Memory
from deskwatch.sources.watched import Watched


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that `deskwatch doctor` found out."""

    ok: bool | None
    """False: it can't work so; None: it works, but something is worth knowing."""
    what: str
    """What was looked at, and what was found, as a sentence."""
    cure: str | None = None
    """What to do, as a sentence or as the command to type."""


class Source(Protocol):
    """Watches one peer."""

    @property
    def kind(self) -> str:
        """A key of `deskwatch.sources.KINDS`."""

    @property
    def peer(self) -> str:
        """What is watched, for people: a URL without secrets, a chain's name."""

    def memory(self) -> Memory:
        """An empty memory."""

    async def watch(self, watched: Watched) -> None:
        """Watch until canceled. A peer that is away, slow or wrong is waited for here, with backoff and jitter."""

    def examine(self) -> AsyncIterator[Finding]:
        """Try the settings against the real peer, without changing anything there, and say what is found."""
