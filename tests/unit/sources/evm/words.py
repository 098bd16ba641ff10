"""What contracts, nodes and wallets write, for tests: words of 32 bytes, hashes, transactions."""

from __future__ import annotations

from typing import Any

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from deskwatch.sources.evm.purposes import selector_of

ALICE, BOB = "0x" + "a1" * 20, "0x" + "b0" * 20
ROUTER = "0x" + "70" * 20
SWAP = "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)"


def hash_of(*parts: object) -> str:
    """32 bytes that are the same for the same parts."""
    return "0x" + keccak(text=repr(parts)).hex()


def returned(types: list[str], *values: object) -> str:
    """What a view call answers."""
    return "0x" + encode(types, values).hex()


def selector(function: str) -> str:
    """`0x` and eight digits."""
    return selector_of(function)


def error_string(text: str) -> str:
    """What Solidity's `require` returns."""
    return selector("Error(string)") + returned(["string"], text)[2:]


def transaction(
    sender: str, nonce: int, *, to: str | None = ROUTER, data: str | None = None, **more: Any
) -> dict[str, Any]:
    """A transaction as nodes show it."""
    return {
        "hash": hash_of(sender, nonce, sorted(more.items())),
        "from": sender,
        "nonce": hex(nonce),
        "to": to,
        "input": selector(SWAP) + "00" * 32 if data is None else data,
        "value": "0x0",
        "gas": hex(400_000),
        "maxFeePerGas": hex(3 * 10**9),
        **more,
    }
