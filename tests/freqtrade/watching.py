"""deskwatch beside two freqtrades, spot and futures, with a gate before each and an exchange behind both."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from deskwatch.events import BotStarted
from tests import running
from tests.exchange import server as exchanges
from tests.exchange.server import Exchange
from tests.freqtrade import process
from tests.freqtrade.configuration import USER, TradingMode
from tests.freqtrade.gate import Gate, gate
from tests.freqtrade.ledger import Books, Database, differences, read
from tests.freqtrade.process import Freqtrade
from tests.waiting import eventually

MODES: tuple[TradingMode, ...] = ("spot", "futures")
"""Their names as bots, too."""


class Life(NamedTuple):
    """Of one deskwatch, from its start to its end: monotonic seconds."""

    began: float
    ended: float


class Watching(running.Http):
    """All of it.

    Attributes:
        exchange: What both trade at.
        bots: The freqtrades by their mode, which is their name, too.
        gates: What stands before each.
        lives: Of each deskwatch that has ended.
    """

    def __init__(
        self, folder: Path, exchange: Exchange, bots: dict[str, Freqtrade], gates: dict[str, Gate], flags: list[str]
    ) -> None:
        self.port = running.free_port()
        super().__init__(f"http://127.0.0.1:{self.port}", folder / "home")
        self.exchange = exchange
        self.bots = bots
        self.gates = gates
        self.lives: list[Life] = []
        self._began = 0.0
        self.log = folder / "deskwatch.log"
        self._folder = folder
        self._flags = flags
        self._stack = contextlib.ExitStack()
        self._child: subprocess.Popen[bytes] | None = None
        folder.joinpath("deskwatch.toml").write_text(self._config())
        for mode, bot in bots.items():
            self.give_password(mode)
            folder.joinpath(f"{mode}.ws_token").write_text(bot.ws_token + "\n")

    def start(self) -> None:
        """Start deskwatch, and wait until it answers."""
        argv = [sys.executable, "-m", "deskwatch", "watch", "freqtrade", "--bot", "spot", "--user", USER]
        argv += ["--url", self.gates["spot"].url, "--password-file", str(self._folder / "spot.password")]
        argv += ["--config", str(self._folder / "deskwatch.toml")]
        argv += ["--home", str(self.home), "--port", str(self.port), *self._flags]
        self._child = self._stack.enter_context(running.process(argv, self.log, cwd=self._folder))
        self._began = time.monotonic()
        eventually(lambda: self.try_get("/readyz"), 30)

    def kill(self) -> None:
        """End deskwatch as a power cut does."""
        assert self._child is not None
        self._child.kill()
        self._child.wait()
        self.stop()

    def stop(self) -> None:
        """End deskwatch in good order, if it runs."""
        if self._child is not None:
            self._stack.close()
            self._child = None
            self.lives.append(Life(self._began, time.monotonic()))

    def give_password(self, mode: str) -> None:
        """Tell deskwatch the password that freqtrade's user has now."""
        path = self._folder / f"{mode}.password"
        path.write_text(self.bots[mode].password + "\n")
        path.chmod(0o600)

    def agreed(self, mode: str, seconds: float = 45) -> tuple[Database, Books]:
        """Wait until a journal says what the database says, and give both. To be called while the strategy holds.

        Raises:
            AssertionError: They differ, and where.
        """
        found: list[str] = []

        def agree() -> tuple[Database, Books] | None:
            database, books = read(self.bots[mode]), Books(self.home, mode)
            found[:] = differences(database, books)
            return None if found else (database, books)

        try:
            return eventually(agree, seconds, every=1)
        except AssertionError:
            raise AssertionError("\n".join(found[:40])) from None

    def starts(self, mode: str) -> int:
        """How often a bot was seen to start."""
        return len(running.events(self.home, BotStarted, mode))

    def metric(self, name: str, **labels: str) -> float | None:
        """The sum of the series of a metric that have these labels; None where there is none."""
        found = [value for known, value in self.series(name) if known.items() >= labels.items()]
        return sum(found) if found else None

    def series(self, name: str) -> list[tuple[dict[str, str], float]]:
        """Each series of a metric: its labels and its value."""
        lines = re.findall(rf"^{name}(?:\{{(.*)\}})? (\S+)$", self.metrics(), re.MULTILINE)
        return [(dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', labels)), float(value)) for labels, value in lines]

    @contextlib.contextmanager
    def holding(self) -> Iterator[None]:
        """Meanwhile no strategy does anything, and no price changes."""
        with contextlib.ExitStack() as stack:
            for bot in self.bots.values():
                stack.enter_context(bot.holding())
            stack.enter_context(self.exchange.market.still())
            yield

    def _config(self) -> str:
        """One is told of in a file, and the other by flags; of one the stream has a token of its own."""
        return f"""[[source]]
kind = "freqtrade"
bot = "futures"
url = "{self.gates["futures"].url}"
user = "{USER}"
password_file = "futures.password"
ws_token_file = "futures.ws_token"
"""


@contextlib.contextmanager
def watching(folder: Path, *flags: str) -> Iterator[Watching]:
    """Two freqtrades that trade already; deskwatch is not started yet.

    Args:
        folder: Gets everything.
        flags: For deskwatch's sidecar.
    """
    process.require()
    with contextlib.ExitStack() as stack:
        exchange = stack.enter_context(exchanges.running())
        bots: dict[str, Freqtrade] = {mode: _freqtrade(stack, folder / mode, mode, exchange) for mode in MODES}
        with ThreadPoolExecutor() as pool:
            list(pool.map(Freqtrade.start, bots.values()))
        gates: dict[str, Gate] = {mode: stack.enter_context(gate(bot.port)) for mode, bot in bots.items()}
        one = Watching(folder, exchange, bots, gates, list(flags))
        stack.callback(one.stop)
        yield one


def _freqtrade(stack: contextlib.ExitStack, folder: Path, mode: TradingMode, exchange: Exchange) -> Freqtrade:
    folder.mkdir(parents=True)
    made = Freqtrade(folder, mode, exchange.url)
    stack.callback(made.stop)
    return made
