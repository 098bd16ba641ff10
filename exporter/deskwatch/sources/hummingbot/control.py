"""Commands: what Hummingbot can be asked over MQTT, and what shows that it did it.

It starts and stops its strategy, and no more: `set_mode active` is its start, `set_mode halted` its stop, which cancels
its orders and leaves its positions. Neither counts as done by its reply alone: its status or its log has to show it
(`deskwatch.sources.hummingbot.strategy`).
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable

import msgspec

from deskwatch.command import Command
from deskwatch.errors import CommandError
from deskwatch.events import Mode
from deskwatch.sources.hummingbot.errors import NoReply
from deskwatch.sources.hummingbot.payload import Fields
from deskwatch.sources.hummingbot.presence import Presence
from deskwatch.sources.hummingbot.rpc import Reply, Rpc
from deskwatch.sources.hummingbot.settings import Settings
from deskwatch.sources.hummingbot.strategy import Strategy
from deskwatch.sources.watched import Watched, wanted_mode

AGAIN_SECONDS = 1.0
"""Between looks for what was asked for."""
REFUSED_SECONDS = 3.0
"""A refusal counts once nothing else showed for so long."""
STARTS_SECONDS = 60.0
"""What starts within this time of Hummingbot's own start is started by its configuration."""
MOST_SHOWN = 20_000
"""Characters of a status, and as many trades' worth of a history, that a command's result holds."""
MOST_TRADES = 100

_STANDBY = (
    "Hummingbot's strategy runs or doesn't: ask for halted, which stops it and cancels its orders, or for active; "
    "it can't watch without trading"
)
_CLOSING = (
    "Hummingbot can't be asked over MQTT to close its positions; halted stops its strategy and cancels its orders"
)
_UNABLE = {
    "close_position": _CLOSING,
    "close_all": _CLOSING,
    "cancel_orders": "Hummingbot cancels orders over MQTT only when its strategy stops: ask for halted",
    "set_watchlist": "Hummingbot takes no list of markets over MQTT; its strategy's configuration has them",
    "reload_config": "Hummingbot reads its configuration when a strategy starts: ask for halted, and then for active",
}


class NoParams(msgspec.Struct, forbid_unknown_fields=True):
    """Of a command that takes none."""


class HistoryParams(msgspec.Struct, forbid_unknown_fields=True):
    """Of `history`."""

    days: float = 1.0


class _Failed(Exception):
    """What the operator is told."""


