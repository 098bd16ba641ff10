"""Commands for a freqtrade: each is asked for over REST, and done when freqtrade reports what was asked for."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from deskwatch.command import Command
from deskwatch.errors import JournalError
from deskwatch.events import ConfigReloaded, Json, Mode, WatchlistChanged
from deskwatch.journal.names import MAIN
from deskwatch.scrub import scrub
from deskwatch.sources.freqtrade import pair_locks
from deskwatch.sources.freqtrade.cancels import cancel_orders
from deskwatch.sources.freqtrade.client import Client
from deskwatch.sources.freqtrade.exits import Exits, reduce
from deskwatch.sources.freqtrade.modes import Modes
from deskwatch.sources.freqtrade.pursuit import NotDone, Pursuit
from deskwatch.sources.freqtrade.reload import reload_config
from deskwatch.sources.freqtrade.trader import Trader
from deskwatch.sources.freqtrade.watchlist import Watchlist
from deskwatch.sources.watched import Watched, wanted_mode

logger = logging.getLogger(__name__)

ENDED_WORDS = "deskwatch ended before it was seen done; look at freqtrade itself"


class Control:
    """Of one freqtrade.

    Attributes:
        is_reloading: While it reads its configuration again by a command: then the ConfigReloaded comes from here.

    Args:
        client: Asks it.
        watched: Where its commands come from.
        look: Reads its state back at once, and journals what differs. It may be called by several at once.
    """

    def __init__(self, client: Client, watched: Watched, look: Callable[[], Awaitable[None]]) -> None:
        self._client = client
        self._watched = watched
        self._look = look
        self._trader = Trader(client)
        self._modes = Modes(self._trader, watched)
        self._exits = Exits(self._trader)
        self._watchlist = Watchlist(self._trader)
        self.is_reloading = False

    async def serve(self) -> None:
        """Take commands while freqtrade can be reached, and reduce while `closing`; until canceled.

        Each command has a task of its own: one that waits for an exchange holds up no halt.
        """
        if self._watched.writer == MAIN:  # no other is given commands
            pair_locks.offer(self._watched)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(reduce(self._trader, self._modes, self._look), name="reducing to flat")
            while True:
                command = await self._watched.next_command(self._client.reachable)
                tasks.create_task(self.carry_out(command), name=f"command {command.type}")
                await asyncio.sleep(0)  # it takes its place in line before the next one

    async def carry_out(self, command: Command) -> None:
        """Do what is asked, wait until freqtrade shows it, and finish the command. It raises nothing of freqtrade's."""
        pursuit = Pursuit(command, self._look)
        try:
            result = await self._do(command, pursuit)
        except NotDone as error:
            await pursuit.look()
            command.fail(scrub(str(error)))
        except asyncio.CancelledError:
            command.fail(ENDED_WORDS)
            raise
        except JournalError:
            raise  # nothing can be told: the source begins again, and what freqtrade shows then says what was done
        except Exception as error:  # a fault of ours must not leave a command without an end, nor end the others
            logger.exception("a command failed", extra={"command": command.type})
            command.fail(scrub(f"{type(error).__name__}: {error}"))
        else:
            command.succeed(result)

    def mode_of(self, state: object, asked_at: float | None = None) -> Mode | None:
        """The mode that freqtrade's `state` stands for; None where there is nothing to tell.

        There is nothing to tell while it is no mode (`reload_config`), and while a mode is being changed from here,
        which is told from here. `paused` is `closing` while this reduces to flat, else `standby`.

        Args:
            state: As `show_config` has it.
            asked_at: `time.monotonic()` before it was asked for: what is older than the last change is not told.
        """
        return self._modes.of(state, time.monotonic() if asked_at is None else asked_at)

    async def hold(self, mode: Mode, reason: str) -> bool:
        """Lower a freqtrade that came up riskier than it may be, and tell its mode; whether that worked.

        Raises:
            FreqtradeError: It can't be asked.
        """
        return await self._modes.hold(mode, reason)

    async def _do(self, command: Command, pursuit: Pursuit) -> Json:
        if command.type == "ping":
            return await self._ping(pursuit)
        mode = wanted_mode(command)
        if mode is not None:
            return await self._modes.obey(mode, pursuit)
        await self._modes.settle()
        result = await self._carry_out(command, pursuit)
        await pursuit.look()
        return result

    async def _carry_out(self, command: Command, pursuit: Pursuit) -> Json:
        match command.type:
            case "close_position":
                return await self._exits.close(command.params, pursuit)
            case "close_all":
                return await self._exits.close_all(pursuit)
            case "cancel_orders":
                return await cancel_orders(self._trader, command.params, pursuit)
            case "set_watchlist":
                return await self._narrow(command, pursuit)
            case "reload_config":
                return await self._reload(pursuit)
            case "lock_pair":
                return await pair_locks.lock(self._trader, command.params, pursuit)
            case "unlock_pair":
                return await pair_locks.unlock(self._trader, command.params, pursuit)
            case _:
                raise NotDone(f"freqtrade knows no command like {command.type}")

    async def _narrow(self, command: Command, pursuit: Pursuit) -> Json:
        result, symbols = await self._watchlist.narrow(command.params, pursuit)
        self._watched.emit(WatchlistChanged(symbols=symbols, reason=command.reason, cause=command.id))
        return result

    async def _reload(self, pursuit: Pursuit) -> Json:
        self.is_reloading = True
        try:
            result = await reload_config(self._trader, self._modes, pursuit)
            await pursuit.look()
            self._watched.emit(ConfigReloaded(cause=pursuit.command.id))
        finally:
            self.is_reloading = False
        return result

    async def _ping(self, pursuit: Pursuit) -> Json:
        seconds = await pursuit.until(self._client.ping, lambda: "expected an answer to a ping")
        state = await pursuit.until(self._trader.state, lambda: "expected freqtrade's state")
        return {"latency_seconds": round(seconds, 6), "state": state, "mode": self._watched.mode}
