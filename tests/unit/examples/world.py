"""A real chain in this process, and the bot on it, without HTTP and without waiting for blocks."""

from __future__ import annotations

import copy
import functools
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from web3 import Web3
from web3.providers import BaseProvider
from web3.types import RPCEndpoint, RPCResponse

from arbitrage_bot.bot import Bot
from arbitrage_bot.chain.genesis import Market, prepare
from arbitrage_bot.chain.rpc import Rpc
from arbitrage_bot.chain.traders import Temper, Traders
from arbitrage_bot.config import Rules
from arbitrage_bot.connection import Unreachable
from arbitrage_bot.trader import Trader
from deskwatch import Mode, Recorder


class InProcess(BaseProvider):
    """A web3 provider that asks the chain's JSON-RPC directly, as bytes, and can be cut off."""

    def __init__(self, rpc: Rpc) -> None:
        super().__init__()
        self._rpc = rpc
        self.cut = False
        self.deaf = False

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        """One request. `cut`: it never arrives; `deaf`: it arrives, and its answer is lost."""
        if self.cut:
            raise Unreachable(f"{method}: cut")
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        response: RPCResponse = json.loads(self._rpc.answer(body.encode()))
        if self.deaf:
            raise Unreachable(f"{method}: deaf")
        return response


@dataclass
class World:
    """A chain, its traders, and a bot with its journal."""

    market: Market
    traders: Traders
    provider: InProcess
    recorder: Recorder
    bot: Bot
    home: Path
    rules: Rules
    started: dict[str, int] = field(default_factory=dict)

    def block(self, *, trade: bool = True) -> None:
        """Others send their swaps, a block is mined, the bot looks at it."""
        if trade:
            self.traders.act()
        self.market.node.mine()
        self.bot.step()

    def run_until(self, done: Callable[[], bool], *, limit: int = 200, trade: bool = True) -> None:
        """Blocks until something is so."""
        for _ in range(limit):
            if done():
                return
            self.block(trade=trade)
        pytest.fail(f"expected it within {limit} blocks")

    def events(self, *types: str) -> list[dict[str, Any]]:
        """What the journal holds, of these types."""
        lines = [
            json.loads(line)
            for segment in sorted((self.home / "journal" / "arb-1" / "main").glob("*.ndjson"))
            for line in segment.read_bytes().splitlines()
        ]
        return [line for line in lines if not types or line["type"] in types]

    @property
    def trader(self) -> Trader:
        """What the bot trades with, once it has looked at the chain."""
        assert self.bot.trader is not None
        return self.bot.trader

    @property
    def open_position(self) -> str | None:
        """Id of the position that the bot holds."""
        position = self.bot.trader.accounts.position if self.bot.trader else None
        return position.position_id if position else None

    def restart(self) -> None:
        """The bot's process dies and starts again."""
        self.recorder.close()
        self.recorder = open_recorder(self.home)
        self.bot = make_bot(self)


@functools.cache
def _prepared(seed: int, traders: int) -> Market:
    """A young chain that is only copied: making one takes half a second, copying it some milliseconds."""
    return prepare(seed, traders)


def open_recorder(home: Path) -> Recorder:
    """A strict recorder: a wrong field raises."""
    return Recorder.open("arb-1", home=home, mode=Mode.ACTIVE, strict=True)


def make_bot(world: World) -> Bot:
    """A bot on the world's chain."""
    w3 = Web3(world.provider)
    return Bot(w3, world.market.deployment, world.recorder, world.rules, world.home / "arb-1.state.json")


BRISK = Temper(
    value_traders=2, momentum_traders=0, activity=0.5, whale_activity=0.7, whale_size_base=8.0, rival_activity=0.0
)
"""Few swaps, but large ones: spreads come often, and blocks are cheap to make."""
LIVELY = Temper(value_traders=5, momentum_traders=1, size_base=0.9, whale_activity=0.15)
"""As in the demo, with half the traders and larger swaps."""


def make_world(home: Path, seed: int, temper: Temper) -> World:
    """A young chain and a bot that has not yet looked at it."""
    made = _prepared(seed, temper.traders)
    market = copy.deepcopy(made, {id(made.node._lock): threading.RLock()})
    provider = InProcess(Rpc(market.node))
    recorder = open_recorder(home)
    rules = Rules(stop_seconds=0.2, poll_seconds=0.01)
    w3 = Web3(provider)
    bot = Bot(w3, market.deployment, recorder, rules, home / "arb-1.state.json")
    return World(market, Traders(market, seed, temper), provider, recorder, bot, home, rules)
