"""A sidecar under attack, with a bot that emits all the while and an operator who must stay in command."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from deskwatch import Mode, Recorder
from deskwatch.events import LogRecorded
from deskwatch.tokens import Token, TokenFile, digest
from tests.fault.hostile import timed
from tests.running import Http, free_port, sidecar
from tests.waiting import eventually

IN_TIME = 3.0
"""Seconds, on a machine whose cores others use, too."""


class Bot:
    """A recorder in a thread, emitting 100 events a second."""

    def __init__(self, home: Path) -> None:
        self._stop = threading.Event()
        self._recorder = Recorder.open("arb-1", home=home, mode=Mode.ACTIVE)
        self.emitted = 0
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._recorder.close()

    def _run(self) -> None:
        while not self._stop.wait(0.01):
            self._recorder.emit(LogRecorded(levelname="INFO", name="bot", message=f"event {self.emitted}"))
            self.emitted += 1


class Desk:
    """A sidecar under attack, and its operator."""

    def __init__(self, http: Http, port: int, bot: Bot) -> None:
        self.http = http
        self.port = port
        self.bot = bot

    def counted(self) -> int:
        """Events of the bot that the sidecar has counted, as an operator reads it."""
        status, _, body = self.http.request("GET", "/metrics", token=self.http.token)
        assert status == 200, body
        for line in body.decode().splitlines():
            if line.startswith("deskwatch_events_total{") and 'bot="arb-1"' in line and 'type="log_recorded"' in line:
                return int(float(line.rpartition(" ")[2]))
        return 0

    def in_command(self) -> None:
        """The operator halts the bot, health is answered, and what the bot said until now has arrived."""
        body = {"mode": "halted", "reason": "under attack"}

        def halt() -> None:
            status, _, answer = self.http.request("PUT", "/bots/arb-1/mode", body, token=self.http.token)
            assert status == 202, answer

        assert timed(halt) < IN_TIME
        assert timed(lambda: self.http.request("GET", "/healthz")) < IN_TIME
        emitted = self.bot.emitted
        eventually(lambda: self.counted() >= emitted, IN_TIME + 2)

    def turned_away(self, reason: str) -> float:
        text = self.http.request("GET", "/metrics", token=self.http.token)[2].decode()
        name = f'deskwatch_http_connections_refused_total{{reason="{reason}"}} '
        return next((float(line.removeprefix(name)) for line in text.splitlines() if line.startswith(name)), 0.0)


@contextlib.contextmanager
def attacked(home: Path) -> Iterator[Desk]:
    """Afterwards the operator is in command, and the log neither holds a traceback nor was flooded."""
    port = free_port()
    home.mkdir(mode=0o700)
    TokenFile(home).add(Token(name="day", hash=digest("d" * 40), scopes=frozenset({"read"})))
    with Bot(home) as bot, sidecar(home, port=port) as http:
        eventually(lambda: http.try_get("/bots/arb-1/snapshot"))
        one = Desk(http, port, bot)
        one.in_command()
        yield one
        one.in_command()
        log = (home / "sidecar.out").read_text().splitlines()
        told = [line for line in log if "Traceback" in line]
        assert not told, told
        assert len(log) < 200, "the log was flooded"
