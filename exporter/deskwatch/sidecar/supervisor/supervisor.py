"""One supervised bot: what is done with its process, by a person or by itself, in what order.

Starts, stops and restarts follow one another. A kill waits for none of them, and what a person asked for last holds: a
restart that a stop or a kill overtakes does not start the bot again.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self, TypeVar

from deskwatch.errors import DeskwatchError
from deskwatch.keeper.keeping import hash_of
from deskwatch.sidecar.supervisor import cancel_hook, log_tail
from deskwatch.sidecar.supervisor.held import Hold
from deskwatch.sidecar.supervisor.kept_bot import KeptBot
from deskwatch.sidecar.supervisor.patience import briefly
from deskwatch.sidecar.supervisor.restarts import Restarts
from deskwatch.sidecar.supervisor.status import Status
from deskwatch.sidecar.supervisor.telling import Journal, Telling
from deskwatch.supervised import Supervised

logger = logging.getLogger(__name__)

T = TypeVar("T")
ITSELF = "supervisor"
"""Who acts where no person does."""
LAST_LINES = 10
LAST_LINE = 500
"""Lines of an ended bot's output that are journaled, and the characters of each."""
KEEPER_SECONDS = 3.0
"""How long a keeper may take beyond what it waits for, before it counts as hung."""


class Overtaken(DeskwatchError):
    """A restart was overtaken by another action."""


class StillThere(DeskwatchError):
    """Something of the bot did not end although it was killed."""


