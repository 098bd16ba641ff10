"""Bot and sidecar die by SIGKILL at each step of a command: one effect, none, or `unknown`, each truthfully."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests import running
from tests.fault.commanded_bot import STEPS
from tests.soak import count
from tests.waiting import eventually

WHEN = ("asked", "accepted", *STEPS)
WHO = ("bot", "sidecar", "both")
FINAL = ("succeeded", "failed", "expired", "refused")
SEEN_SECONDS = 25.0


class Bot:
    """The bot's process, which waits at each step of a command to be let on."""

    def __init__(self, home: Path, effects: Path, log: Path) -> None:
        argv = [sys.executable, "-m", "tests.fault.commanded_bot", str(home), str(effects)]
        with log.open("ab") as errors:
            self._child = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors)
        self._steps: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        assert self.step() == "ready"

    def step(self) -> str:
        """The step that it has come to."""
        return self._steps.get(timeout=SEEN_SECONDS)

    def go_on(self) -> None:
        """Let it on from a step."""
        assert self._child.stdin is not None
        self._child.stdin.write(b"\n")
        self._child.stdin.flush()

    def pause(self) -> None:
        """Let it do nothing at all, from now to its end."""
        os.kill(self._child.pid, signal.SIGSTOP)

    def kill(self) -> None:
        """End it at once."""
        self._child.kill()
        self._child.wait()
        self._reader.join()
        for pipe in (self._child.stdin, self._child.stdout):
            assert pipe is not None
            with contextlib.suppress(BrokenPipeError):
                pipe.close()

    def run_free(self, until: Any) -> None:
        """Let it on from each step until a condition holds."""

        def look() -> bool:
            with contextlib.suppress(queue.Empty):
                self._steps.get_nowait()
                self.go_on()
            return bool(until())

        eventually(look, SEEN_SECONDS, every=0.005)

    def _read(self) -> None:
        assert self._child.stdout is not None
        for line in self._child.stdout:
            self._steps.put(line.decode().strip())


class World:
    """A bot, a sidecar, and the effects that commands had."""

    def __init__(self, folder: Path) -> None:
        self.home, self.effects, self.log = folder / "home", folder / "effects", folder / "bot.log"
        self.port = running.free_port()
        self.http = running.Http(f"http://127.0.0.1:{self.port}", self.home)
        self.home.mkdir(mode=0o700)
        self.effects.touch()
        self.effects.with_suffix(".open").touch()
        self.start_sidecar()
        self.bot = Bot(self.home, self.effects, self.log)
        eventually(lambda: self.is_ready() and self.http.bot().get("offers"), SEEN_SECONDS)

    def start_sidecar(self) -> None:
        argv = [sys.executable, "-m", "deskwatch", "sidecar", "--home", str(self.home), "--port", str(self.port)]
        with (self.home / "sidecar.out").open("ab") as output:
            self.sidecar = subprocess.Popen(argv, stdout=output, stderr=output, stdin=subprocess.DEVNULL)

    def is_ready(self) -> bool:
        return self.http.try_get("/readyz") is not None

    def kill(self, who: str) -> None:
        """Kill, and start again what was killed."""
        if who in ("sidecar", "both"):
            self.sidecar.kill()
            self.sidecar.wait()
        if who in ("bot", "both"):
            self.bot.kill()
            self.bot = Bot(self.home, self.effects, self.log)
        if who in ("sidecar", "both"):
            self.start_sidecar()

    def ask(self, kind: str, token: str, key: str) -> dict[str, Any]:
        """Give a command, by the same key again and again until it is answered."""
        params = {"position_id": token} if kind == "close_position" else {"token": token}
        body = {"type": kind, "params": params}

        def answered() -> Any:
            with contextlib.suppress(OSError, EOFError):
                status, _, answer = self.http.request(
                    "POST", "/bots/arb-1/commands", body, token=self.http.token, Idempotency_Key=key
                )
                if status == 202:
                    return json.loads(answer)
                assert status in (404, 409, 503), answer  # it has just started and has not read the journals yet
            return None

        found: dict[str, Any] = eventually(answered, SEEN_SECONDS, every=0.05)
        return found

    def status(self, command_id: str) -> str:
        found = self.http.try_get(f"/commands/{command_id}")
        return "" if found is None else str(found["status"])

    def effects_of(self, token: str) -> int:
        return self.effects.read_text().splitlines().count(token)

    def close(self) -> None:
        self.sidecar.kill()
        self.sidecar.wait()
        self.bot.kill()


