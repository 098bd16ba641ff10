"""The bot's loop: connect, tick, obey commands, outlive outages, stop in good order."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from pathlib import Path

import msgspec
from web3 import Web3

from arbitrage_bot import rules_file, state
from arbitrage_bot.config import Rules
from arbitrage_bot.connection import Unreachable
from arbitrage_bot.deployment import Deployment
from arbitrage_bot.forecast import Forecaster
from arbitrage_bot.state import State
from arbitrage_bot.trader import ChainReplaced, Trader
from deskwatch import Command, ConfigReloaded, Mode, Recorder, WatchlistChanged

logger = logging.getLogger(__name__)

MAX_PAUSE_SECONDS = 2.0
"""Longest pause between tries while the chain can't be reached."""


class Describe(msgspec.Struct, forbid_unknown_fields=True):
    """Parameters of the bot's own command `describe`."""

    predictions: bool = False
    """Whether to tell of the model, too."""


class Bot:
    """Runs a `Trader`, and makes a new one when the chain was replaced."""

    def __init__(
        self,
        w3: Web3,
        deployment: Deployment,
        recorder: Recorder,
        rules: Rules,
        state_path: Path,
        rules_path: Path | None = None,
    ) -> None:
        self._w3 = w3
        self._deployment = deployment
        self._recorder = recorder
        self._rules = rules
        self._state_path = state_path
        self._rules_path = rules_path
        self.forecaster = Forecaster(recorder, deployment.symbol)
        self.trader: Trader | None = None
        self._was_cut = False

    def run(self, stop: threading.Event) -> None:
        """Trade until `stop` is set, then wait, within bounds, for what is on its way."""
        self.introduce()
        pause = self._rules.poll_seconds
        while not stop.is_set():
            pause = self._rules.poll_seconds if self.step() else min(2 * pause, MAX_PAUSE_SECONDS)
            command = self._recorder.next_command(timeout_seconds=pause)
            if command is not None:
                self.obey(command)
        self.finish()

    def introduce(self) -> None:
        """Tell what the bot watches and which command of its own it knows; take the rules file into account."""
        self._recorder.register("describe", Describe, description="Tells what the bot holds and what is on its way.")
        self._recorder.emit(WatchlistChanged(symbols=[self._deployment.symbol], reason="start"))
        if self._rules_path is not None and self._rules_path.exists():
            try:
                self._reload(self._rules_path)
            except (OSError, ValueError) as error:
                logger.warning("going by the usual rules: %s: %s", self._rules_path, error)

    def step(self) -> bool:
        """Tick once, come what may; False if it failed and a longer pause is due."""
        try:
            if self.trader is None:
                self.trader = self._connect()
            if self._was_cut:
                self._recognise(self.trader)
            self._was_cut = False
            self.trader.tick()
        except Unreachable as outage:
            self._was_cut = True
            logger.info("the chain can't be reached: %s", outage)
            return False
        except ChainReplaced as replaced:
            logger.warning("starting over on another chain: %s", replaced)
            if self.trader is not None:
                self.trader.closings.fail(f"the chain was replaced: {replaced}")
            self.trader = None
            return False
        except Exception:  # a trading bot that dies of one bad answer is worse than one that tells and goes on
            logger.exception("a tick failed")
            return False
        return True

    def obey(self, command: Command) -> None:
        """Carry out an operator's command, now or, for closing, when the position is flat."""
        match command.type:
            case "close_all" | "close_position":
                self._close(command)
            case "cancel_orders":
                self._cancel(command)
            case "set_watchlist":
                self._watch(command)
            case "reload_config":
                self._obey_reload(command)
            case "describe":
                self._describe(command)
            case other:
                command.fail(
                    "expected close_all, close_position, cancel_orders, set_watchlist, reload_config or describe, "
                    f"was {other!r}"
                )

    def finish(self) -> None:
        """Wait for the receipts of what was sent, no longer than `Rules.stop_seconds`."""
        deadline = time.monotonic() + self._rules.stop_seconds
        while self.trader is not None and self.trader.wallet.pending and time.monotonic() < deadline:
            with contextlib.suppress(Unreachable):
                self.trader.settle()
            time.sleep(self._rules.poll_seconds)
        if self.trader is not None:
            self.trader.closings.fail("the bot was stopped")

    def _close(self, command: Command) -> None:
        trader = self.trader
        if self._recorder.mode is Mode.HALTED:
            command.fail("the bot is halted: it sends nothing until it is re-armed")
        elif trader is None:
            command.fail("the chain can't be reached")
        elif command.type == "close_position":
            self._close_position(command, trader)
        elif trader.busy:
            trader.closings.add(command)
        else:
            command.succeed({"closed": []})

    def _cancel(self, command: Command) -> None:
        """A swap is a transaction: once sent, it is mined or reverts, and nothing takes it back."""
        if self.trader is not None and self.trader.is_sending:
            command.fail(
                "a swap that was sent can't be taken back; it is mined or reverts within "
                f"{self._rules.deadline_seconds} s"
            )
        else:
            command.succeed({"canceled": []})

    def _watch(self, command: Command) -> None:
        symbols = command.params.get("symbols")
        if symbols != [self._deployment.symbol]:
            command.fail(f"expected [{self._deployment.symbol!r}], the one pair that this bot trades, was {symbols!r}")
            return
        self._recorder.emit(WatchlistChanged(symbols=symbols, reason=command.reason))
        command.succeed()

    def _obey_reload(self, command: Command) -> None:
        path = self._rules_path
        if path is None:
            command.fail("the bot was started without a rules file")
            return
        try:
            reloaded = self._reload(path)
        except (OSError, ValueError) as error:
            command.fail(f"the rules stay as they were: {error}")
        else:
            command.succeed({"changed": reloaded.changed})

    def _reload(self, path: Path) -> rules_file.Reloaded:
        reloaded = rules_file.read(path, self._rules)
        self._rules = reloaded.rules
        if self.trader is not None:
            self.trader.use(reloaded.rules)
        self._recorder.emit(ConfigReloaded(version=reloaded.version, changed=reloaded.changed))
        return reloaded

    def _describe(self, command: Command) -> None:
        trader = self.trader
        position = None if trader is None else trader.accounts.position
        told: dict[str, object] = {
            "position": None if position is None else position.position_id,
            "pending": 0 if trader is None else len(trader.wallet.pending),
            "max_size": self._rules.max_size,
            "min_profit": self._rules.min_profit,
        }
        if isinstance(command.parsed, Describe) and command.parsed.predictions:
            told["predictions_resolved"] = self.forecaster.model.seen
        command.succeed(told)

    def _close_position(self, command: Command, trader: Trader) -> None:
        position = trader.accounts.position
        wanted = command.params.get("position_id") or command.params.get("symbol")
        if wanted is None:
            command.fail("expected the parameter position_id or symbol")
        elif "quantity" in command.params or command.params.get("ratio", 1) != 1:
            command.fail("expected neither quantity nor ratio: this bot sells a position whole")
        elif position is None or wanted not in (position.position_id, self._deployment.symbol):
            command.fail(f"expected the open position, was {wanted!r}; open: {position and position.position_id}")
        else:
            trader.closings.add(command)

    def _connect(self) -> Trader:
        chain_id = self._w3.eth.chain_id
        if chain_id != self._deployment.chain_id:
            raise ChainReplaced(f"expected chain {self._deployment.chain_id}, was {chain_id}")
        trader = Trader(
            self._w3,
            self._deployment,
            self._recorder,
            self._rules,
            self.forecaster,
            self._keep,
        )
        trader.open(self._genesis(), state.load(self._state_path))
        return trader

    def _recognise(self, trader: Trader) -> None:
        """Make sure, after an outage, that this is still the chain that `trader` knows."""
        if self._genesis() != trader.genesis:
            raise ChainReplaced("its first block is another one than before the outage")

    def _genesis(self) -> str:
        """Hash of the chain's first block, which tells one chain from another."""
        return Web3.to_hex(self._w3.eth.get_block(0)["hash"])

    def _keep(self, kept: State) -> None:
        state.save(kept, self._state_path)
