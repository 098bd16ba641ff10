"""The parts of a watch on a chain in memory, and what they journal."""

from __future__ import annotations

from typing import Any, TypeVar

from deskwatch.events import BlockObserved, Event, ReorgObserved
from deskwatch.sources.evm.memory import EvmMemory
from deskwatch.sources.evm.parts import make_parts
from deskwatch.sources.evm.settings import Pool, Settings, Token, Wallet
from tests.fakes.evm_chain import FakeChain
from tests.unit.sources.evm.words import ALICE, returned, selector

E = TypeVar("E", bound=Event)
WETH, USDC, PAIR = "0x" + "e1" * 20, "0x" + "c1" * 20, "0x" + "99" * 20


class Journal:
    """In place of `Watched`: events in a list, and folded into the memory."""

    def __init__(self, memory: EvmMemory) -> None:
        self.memory = memory
        self.events: list[Event] = []
        self.is_full = False

    def emit(self, event: Event) -> bool:
        """Take it, unless the disk is full."""
        if self.is_full:
            return False
        self.events.append(event)
        self.memory.fold(event)
        return True


class Watching:
    """A watch that goes on for as long as its memory does.

    Attributes:
        journal: What it wrote.
        chain: What it watches.
    """

    def __init__(self, chain: FakeChain, /, memory: EvmMemory | None = None, **more: Any) -> None:
        self.chain = chain
        self.memory = EvmMemory() if memory is None else memory
        self.journal = Journal(self.memory)
        settings = Settings(**{"bot": "b", "chain": "c", "wallets": (Wallet(name="hot", address=ALICE),), **more})
        self._name = settings.chain
        rpc: Any = chain
        journal: Any = self.journal
        self.parts = make_parts(rpc, journal, settings, self.memory)

    async def look(self) -> None:
        """Tell of the newest block, as the heads do."""
        head = self.chain.head()
        for part in self.parts:
            await part.at_head(head)
        self.journal.emit(
            BlockObserved(
                chain=self._name,
                block=head.number,
                hash=head.hash,
                block_timestamp_seconds=head.timestamp,
                transactions=0,
            )
        )

    async def reorganize(self, depth: int) -> list[dict[str, Any]]:
        """Take blocks away, and tell so; their transactions."""
        left = self.chain.blocks[-1]["hash"]
        gone = self.chain.unmine(depth)
        self.journal.emit(ReorgObserved(chain=self._name, block=self.chain.height, depth=depth, left=left))
        for part in self.parts:
            await part.reorganized(depth, self.chain.head())
        return gone

    def told(self, kind: type[E]) -> list[E]:
        """Events of a kind."""
        return [event for event in self.journal.events if isinstance(event, kind)]


def token(chain: FakeChain, address: str, symbol: str | bytes | None, decimals: int) -> None:
    """Put an ERC-20 on the chain; its symbol as text, as 32 bytes, or not told."""
    chain.views[address, selector("decimals()")] = returned(["uint8"], decimals)
    if symbol is not None:
        kind = "string" if isinstance(symbol, str) else "bytes32"
        chain.views[address, selector("symbol()")] = returned([kind], symbol)


def pair(chain: FakeChain, base: int = 100 * 10**18, quote: int = 300_000 * 10**6) -> Pool:
    """Put a WETH/USDC pool on the chain; how it is configured."""
    token(chain, WETH, "WETH", 18)
    token(chain, USDC, "USDC", 6)
    chain.views[PAIR, selector("token0()")] = returned(["address"], WETH)
    chain.views[PAIR, selector("token1()")] = returned(["address"], USDC)
    hold(chain, base, quote)
    return Pool(name="uni", address=PAIR)


def hold(chain: FakeChain, base: int, quote: int) -> None:
    """Set the pool's reserves."""
    chain.views[PAIR, selector("getReserves()")] = returned(["uint112", "uint112", "uint32"], base, quote, 0)


USDC_TOKEN = Token(symbol="USDC", address=USDC, decimals=6)