class Supervisor:
    """Runs one bot's command. An async context manager that starts it and, leaving, stops or leaves it.

    Attributes:
        bot: The bot's name.
        settings: How it is run.
        exit_code: How the last process ended; None while it runs or where that is not known. Negative: the signal.
        last_exit_code: The same, also while another runs.
        last_lines: The last lines of what the process printed that ended last.
        restarts: Starts that followed an end by itself, since the sidecar's start.
        hook: How the cancel hook went when it last ran.
    """

    def __init__(self, settings: Supervised, home: Path, journal: Journal) -> None:
        self.bot = settings.bot
        self.settings = settings
        self.home = home
        self.exit_code: int | None = None
        self.last_exit_code: int | None = None
        self.last_lines: list[str] = []
        self.restarts = 0
        self.hook: cancel_hook.HookRun | None = None
        self._policy = Restarts(settings)
        self._hold = Hold(home, settings.bot)
        self._telling = Telling(settings.bot, journal)
        self._hands = ThreadPoolExecutor(4, f"supervisor of {settings.bot}")
        """Threads of its own: those of others may all wait for a disk."""
        self._kept: KeptBot | None = None
        self._watch: asyncio.Task[None] | None = None
        self._pause: asyncio.Task[None] | None = None
        self._restart_at: float | None = None
        self._killing: asyncio.Task[None] | None = None
        self._is_wanted = False
        """Whether an end is followed by what the policy says."""
        self._word = 0
        """Counts what overtakes: stops, kills and restarts."""
        self._lock = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        """The running process, None while there is none."""
        return self._kept.pid if self._kept is not None else None

    @property
    def status(self) -> Status:
        """All that is known, as it is shown."""
        return Status(
            bot=self.bot,
            pid=self.pid,
            running=self._kept is not None,
            exit_code=self.exit_code,
            restarts=self.restarts,
            gave_up=self._policy.gave_up,
            last_lines=self.last_lines,
            restart_at=self._restart_at,
            started_at=self._kept.kept.started_at if self._kept is not None else None,
            held=self._hold.word,
            policy=self.settings.restart.value,
            detached=self.settings.detach,
        )

    async def __aenter__(self) -> Self:
        await self._hold.load()
        found = await self._by_hand(KeptBot.find, self.home, self.bot)
        if found is not None:
            await self._take_over(found)
        elif self._hold.word is None:
            await self._start_by_itself("the sidecar starts", self._word)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop the bot, or leave it to the next sidecar where it is detached."""
        self._word += 1
        self._is_wanted = False
        self._cancel_pause()
        if self._killing is not None:
            await asyncio.wait({self._killing})
        if self.settings.detach and self._kept is not None and self._kept.kept.detached:
            logger.info("the bot goes on without its sidecar", extra={"bot": self.bot, "pid": self.pid})
            if self._watch is not None:
                self._watch.cancel()
                await asyncio.wait({self._watch})
            self._kept.close()
        else:
            try:
                async with self._lock:
                    await self._end(ITSELF, "the sidecar stops")
            except StillThere as error:
                logger.error("the bot did not end", extra={"bot": self.bot, "error": str(error)})
        await self._telling.close()
        self._hands.shutdown(wait=False)

    async def start(self, actor: str, reason: str | None = None) -> None:
        """A person starts the bot, unless it runs; a crash loop before and a stop count no more.

        Raises:
            OSError: It can't be started.
        """
        await self._killed()
        async with self._lock:
            self._cancel_pause()
            self._policy.rearm()
            await self._hold.release()
            await self._gone()
            if self._kept is None:
                await self._launch(actor, reason)

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
            if word != self._word:
                raise Overtaken(
                    "expected no other action meanwhile; the bot was stopped and is not started by this one"
                )
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
            self.hook = hook = await self._by_hand(cancel_hook.run, self.settings, self.home)
            lines = [log_tail.shown(line, LAST_LINE) for line in hook.output.splitlines()[-LAST_LINES:]]
            told = {"bot": self.bot, "exit_code": hook.exit_code, "error": hook.error, "last_lines": lines}
            logger.log(logging.ERROR if hook.error else logging.INFO, "the cancel hook has run", extra=told)
            await self._telling.tell("hook", actor, reason=hook.error, exit_code=hook.exit_code, last_lines=lines)
        await self._kill_now()
        async with self._lock:  # after a start that was under way
            if self._hold.word is None:
                await self._hold.set("kill", actor, reason)
            await self._kill_now()

    async def _kill_now(self) -> None:
        kept = self._kept
        if kept is None:
            return
        await self._by_hand(kept.kill)
        if not await self._gone(KEEPER_SECONDS):
            await self._by_hand(kept.kill_with_keeper)
            if not await self._gone(KEEPER_SECONDS):
                raise StillThere(f"expected {self.bot} to end by SIGKILL; process {kept.pid} hangs in the kernel")

    async def _end(self, actor: str, reason: str | None) -> None:
        """End what runs. Under the lock."""
        self._cancel_pause()
        self._is_wanted = False
        kept = self._kept
        if kept is None:
            await self._gone()
            return
        await self._telling.tell("stop", actor, pid=kept.pid, reason=reason)
        await self._by_hand(kept.ask_to_end)
        if not await self._gone(self.settings.grace_seconds + KEEPER_SECONDS):
            logger.warning("the bot's keeper does not answer; both are killed", extra={"bot": self.bot})
            await self._kill_now()

    async def _launch(self, actor: str, reason: str | None) -> None:
        """Start the command. Under the lock, with nothing running."""
        kept = await self._by_hand(KeptBot.start, self.settings, self.home)
        self.exit_code = None
        self._is_wanted = True
        self._follow(kept)
        await self._telling.tell("start", actor, pid=kept.pid, reason=reason)

    async def _start_by_itself(self, reason: str, word: int) -> None:
        """Start the command, unless a person's `word` overtook it; where that fails, the policy says what then."""
        try:
            async with self._lock:
                if word == self._word and self._kept is None:
                    await self._launch(ITSELF, reason)
        except OSError as error:
            logger.error("the bot can't be started", extra={"bot": self.bot, "error": error.strerror})
            self.last_lines = [f"deskwatch: the command can't be started: {error.strerror}"]
            if word == self._word:
                await self._decide(None, 0.0)

    async def _take_over(self, kept: KeptBot) -> None:
        """Go on with a run that an earlier sidecar left: one that is detached, or one that is about to end."""
        self._follow(kept)
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
            if not await self._gone(self.settings.grace_seconds + KEEPER_SECONDS):
                await self._kill_now()
        self._pause = None
        if self._hold.word is None:
            await self._start_by_itself("the sidecar starts", word)

    def _follow(self, kept: KeptBot) -> None:
        self._kept = kept
        self._watch = self._task(self._await_end(kept), "end of")

    async def _await_end(self, kept: KeptBot) -> None:
        code = await kept.ended()
        await self._by_hand(kept.sweep)
        kept.close()
        self.last_lines = await briefly(asyncio.to_thread(self._last_words)) or []
        self.exit_code = self.last_exit_code = code
        self._kept = None
        ran = time.monotonic() - kept.began
        told = {"bot": self.bot, "exit_code": code, "ran_seconds": round(ran, 1), "last_lines": self.last_lines}
        logger.info("the bot's process ended", extra=told)
        await self._telling.tell("exit", ITSELF, pid=kept.pid, exit_code=code, last_lines=self.last_lines)
        if self._is_wanted:
            await self._decide(code, ran)

    async def _decide(self, code: int | None, ran: float) -> None:
        """After an end that nobody asked for: start again, after a pause, or not."""
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
        self.restarts += 1
        await self._start_by_itself("it ended" if code is None else f"it ended with exit code {code}", word)

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

    async def _gone(self, seconds: float | None = None) -> bool:
        """Wait until the end of the last run is told; whether it is."""
        if self._watch is None or (seconds is None and self._kept is not None):
            return self._watch is None
        done, _ = await asyncio.wait({self._watch}, timeout=seconds)
        return bool(done)

    def _last_words(self) -> list[str]:
        return log_tail.tail(self.home, self.bot, LAST_LINES, longest=LAST_LINE)

    async def _by_hand(self, act: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._hands, act, *arguments)

    def _task(self, work: Coroutine[Any, Any, None], what: str) -> asyncio.Task[None]:
        return asyncio.create_task(work, name=f"{what} {self.bot}")
