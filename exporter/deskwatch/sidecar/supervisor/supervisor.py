"""One supervised bot: what is done with its process, by a person or by itself, in what order.

Starts, stops and restarts follow one another. A kill waits for none of them, and what a person asked for last holds: a
restart that a stop or a kill overtakes does not start the bot again.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Self

from deskwatch.keeper.keeping import hash_of
from deskwatch.sidecar.supervisor import cancel_hook, log_tail
from deskwatch.sidecar.supervisor.faults import Overtaken, StillThere
from deskwatch.sidecar.supervisor.held import Hold
from deskwatch.sidecar.supervisor.kept_bot import KeptBot
from deskwatch.sidecar.supervisor.restarts import Restarts
from deskwatch.sidecar.supervisor.runs import Runs
from deskwatch.sidecar.supervisor.status import Status
from deskwatch.sidecar.supervisor.telling import ITSELF, Journal, Telling
from deskwatch.supervised import Supervised

logger = logging.getLogger(__name__)

HOOK_SECONDS = 5.0
"""How long the cancel hook may take beyond its time to be ended, before the bot is killed without it."""


class Supervisor:
    """Runs one bot's command. An async context manager that starts it and, leaving, stops or leaves it.

    Attributes:
        bot: The bot's name.
        settings: How it is run.
        restarts: Starts that followed an end by itself, since the sidecar's start.
        hook: How the cancel hook went when it last ran.
    """

    def __init__(self, settings: Supervised, home: Path, journal: Journal) -> None:
        self.bot = settings.bot
        self.settings = settings
        self.home = home
        self.restarts = 0
        self.hook: cancel_hook.HookRun | None = None
        self._policy = Restarts(settings)
        self._hold = Hold(home, settings.bot)
        self._telling = Telling(settings.bot, journal)
        self.runs = Runs(settings, home, self._telling, self._ended)
        self._pause: asyncio.Task[None] | None = None
        self._restart_at: float | None = None
        self._killing: asyncio.Task[None] | None = None
        self._is_wanted = False
        """Whether an end is followed by what the policy says."""
        self._is_closing = False
        self._word = 0
        """Counts what overtakes: stops, kills and restarts."""
        self._lock = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        """The running process, None while there is none."""
        return self.runs.kept.pid if self.runs.kept is not None else None

    @property
    def status(self) -> Status:
        """All that is known, as it is shown."""
        runs = self.runs
        return Status(
            bot=self.bot,
            pid=self.pid,
            running=runs.kept is not None,
            exit_code=runs.exit_code,
            restarts=self.restarts,
            gave_up=self._policy.gave_up,
            last_lines=runs.last_lines,
            restart_at=self._restart_at,
            started_at=runs.kept.kept.started_at if runs.kept is not None else None,
            held=self._hold.word,
            policy=self.settings.restart.value,
            detached=self.settings.detach,
        )

    async def __aenter__(self) -> Self:
        await self._hold.load()
        found = await self.runs.find()
        if found is not None:
            await self._take_over(found)
        elif self._hold.word is None:
            await self._start_by_itself("the sidecar starts", self._word)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop the bot, or leave it to the next sidecar where it is detached."""
        self._is_closing = True
        self._overtake()
        if self._killing is not None:
            await asyncio.wait({self._killing})
        if self.settings.detach and self.runs.kept is not None and self.runs.kept.kept.detached:
            logger.info("the bot goes on without its sidecar", extra={"bot": self.bot, "pid": self.pid})
        else:
            try:
                async with self._lock:
                    await self._end(ITSELF, "the sidecar stops")
            except StillThere as error:
                logger.error("the bot did not end", extra={"bot": self.bot, "error": str(error)})
        await self.runs.close()
        await self._hold.close()
        await self._telling.close()

    async def start(self, actor: str, reason: str | None = None) -> None:
        """A person starts the bot, unless it runs; a crash loop before and a stop count no more.

        Raises:
            OSError: It can't be started.
            Overtaken: A stop, a kill or a restart came while it waited for its turn; or the sidecar stops.
        """
        word = self._word
        await self._killed()
        async with self._lock:
            self._check(word)
            await self.runs.told()
            self._check(word)
            self._cancel_pause()
            self._policy.rearm()
            await self._hold.release()
            if self.runs.kept is None:
                await self._launch(actor, reason)
            self._is_wanted = True

    async def stop(self, actor: str, reason: str | None = None) -> None:
        """A person stops the bot: it is asked to end, and killed after its grace. It stays down until it is started.

        Raises:
            StillThere: It did not end although it was killed.
        """
        self._overtake()
        async with self._lock:
            await self._hold.set("stop", actor, reason)
            await self._end(actor, reason)

    async def restart(self, actor: str, reason: str | None = None) -> None:
        """A person stops the bot and starts it again.

        Raises:
            OSError: It can't be started.
            Overtaken: A stop, a kill or another restart came meanwhile; the bot is not started by this one.
            StillThere: It did not end although it was killed.
        """
        await self._killed()
        word = self._overtake()
        async with self._lock:
            await self._end(actor, reason)
            self._check(word)
            self._policy.rearm()
            await self._hold.release()
            await self._launch(actor, reason)

    async def kill(self, actor: str, reason: str | None = None) -> None:
        """A person kills the bot and all that it started, after the cancel hook. It stays down until it is started.

        A second kill meanwhile is the same one.

        Raises:
            StillThere: Something did not end although it was killed.
        """
        if self._killing is None or self._killing.done():
            self._overtake()
            self._killing = self._task(self._kill(actor, reason), "kill of")
        await asyncio.shield(self._killing)

    async def _kill(self, actor: str, reason: str | None) -> None:
        pid = self.pid
        await self._hold.set("kill", actor, reason)
        await self._telling.tell("kill", actor, pid=pid, reason=reason)
        if self.settings.cancel_hook:
            self.hook = hook = await self._run_hook()
            lines = log_tail.last_words(hook.output)
            told = {"bot": self.bot, "exit_code": hook.exit_code, "error": hook.error, "last_lines": lines}
            logger.log(logging.ERROR if hook.error else logging.INFO, "the cancel hook has run", extra=told)
            await self._telling.tell("hook", actor, reason=hook.error, exit_code=hook.exit_code, last_lines=lines)
        await self.runs.kill()
        async with self._lock:  # after a start that was under way
            if self._hold.word is None:
                await self._hold.set("kill", actor, reason)
            await self.runs.kill()

    async def _run_hook(self) -> cancel_hook.HookRun:
        running = asyncio.ensure_future(self.runs.by_hand(cancel_hook.run, self.settings, self.home))
        done, _ = await asyncio.wait({running}, timeout=self.settings.hook_seconds + HOOK_SECONDS)
        if done:
            return running.result()
        return cancel_hook.HookRun(exit_code=None, error="it hangs in the kernel, and was left to itself", output=b"")

    async def _end(self, actor: str, reason: str | None) -> None:
        """End what runs, for good. Under the lock."""
        self._cancel_pause()
        self._is_wanted = False
        await self.runs.end(actor, reason)

    async def _launch(self, actor: str, reason: str | None) -> None:
        """Start the command. Under the lock, with nothing running.

        Raises:
            OSError: It can't be started.
            Overtaken: The sidecar stops.
        """
        if self._is_closing:
            raise Overtaken("expected a sidecar that goes on; this one stops, and starts no bot any more")
        self._is_wanted = True
        await self.runs.start(actor, reason)

    async def _start_by_itself(self, reason: str, word: int) -> bool:
        """Start the command, unless a person's `word` overtook it; whether it was. A failure counts as an end."""
        try:
            async with self._lock:
                if word == self._word and self.runs.kept is None:
                    await self._launch(ITSELF, reason)
                    return True
        except OSError as error:
            logger.error("the bot can't be started", extra={"bot": self.bot, "error": error.strerror})
            self.runs.last_lines = [f"deskwatch: the command can't be started: {error.strerror}"]
            if word == self._word:
                await self._ended(None, 0.0)
        return False

    async def _take_over(self, kept: KeptBot) -> None:
        """Go on with a run that an earlier sidecar left: one that is detached, or one that is about to end."""
        if kept.kept.detached:
            self._is_wanted = self._hold.word is None
            is_same = kept.kept.command_hash == hash_of(list(self.settings.command))
            told = {"bot": self.bot, "pid": kept.pid, "same_command": is_same}
            logger.info("the bot that runs already was taken over", extra=told)
            await self._telling.tell("adopt", ITSELF, pid=kept.pid)
        else:
            logger.info("an earlier sidecar's bot is about to end", extra={"bot": self.bot, "pid": kept.pid})
            self._pause = self._task(self._follow_up(self._word), "end before the start of")

    async def _follow_up(self, word: int) -> None:
        """Start the bot after the end of an earlier one."""
        async with self._lock:
            await self.runs.wait_or_kill()
        self._pause = None
        if self._hold.word is None:
            await self._start_by_itself("the sidecar starts", word)

    async def _ended(self, code: int | None, ran: float) -> None:
        """After an end: if nobody asked for it, start again, after a pause, or not."""
        if not self._is_wanted:
            return
        self._is_wanted = False
        pause = self._policy.after(code, now=time.monotonic(), ran_seconds=ran)
        if pause is not None:
            self._restart_at = time.time() + pause
            self._pause = self._task(self._restart(pause, code, self._word), "restart of")
        elif self._policy.gave_up:
            limit, seconds = self.settings.crash_limit, self.settings.crash_seconds
            words = f"it ended {limit} times within {seconds:g} s; a person has to start it"
            logger.error("the bot is given up", extra={"bot": self.bot, "reason": words})
            await self._telling.tell("give_up", ITSELF, exit_code=code, reason=words)

    async def _restart(self, pause: float, code: int | None, word: int) -> None:
        await asyncio.sleep(pause)
        self._pause = self._restart_at = None
        reason = "it ended" if code is None else f"it ended with exit code {code}"
        self.restarts += await self._start_by_itself(reason, word)

    def _check(self, word: int) -> None:
        if word != self._word:
            raise Overtaken("expected no other action meanwhile; the bot is not started by this one")

    def _overtake(self) -> int:
        self._word += 1
        self._is_wanted = False
        self._cancel_pause()
        return self._word

    def _cancel_pause(self) -> None:
        if self._pause is not None:
            self._pause.cancel()
        self._pause = self._restart_at = None

    async def _killed(self) -> None:
        """Wait for a kill that is under way."""
        if self._killing is not None and not self._killing.done():
            await asyncio.wait({self._killing})

    def _task(self, work: Coroutine[Any, Any, None], what: str) -> asyncio.Task[None]:
        return asyncio.create_task(work, name=f"{what} {self.bot}")
