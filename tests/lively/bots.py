"""The processes: `python -m tests.lively.bots HOME arb-1` for one bot, with two names for two in one process."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import ExitStack
from pathlib import Path

from deskwatch import Mode, Recorder
from deskwatch.events import ErrorOccurred
from tests.lively.arbitrage import Arbitrage
from tests.lively.carry import Carry
from tests.lively.sage import Sage
from tests.lively.trader import TICK_SECONDS, Trader

CRASH_TICKS = 60
"""After so many ticks of its first run arb-1 crashes."""
KINDS: dict[str, type[Trader]] = {"arb-1": Arbitrage, "carry-1": Carry, "sage-1": Sage}


def main() -> None:
    """Live until the parent is gone."""
    home, *names = sys.argv[1:]
    asyncio.run(_live(Path(home), names))


async def _live(home: Path, names: list[str]) -> None:
    parent = os.getppid()
    crashed = home / "crashed-once"
    is_second = crashed.exists()
    with ExitStack() as stack:
        traders = []
        for number, name in enumerate(names):
            recorder = Recorder.open(
                name,
                home=home,
                mode=Mode.ACTIVE,
                version="1.1.0" if is_second else "1.0.0",
                strategy=KINDS[name].strategy,
            )
            stack.enter_context(recorder)
            traders.append(KINDS[name](recorder, number))
            traders[-1].begin()
        obeying = [asyncio.create_task(_obey(trader)) for trader in traders]
        while os.getppid() == parent:
            for trader in traders:
                trader.tick()
            if names == ["arb-1"] and not is_second and traders[0].ticks >= CRASH_TICKS:
                crashed.touch()
                traders[0].emit(ErrorOccurred(component="bot", kind="MemoryError", message="", levelname="CRITICAL"))
                os._exit(3)
            await asyncio.sleep(TICK_SECONDS)
        for task in obeying:
            task.cancel()
        await asyncio.gather(*obeying, return_exceptions=True)


async def _obey(trader: Trader) -> None:
    async for command in trader.recorder.commands():
        trader.obey(command)


if __name__ == "__main__":
    main()
