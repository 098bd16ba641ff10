"""A chain for the contract of sources: each block that is mined is a fact."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Callable, Iterator
from typing import Any, Self

from deskwatch.events import BlockObserved, Event
from tests.fakes import evm_node
from tests.fakes.evm_node import Chain, Node
from tests.waiting import eventually_async

NONSENSE: tuple[Any, ...] = (
    [],
    {},
    "",
    "0x",
    "soon",
    -1,
    1e300,
    True,
    "\x00\x1b[2J",
    "x" * 100_000,
    [[[[None]]]],
    {"number": None},
)
"""What takes the place of each result in turn, beside answers that are no JSON at all."""


class EvmRig:
    """One node."""

    kind = "evm"
    module: str | None = None
    has_commands = False
    changes = 0

    def __init__(self) -> None:
        self.chain = Chain()
        self.chain.mine(3)
        self.port = 0
        self.node: Node | None = None
        self.asked: set[str] = set()
        self.facts: list[str] = []
        self._open = contextlib.ExitStack()

    async def __aenter__(self) -> Self:
        await self.come_back()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.go_away()

    @property
    def keeps_history(self) -> bool:
        """What was mined before a chain is first watched is not told; from then on each block is."""
        return self._is_watched

    @property
    def _is_watched(self) -> bool:
        self.asked |= set() if self.node is None else set(self.node.methods)
        return "eth_gasPrice" in self.asked  # asked when a newest block was read

    def block(self) -> dict[str, Any]:
        return {
            "urls": [f"http://127.0.0.1:{self.port}"],
            "poll_seconds": 0.05,
            "timeout_seconds": 1.0,
            "requests_per_second": 1000.0,
            "calls_per_second": 1000.0,
        }

    async def happen(self) -> str:
        if self.node is not None and not self._is_watched:
            await eventually_async(lambda: self._is_watched)
        self.chain.mine()
        self.facts.append(self.chain.blocks[-1]["hash"])
        return self.facts[-1]

    def fact_of(self, event: Event) -> str | None:
        return event.hash if isinstance(event, BlockObserved) and event.hash in self.facts else None

    async def go_away(self) -> None:
        assert self._is_watched in (True, False)  # remembers what was asked so far
        await asyncio.to_thread(self._open.close)
        self.node = None

    async def come_back(self) -> None:
        if self.node is None:
            self.node = self._open.enter_context(evm_node.running(self.chain, self.port))
            self.port = int(self.node.url.rpartition(":")[2])
        self.node.mend()

    async def slow(self, seconds: float) -> None:
        assert self.node is not None
        self.node.slow_seconds = seconds

    async def garble(self) -> None:
        assert self.node is not None
        self.node.garble = _nonsense(itertools.cycle(NONSENSE))

    async def restart(self) -> None:
        await self.go_away()
        await self.come_back()


def _nonsense(values: Iterator[Any]) -> Callable[[str, Any], Any]:
    """Wrong results in turn. The chain's number is right, so that questions beyond it are asked."""
    return lambda method, found: found if method == "eth_chainId" else next(values)
