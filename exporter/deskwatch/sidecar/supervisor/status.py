"""A supervised process as it is shown."""

from __future__ import annotations

from typing import Any

import msgspec

from deskwatch.sidecar.supervisor.held import Held


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """One bot's process."""

    bot: str
    pid: int | None
    running: bool
    exit_code: int | None
    """How the last process ended; None while it runs or where that is not known. Negative: the signal."""
    restarts: int
    """Starts that followed an end by itself, since the sidecar's start."""
    gave_up: bool
    """Whether it fell into a crash loop: it stays down until a person starts it."""
    last_lines: list[str]
    """The last lines of what the process printed that ended last."""
    restart_at: float | None
    """Unix time of the next start, while a restart is ahead."""
    started_at: float | None
    """Unix time of the running process's start."""
    held: Held | None
    """Who stopped it, until somebody starts it."""
    policy: str
    """Which ends are followed by a start."""
    detached: bool
    """Whether it goes on when the sidecar ends."""

    def as_dict(self) -> dict[str, Any]:
        """The same by name, for a document that says more."""
        return msgspec.structs.asdict(self)