class Control:
    """Carries out commands, several at once: a halt waits for nobody."""

    def __init__(self, watched: Watched, settings: Settings, rpc: Rpc, strategy: Strategy, presence: Presence) -> None:
        self._watched = watched
        self._settings = settings
        self._rpc = rpc
        self._strategy = strategy
        self._presence = presence
        self._starting: asyncio.Task[None] | None = None
        self._lowers_until = 0.0
        self._owes_stop = False

    def offer(self) -> None:
        """Say which commands there are beyond the vocabulary."""
        self._watched.offer("status", NoParams, description="Hummingbot's own status of its strategy, as text")
        self._watched.offer("history", HistoryParams, description="its trades of the last days")

    async def run(self) -> None:
        """Take commands while Hummingbot is there."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                command = await self._watched.next_command(self._presence.is_there)
                task = tasks.create_task(self.carry_out(command))
                if wanted_mode(command) is Mode.ACTIVE:
                    self._starting = task

    def restarted(self) -> None:
        """It was started anew: for a while, what runs was started by its configuration and not by a person."""
        self._lowers_until = time.monotonic() + STARTS_SECONDS

    async def lower(self) -> None:
        """If it was halted before it was started anew, it is stopped again: a restart never raises the risk.

        What starts by itself does so a while after Hummingbot; and a stop that fails is tried at the next look.
        """
        is_due = time.monotonic() < self._lowers_until or self._owes_stop
        if not is_due or self._watched.asked_mode() is not Mode.HALTED or self._strategy.runs is False:
            self._owes_stop = False
            return
        try:
            await self._stop()
        except _Failed:
            self._owes_stop = True  # until then it shows: it trades, although halted is asked for
            return
        self._owes_stop = False
        self._watched.show_mode(Mode.HALTED, reason="it was halted before it was started anew", actor="deskwatch")

    async def carry_out(self, command: Command) -> None:
        """Perform a command, and say what became of it."""
        try:
            result = await self._perform(command)
        except _Failed as error:
            command.fail(str(error))
        except NoReply as error:
            command.fail(str(error))
        except asyncio.CancelledError:
            self._fail_once(
                command, "it was asked to halt meanwhile, or deskwatch ended; what it does now is not known"
            )
            task = asyncio.current_task()
            if task is None or task is not self._starting:
                raise
        else:
            command.succeed(result)

    async def _perform(self, command: Command) -> object:
        match command.type:
            case "ping":
                began = time.monotonic()
                reply = await self._rpc.ask("status", {"async_backend": False}, urgent=True)
                self._strategy.status(reply)
                return {"seconds": round(time.monotonic() - began, 3), "strategy_runs": self._strategy.runs}
            case "set_mode":
                return await self._set_mode(command)
            case "status":
                reply = await self._rpc.ask("status", {"async_backend": False}, urgent=True)
                self._strategy.status(reply)
                return {"status": _well(reply).message[:MOST_SHOWN]}
            case "history":
                days = getattr(command.parsed, "days", 1.0)
                reply = _well(
                    await self._rpc.ask("history", {"days": max(days, 0.0), "async_backend": False}, urgent=True)
                )
                trades = reply.data.get("trades")
                trades = trades if isinstance(trades, list) else []
                return {"trades": len(trades), "latest": trades[-MOST_TRADES:]}
        raise _Failed(_UNABLE.get(command.type, f"Hummingbot can't be asked for {command.type} over MQTT"))

    async def _set_mode(self, command: Command) -> object:
        wanted = wanted_mode(command)
        if wanted is Mode.STANDBY:
            raise _Failed(_STANDBY)
        if wanted is None or wanted is Mode.CLOSING:
            raise _Failed(_CLOSING)
        if wanted is Mode.HALTED and self._starting is not None:
            self._starting.cancel()
        self._presence.is_changing = True
        try:
            shown = await (self._stop() if wanted is Mode.HALTED else self._start())
        finally:
            self._presence.is_changing = False
        self._watched.show_mode(wanted, reason=command.reason, actor=command.actor, cause=command.id)
        return {"mode": wanted.value, "shown_by": shown}

    async def _stop(self) -> str:
        began = time.monotonic()
        reply = await self._try("stop", {"async_backend": False})

        def shows() -> str | None:
            if self._strategy.runs is False and self._strategy.shown_stopped > began:
                if self._strategy.answers:
                    return "its status"
                if reply is not None and reply.is_well:
                    return "its reply and its log"
            return None

        return await self._until(shows, "stop", reply)

    async def _start(self) -> str:
        began = time.monotonic()
        await self._presence.ask()
        if self._strategy.runs and self._strategy.answers:
            return "its status: it ran already"
        data = {"script": self._settings.script, "conf": self._settings.conf, "async_backend": False}
        reply = await self._try("start", data)

        def shows() -> str | None:
            if self._strategy.runs and self._strategy.shown_started > began:
                return "its status" if self._strategy.answers else "its log"
            return None

        return await self._until(shows, "start", reply)

    async def _try(self, command: str, data: Fields) -> Reply | None:
        """Its reply; None where none came: what it does may show all the same."""
        try:
            return await self._rpc.ask(command, data, urgent=True)
        except NoReply:
            return None

    async def _until(self, shows: Callable[[], str | None], what: str, reply: Reply | None) -> str:
        """What showed that it did what was asked.

        Raises:
            _Failed: Nothing did, in time.
        """
        is_refused = reply is not None and not reply.is_well
        most = REFUSED_SECONDS if is_refused else self._settings.confirm_seconds
        deadline = time.monotonic() + min(most, self._settings.confirm_seconds)
        while True:
            await self._presence.ask()
            shown = shows()
            if shown is not None:
                return shown
            if time.monotonic() >= deadline:
                break
            await asyncio.sleep(min(AGAIN_SECONDS, max(deadline - time.monotonic(), 0.01)))
        if reply is None:
            raise _Failed(f"Hummingbot did not reply to {what}, and nothing shows that it did it; look at it yourself")
        if is_refused:
            raise _Failed(f"Hummingbot refused to {what}: {reply.message or 'it did not say why'}")
        said = f": {reply.message}" if reply.message else ""
        raise _Failed(
            f"Hummingbot replied to {what}{said}, and neither its status nor its log shows it "
            f"within {self._settings.confirm_seconds:g} s; look at it yourself"
        )

    @staticmethod
    def _fail_once(command: Command, reason: str) -> None:
        with contextlib.suppress(CommandError):
            command.fail(reason)


def _well(reply: Reply) -> Reply:
    if not reply.is_well:
        raise _Failed(f"Hummingbot refused: {reply.message or 'it did not say why'}")
    return reply
