"""What the bot must not forget when its process dies: transactions on their way and the open position."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from arbitrage_bot.accounting import Position
from arbitrage_bot.orders import Order
from arbitrage_bot.wallet import Pending


class State(msgspec.Struct, kw_only=True):
    """The bot's memory, of one account on one chain."""

    genesis: str
    """Hash of the chain's first block: what was kept of another chain is void."""
    pending: list[Pending] = msgspec.field(default_factory=list)
    order: Order | None = None
    position: Position | None = None


def load(path: Path) -> State | None:
    """What was kept; None if nothing was."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=State)
    except FileNotFoundError:
        return None


def save(state: State, path: Path) -> None:
    """Keep it, whole or not at all. A crash of the process loses nothing; a power loss may lose the last second."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_bytes(msgspec.json.encode(state))
    partial.replace(path)
