"""What happens to the watched freqtrades, one thing after the other, and what is seen of each."""

from __future__ import annotations

import contextlib
import os
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from deskwatch.events import ConnectionChanged, Event, RiskAlertRaised
from tests import running
from tests.freqtrade.commanding import commanded
from tests.freqtrade.configuration import pairs
from tests.freqtrade.figures import unequal
from tests.freqtrade.ledger import Books, Database
from tests.freqtrade.process import Freqtrade, Refused
from tests.freqtrade.watching import MODES, Watching
from tests.waiting import eventually

AWAY_SECONDS = 30.0
"""How long the exchange is gone."""
SOAK_SECONDS = 1800.0
FALL = 0.8
"""What is left of a price that falls below each stop-loss, but not to where a margin of a third is used up."""


class Story:
    """Told once; the tests ask what came of each chapter.

    Attributes:
        failures: Chapter → what went wrong in it.
        seen: What was measured: seconds.
        books: Each bot's database and journal, when all else had happened.
    """

    def __init__(self, watching: Watching) -> None:
        self.watching = watching
        self.failures: dict[str, str] = {}
        self.told: set[str] = set()
        self.seen: dict[str, float] = {}
        self.books: dict[str, tuple[Database, Books]] = {}
        self._began = 0.0

    def went_well(self, chapter: str) -> None:
        """Whether a chapter was told to its end.

        Raises:
            AssertionError: Something in it was not as expected.
        """
        assert chapter in self.told, f"expected one of {sorted(self.told)}, was {chapter!r}"
        assert chapter not in self.failures, self.failures[chapter]

    def begin(self) -> None:
        """Up to where deskwatch is there."""
        self._began = time.monotonic()
        self._first_contact()

    def tell(self) -> None:
        """All that happens then."""
        self._refuse()
        _pass(25)
        while True:
            self._stop_loss()
            self._websocket_cut()
            self._freqtrade_restarted()
            self._exchange_gone()
            self._deskwatch_killed()
            self._password_changed()
            _pass(15)
            if not os.environ.get("DESKWATCH_SOAK") or time.monotonic() - self._began > SOAK_SECONDS:
                break
        with self.watching.holding():
            self._figures()
            self._lock()
            self._commands()
            self._books()
            self._see_what_was_said()
        self._trade_on()
        self.seen["seconds"] = time.monotonic() - self._began

    def leave(self) -> None:
        """The last chapter: deskwatch goes, and nobody asks freqtrade any more."""
        with self._chapter("left alone"):
            self.watching.stop()
            asked = {mode: len(one.asked) for mode, one in self.watching.gates.items()}
            _pass(5)
            assert asked == {mode: len(one.asked) for mode, one in self.watching.gates.items()}
            assert [one.streams for one in self.watching.gates.values()] == [0, 0]

    @contextlib.contextmanager
    def _chapter(self, name: str) -> Iterator[None]:
        """What goes wrong here is told by the test that asks for it; the story goes on."""
        self.told.add(name)
        began = time.monotonic()
        try:
            yield
        except Exception:  # whatever it is, the others are told
            self.failures.setdefault(name, traceback.format_exc())
        self.seen[name] = round(time.monotonic() - began, 1)

    def _first_contact(self) -> None:
        watching = self.watching
        with self._chapter("first contact"):
            for bot in watching.bots.values():
                _until(90, _has_history, bot)
            began = time.monotonic()
            watching.start()
            for mode in MODES:
                _until(60, lambda mode: watching.starts(mode) == 1 and self._is_up(mode), mode)
            self.seen["contact_seconds"] = time.monotonic() - began

    def _stop_loss(self) -> None:
        watching = self.watching
        with self._chapter("stop-loss"), contextlib.ExitStack() as holding:
            for one in MODES:  # the lock of a round before may still be shown: its end is looked for once a minute
                _until(180, lambda mode: not watching.metric("tradebot_risk_alert", bot=mode), one)
            raised = {mode: self._count(mode, RiskAlertRaised) for mode in MODES}
            for bot in watching.bots.values():
                _until(120, _keeps_sol, bot, holding)
            stops = {mode: _stops(bot) for mode, bot in watching.bots.items()}
            watching.exchange.move("SOL/USDT", FALL)
            for mode, bot in watching.bots.items():
                _until(60, lambda mode, bot: _stops(bot) > stops[mode], mode, bot)
                _until(90, lambda mode: self._count(mode, RiskAlertRaised) > raised[mode], mode)
            watching.exchange.move("SOL/USDT", 1 / FALL)  # in a soak it falls many times, and is nothing in the end

    def _websocket_cut(self) -> None:
        watching = self.watching
        with self._chapter("WebSocket cut"):
            losses = {mode: self._losses(mode, "websocket") for mode in MODES}
            with contextlib.ExitStack() as stack:
                for one in watching.gates.values():
                    stack.enter_context(one.without_streams())
                for mode in MODES:
                    _until(60, lambda mode: self._losses(mode, "websocket") > losses[mode], mode)
                    assert watching.metric("tradebot_connection_up", bot=mode, kind="rest") == 1
            for mode in MODES:
                _until(60, self._is_up, mode)

    def _exchange_gone(self) -> None:
        """What freqtrade warns of is told; it can be reached all the time, though its balance can't be had."""
        watching = self.watching
        with self._chapter("exchange gone"):
            warnings = {mode: self._warnings(mode) for mode in MODES}
            losses = {mode: self._losses(mode, "rest") for mode in MODES}
            with watching.exchange.gone():
                _pass(AWAY_SECONDS)
            for mode in MODES:
                _until(90, lambda mode: self._warnings(mode) > warnings[mode], mode)  # its log is read once a minute
                _until(60, self._is_up, mode)
            assert {mode: self._losses(mode, "rest") for mode in MODES} == losses

    def _freqtrade_restarted(self) -> None:
        watching, bot = self.watching, self.watching.bots["spot"]
        with self._chapter("freqtrade restarted"):
            starts, losses = watching.starts("spot"), self._losses("spot", "rest")
            bot.stop()
            _until(60, lambda: self._losses("spot", "rest") > losses)
            assert watching.metric("deskwatch_source_up", bot="spot") == 0
            assert watching.metric("deskwatch_source_up", bot="futures") == 1
            bot.start()
            _until(90, lambda: watching.starts("spot") == starts + 1 and self._is_up("spot"))
            assert watching.metric("tradebot_starts_total", bot="spot") == starts + 1

    def _deskwatch_killed(self) -> None:
        """Meanwhile the bots trade on; they did not start again, and are not said to have."""
        watching = self.watching
        with self._chapter("deskwatch killed"):
            watching.kill()
            asked = [len(one.asked) for one in watching.gates.values()]
            orders = {mode: len(bot.orders()) for mode, bot in watching.bots.items()}
            for mode, bot in watching.bots.items():
                _until(60, lambda bot, mode: len(bot.orders()) >= orders[mode] + 4, bot, mode)
            assert [len(one.asked) for one in watching.gates.values()] == asked
            starts = {mode: watching.starts(mode) for mode in MODES}
            watching.start()
            for mode in MODES:
                _until(60, self._is_up, mode)
            assert {mode: watching.starts(mode) for mode in MODES} == starts

    def _password_changed(self) -> None:
        watching, bot = self.watching, self.watching.bots["futures"]
        with self._chapter("password changed"):
            losses = self._losses("futures", "rest")
            bot.change_password(f"another-password-{time.monotonic_ns()}")
            try:
                _until(60, lambda: self._losses("futures", "rest") > losses)
                failures = partial(watching.metric, "deskwatch_source_request_failures_total", bot="futures")
                _until(60, lambda: bool(failures(reason="unauthorized")))  # a reload may cut what is asked just then
            finally:
                watching.give_password("futures")
            _until(90, self._is_up, "futures")

    def _refuse(self) -> None:
        """Somebody asks freqtrade for something wrong, which it has in its log as an error."""
        for bot in self.watching.bots.values():
            with contextlib.suppress(Refused):
                bot.post("forceexit", {"tradeid": "999999"})

    def _lock(self) -> None:
        """Somebody locks a pair, in freqtrade itself."""
        until = datetime.now(UTC) + timedelta(hours=1)
        for bot in self.watching.bots.values():
            lock = {"pair": pairs(bot.mode)[-1], "until": until.isoformat(), "side": "*", "reason": "a test"}
            bot.post("locks", [lock])

    def _see_what_was_said(self) -> None:
        """Logs and locks are looked at now and then."""
        with self._chapter("error and lock"):
            for mode in MODES:
                _until(90, lambda mode: (self.watching.metric("tradebot_errors_total", bot=mode) or 0) > 0, mode)
                _until(90, lambda mode: (self.watching.metric("tradebot_risk_alert", bot=mode) or 0) > 0, mode)

    def _figures(self) -> None:
        for mode, bot in self.watching.bots.items():
            with self._chapter(f"figures of {mode}"):
                try:
                    eventually(lambda: not unequal(self.watching, mode, bot), 60, every=1)  # noqa: B023  # ends here
                except AssertionError:
                    raise AssertionError("\n".join(unequal(self.watching, mode, bot))) from None

    def _commands(self) -> None:
        def command(mode: str) -> None:
            with self._chapter(f"commands to {mode}"):
                commanded(self.watching, mode)

        with ThreadPoolExecutor() as pool:
            list(pool.map(command, MODES))

    def _books(self) -> None:
        for mode in MODES:
            with self._chapter(f"books of {mode}"):
                self.books[mode] = self.watching.agreed(mode)

    def _trade_on(self) -> None:
        """Until something is held again, and known as well as it ever is."""
        with self._chapter("trades on"):
            for mode in MODES:
                last = "leverage" if mode == "futures" else "mark_price"
                _until(
                    90, lambda name, mode: bool(self.watching.metric(name, bot=mode)), f"tradebot_position_{last}", mode
                )
            _pass(5)  # Prometheus has scraped it

    def _is_up(self, mode: str) -> bool:
        links = {
            labels["kind"]: value
            for labels, value in self.watching.series("tradebot_connection_up")
            if labels["bot"] == mode
        }
        is_up = self.watching.metric("deskwatch_source_up", bot=mode) == 1
        return is_up and links.get("rest") == links.get("websocket") == 1

    def _losses(self, mode: str, connection: str) -> int:
        changes = running.events(self.watching.home, ConnectionChanged, mode)
        return sum(one.connection == connection and not one.up for one in changes)

    def _warnings(self, mode: str) -> float:
        return self.watching.metric("tradebot_log_records_total", bot=mode, kind="warning") or 0.0

    def _count(self, mode: str, kind: type[Event]) -> int:
        return len(running.events(self.watching.home, kind, mode))


