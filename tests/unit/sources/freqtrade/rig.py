"""The stand-in for freqtrade as the contract of sources needs it: a fact is a position that was opened."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, Self

from deskwatch.events import Event, PositionOpened
from tests.unit.sources.freqtrade.stand_in import StandIn


class FreqtradeRig:
    """One stand-in. What happens while it is away is in its database, and is read back.

    Attributes:
        freqtrade: The stand-in.
    """

    kind = "freqtrade"
    module: str | None = None
    keeps_history = True
    has_commands = True

    def __init__(self) -> None:
        self.freqtrade = StandIn()
        self._folder = tempfile.TemporaryDirectory(prefix="deskwatch-")
        self._is_away = False

    async def __aenter__(self) -> Self:
        self.freqtrade.__enter__()
        (Path(self._folder.name) / "password").write_text(self.freqtrade.password)
        (Path(self._folder.name) / "password").chmod(0o600)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.freqtrade.__exit__()
        self._folder.cleanup()

    @property
    def changes(self) -> int:
        """How often it was asked for something that changes it."""
        return sum(not each.startswith(("GET ", "POST token/")) for each in self.freqtrade.asked)

    def block(self) -> dict[str, Any]:
        """Settings without a pace that would hold a test up."""
        return {
            "url": self.freqtrade.url,
            "user": self.freqtrade.user,
            "password_file": str(Path(self._folder.name) / "password"),
            "requests_per_second": 100.0,
            "timeout_seconds": 1.0,
        }

    async def happen(self) -> str:
        """A position is opened; the stream says so, if it is there."""
        number = self.freqtrade.open_trade()
        if not self._is_away:
            self.freqtrade.say("entry_fill", trade_id=number)
        return str(number)

    def fact_of(self, event: Event) -> str | None:
        """The position's id."""
        return event.position_id if isinstance(event, PositionOpened) else None

    async def go_away(self) -> None:
        """Nothing listens any more."""
        if not self._is_away:
            self._is_away = True
            self.freqtrade.away()

    async def come_back(self) -> None:
        """It is there, and well."""
        self.freqtrade.delay_seconds, self.freqtrade.garbled = 0.0, None
        if self._is_away:
            self._is_away = False
            self.freqtrade.back()

    async def slow(self, seconds: float) -> None:
        """Each answer takes longer."""
        self.freqtrade.delay_seconds = seconds

    async def garble(self) -> None:
        """Answers are of wrong types, with control characters."""
        self.freqtrade.garbled = b'{"trades": [null, {"trade_id": "\\u0000\\u001b[2J"}], "total_trades": {}}'

    async def restart(self) -> None:
        """Its process ends and begins."""
        self.freqtrade.restart()