@contextlib.contextmanager
def world(folder: Path) -> Iterator[World]:
    one = World(folder)
    try:
        yield one
    finally:
        one.close()


class Round:
    """One command, and one death at one of its steps."""

    def __init__(self, one: World, number: int, kind: str, when: str, who: str) -> None:
        self.world, self.kind, self.when, self.who = one, kind, when, who
        self.token = f"t{number}"
        self.command_id = ""

    def play(self, delay: float) -> None:
        """Give the command, kill at its step, let all go on, and look what came of it."""
        one = self.world
        if self.kind == "close_position":
            with one.effects.with_suffix(".open").open("a") as book:
                book.write(f"{self.token}\n")
            one.bot.run_free(lambda: self.token in one.http.bot()["positions"])
        if self.when == "accepted" and self.who != "sidecar":
            one.bot.pause()
        asking = threading.Thread(target=self._ask)
        asking.start()
        if self.when == "asked":
            time.sleep(delay)
        elif self.when == "accepted":
            asking.join()
        else:
            while one.bot.step() != self.when:
                one.bot.go_on()
        one.kill(self.who)
        if self.when in STEPS and self.who == "sidecar":
            one.bot.go_on()
        one.bot.run_free(lambda: not asking.is_alive() and one.status(self.command_id) in (*FINAL, "unknown"))
        self._check()

    def _ask(self) -> None:
        self.command_id = self.world.ask(self.kind, self.token, self.token)["id"]

    def _check(self) -> None:
        one, told = self.world, (self.kind, self.when, self.who)
        bot_died_within = self.who != "sidecar" and self.when in ("started", "effect", "shown")
        status, effects = one.status(self.command_id), one.effects_of(self.token)
        if self.when == "asked" and self.who != "sidecar":  # it may have begun by then, and waits before the effect
            assert (status, effects) in (("succeeded", 1), ("unknown", 0)), told
            return
        if not bot_died_within:  # a death of the bot before it took the command, or of the sidecar: nothing is lost
            assert (status, effects) == ("succeeded", 1), told
            return
        assert effects == (0 if self.when == "started" else 1), told
        if self.kind == "close_position" and effects:  # shown before the bot's death, or found out after its restart
            eventually(lambda: one.status(self.command_id) == "succeeded", SEEN_SECONDS)
        else:
            assert status == "unknown", told


def test_commands_have_one_effect_or_none_or_are_unknown_whoever_dies_when(tmp_path: Path) -> None:
    """In random order; at the end all is started once more, and nothing of it has changed."""
    chance = random.Random(11)
    cases = [(when, who) for when in WHEN for who in WHO]
    chance.shuffle(cases)
    number_of = count(20, 200)
    with world(tmp_path) as one:
        rounds = []
        for number in range(number_of):
            when, who = cases[number % len(cases)]
            kind = chance.choice(("append", "close_position"))
            rounds.append(Round(one, number, kind, when, who))
            rounds[-1].play(chance.random() * 0.03)
        before = [(one.status(each.command_id), one.effects_of(each.token)) for each in rounds]
        one.kill("both")
        eventually(one.is_ready, SEEN_SECONDS)
        eventually(lambda: one.http.bot()["running"], SEEN_SECONDS)
        after = [(one.status(each.command_id), one.effects_of(each.token)) for each in rounds]
        assert after == before
        assert len({each.command_id for each in rounds}) == number_of
        assert len(one.effects.read_text().splitlines()) <= number_of
