"""Which mode is asked for: folded from the modes an operator asked for and what became of each.

A command that came to nothing is asked for no longer, unless it lowers the risk: the bot heeds that at its next start
(`deskwatch.command.desired_mode` is the same rule on the bot's side).
"""

from __future__ import annotations

import hashlib
from typing import Literal

import msgspec

from deskwatch import events as ev
from deskwatch.events import Event, Mode
from deskwatch.journal import Record
from deskwatch.journal.names import MAIN
from deskwatch.mode import riskier

KEPT = 100
"""Modes asked for that are remembered of a bot, from the newest one that the bot took up on."""

Fate = Literal["started", "failed", "expired"]
_RANK: dict[Fate, int] = {"expired": 0, "started": 1, "failed": 2}
_FATES: dict[type[Event], Fate] = {
    ev.CommandStarted: "started",
    ev.CommandFailed: "failed",
    ev.CommandExpired: "expired",
}


class ModeState(msgspec.Struct, kw_only=True):
    """A bot's mode. `etag` changes whenever something of it does, or another mode is asked for."""

    actual: str | None = None
    """What the bot acts by, as its journal said last."""
    desired: str | None = None
    """What is asked of it; null where nothing is that it does not do already, or refused to."""
    since: float | None = None
    reason: str | None = None
    actor: str | None = None
    etag: str = ""


class Asked(msgspec.Struct, kw_only=True):
    """Modes asked of one bot, oldest first, from the newest that the bot took up on.

    The two journals may be read in either order: a fate may be known before its command.
    """

    modes: list[tuple[str, str]] = []
    """Command's id, mode."""
    fates: dict[str, Fate] = {}
    obeyed: str | None = None
    """The command by which the bot changed its mode last."""

    def apply(self, record: Record) -> bool:
        """Fold one record in; whether it was about a mode. Of many writers the word of `main` counts."""
        event = record.event
        if isinstance(event, ev.CommandAccepted) and event.command == "set_mode":
            mode = str(event.params.get("mode"))
            if mode not in list(Mode):
                return False
            self.modes.append((event.command_id, mode))
        elif isinstance(event, ev.CommandStarted | ev.CommandFailed | ev.CommandExpired):
            fate = _FATES[type(event)]
            if event.command != "set_mode" or (fate != "expired" and record.writer != MAIN):
                return False
            if _RANK[fate] >= _RANK[self.fates.get(event.command_id, "expired")]:
                self.fates[event.command_id] = fate
        elif isinstance(event, ev.ModeChanged):
            if event.cause is None or record.writer != MAIN:
                return False
            self.obeyed = event.cause
        else:
            return False
        self._prune()
        return True

    def standing(self, actual: str | None) -> str | None:
        """The mode that is asked for, of a bot in mode `actual`.

        None of a bot that took it up and has then by itself, or by somebody elsewhere, gone where there is less risk:
        from `closing` to `standby` when it is flat, from `active` to anything.
        """
        if not self.modes:
            return None
        *_, (newest_id, newest) = self.modes
        if newest_id == self.obeyed and actual is not None and _is_well_left(newest, actual):
            return None
        if newest_id not in self.fates:
            return newest
        base: str | None = None
        lowest: str | None = None
        for command_id, mode in self.modes:
            fate = self.fates.get(command_id)
            if fate == "expired":
                lowest = mode if lowest is None or riskier(Mode(lowest), Mode(mode)) else lowest
            elif fate == "started":
                base, lowest = mode, None
            elif fate == "failed":
                base = lowest = None
        if base is not None:
            return base if lowest is None or riskier(Mode(lowest), Mode(base)) else lowest
        if lowest is not None and actual is not None and riskier(Mode(lowest), Mode(actual)):
            return None
        return lowest

    def show(self, mode: ModeState) -> None:
        """Bring a bot's mode up to date with what is asked of it."""
        mode.desired = self.standing(mode.actual)
        newest = self.modes[-1][0] if self.modes else None
        told = repr((mode.actual, mode.since, mode.desired, newest))
        mode.etag = hashlib.blake2s(told.encode(), digest_size=8).hexdigest()

    def _prune(self) -> None:
        """Forget what came before the newest mode that the bot took up on."""
        first = max(
            (at for at, (name, _) in enumerate(self.modes) if self.fates.get(name) in ("started", "failed")), default=0
        )
        for name, _ in self.modes[:first]:
            self.fates.pop(name, None)
        self.modes = self.modes[first:][-KEPT:]
        while len(self.fates) > KEPT:
            del self.fates[next(iter(self.fates))]


def _is_well_left(asked: str, actual: str) -> bool:
    """Whether a bot that was in the mode asked for may be in this one instead, with nobody's wish unmet."""
    return riskier(Mode(asked), Mode(actual)) or (asked, actual) == (Mode.CLOSING, Mode.STANDBY)
