"""What a bot must know of a chain to trade on it: the chain's ready file, written by one side and read by the other."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec


class Token(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An ERC-20 token."""

    symbol: str
    address: str
    decimals: int


class PoolPlace(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a pool is."""

    venue: str
    """The name it trades under."""
    address: str


class Deployment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A chain with two pools of one pair, and the account that the bot trades from."""

    url: str
    """JSON-RPC endpoint."""
    chain: str
    """The chain's name in events."""
    chain_id: int
    native_asset: str
    """What gas is paid in; one unit is 10**18 wei."""
    native_cost: float
    """What a unit of it was bought for, in the quote token: gas is expensed at this cost."""
    base: Token
    quote: Token
    pools: list[PoolPlace]
    private_key: str
    """The bot's key. Worth nothing on a local chain; keep the file to yourself all the same."""

    @property
    def symbol(self) -> str:
        """The pair's name: `WETH/USDC`."""
        return f"{self.base.symbol}/{self.quote.symbol}"


def read(path: Path) -> Deployment:
    """The deployment in a ready file.

    Raises:
        OSError: There is no such file.
        msgspec.ValidationError: It is not a deployment.
    """
    return msgspec.json.decode(path.read_bytes(), type=Deployment)


def write(deployment: Deployment, path: Path) -> None:
    """Put a ready file in place, whole or not at all, readable by its owner only."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(line(deployment))
    partial.replace(path)


def line(deployment: Deployment) -> bytes:
    """A deployment as one line of JSON."""
    return msgspec.json.encode(deployment) + b"\n"
