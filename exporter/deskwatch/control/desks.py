"""Which of several sidecars has a bot, and what bots a sidecar has."""

from __future__ import annotations

from typing import Any

from deskwatch.errors import ConfigError, Declined, SidecarError
from deskwatch.live.access import Access
from deskwatch.live.asking import Sidecar


def desk_of(bot: str, accesses: list[Access]) -> Access:
    """The sidecar that has a bot. One alone is taken without asking it: it will say itself that it doesn't.

    Raises:
        ConfigError: Several have it.
        Declined: None has it.
        SidecarError: None that could be asked has it.
    """
    if len(accesses) == 1:
        return accesses[0]
    having: list[Access] = []
    trouble: SidecarError | None = None
    for access in accesses:
        try:
            if any(state.get("bot") == bot for state in states(access)):
                having.append(access)
        except SidecarError as error:
            trouble = error
    if len(having) == 1:
        return having[0]
    if having:
        names = " and ".join(access.url for access in having)
        raise ConfigError(f"expected one sidecar with a bot {bot!r}, was {names}; name one by --url")
    if trouble is not None:
        raise trouble
    raise Declined(f"expected a bot that one of {len(accesses)} sidecars knows, was {bot!r}", status=404)


def states(access: Access) -> list[dict[str, Any]]:
    """The state of each bot of a sidecar. Raises as `Sidecar.ask`."""
    sidecar = Sidecar(access)
    try:
        answer = sidecar.ask("GET", "/bots")
    finally:
        sidecar.close()
    bots = answer.get("bots") if isinstance(answer, dict) else None
    return [state for state in bots if isinstance(state, dict)] if isinstance(bots, list) else []