def _until(seconds: float, condition: Callable[..., bool], *arguments: Any) -> None:
    eventually(partial(condition, *arguments), seconds, every=0.3)


def _pass(seconds: float) -> None:
    """Let everybody be for a while: it is the time itself that counts."""
    began = time.monotonic()
    _until(seconds + 5, lambda: time.monotonic() - began >= seconds)


def _has_history(bot: Freqtrade) -> bool:
    return sum(not one["is_open"] for one in bot.trades()) >= 2


def _stops(bot: Freqtrade) -> int:
    """Also `trailing_stop_loss`: freqtrade calls it so where adding to the position has moved the stop."""
    return sum((one["exit_reason"] or "").endswith("stop_loss") for one in bot.trades())


def _keeps_sol(bot: Freqtrade, holding: contextlib.ExitStack) -> bool:
    """Whether it is long in SOL, and its strategy holds now: it may have been about to sell."""
    if not _is_long_in_sol(bot):
        return False
    with contextlib.ExitStack() as attempt:
        attempt.enter_context(bot.holding())
        _pass(2)
        if _is_long_in_sol(bot):
            holding.enter_context(attempt.pop_all())
            return True
    return False


def _is_long_in_sol(bot: Freqtrade) -> bool:
    """With no order that could add to it or end it meanwhile."""
    held = [one for one in bot.get("status") if one["pair"].startswith("SOL/") and not one["has_open_orders"]]
    return any(one["amount"] > 0 and not one["is_short"] for one in held)
