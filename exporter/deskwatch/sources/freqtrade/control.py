"""Commands for a freqtrade: each is asked for over REST, and done when freqtrade reports what was asked for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from deskwatch.command import Command
from deskwatch.events import Mode
from deskwatch.sources.freqtrade.client import Client
from deskwatch.sources.watched import Watched


class Control:
    """Of one freqtrade.

    Args:
        client: Asks it.
        watched: Where its commands come from.
        look: Reads its state back at once, and journals what differs.
    """

    def __init__(self, client: Client, watched: Watched, look: Callable[[], Awaitable[None]]) -> None:
        self._client = client
        self._watched = watched
        self._look = look

    async def serve(self) -> None:
        """Take commands while freqtrade can be reached, and reduce while `closing`; until canceled."""
        raise NotImplementedError

    async def carry_out(self, command: Command) -> None:
        """Do what is asked, wait until freqtrade shows it, and finish the command. It raises nothing of freqtrade's."""
        raise NotImplementedError

    def mode_of(self, state: object) -> Mode | None:
        """The mode that freqtrade's `state` stands for; None while it is none (`reload_config`), or unknown.

        `paused` is `closing` while this reduces to flat, else `standby`.
        """
        raise NotImplementedError
