"""Why a transaction reverted, of what its replay returns: a short word for metrics, and the contract's own words.

Formats: Solidity's "Panic via assert and Error via require" and "Custom errors"; how nodes word errors, geth's
`core/vm/errors.go`. The short words are few whatever a contract writes, as they become labels.
"""

from __future__ import annotations

from typing import NamedTuple

from deskwatch.sources.evm.abi import UNDECODABLE, View, answer, selector
from deskwatch.sources.evm.abi import Undecodable as _Undecodable
from deskwatch.sources.evm.errors import RpcError
from deskwatch.sources.evm.wire import is_bytes, words

UNKNOWN = "unknown"
_ERROR = selector("Error", ("string",)).hex()
_PANIC = selector("Panic", ("uint256",)).hex()
_PANICS = {
    0x01: "an assert failed",
    0x11: "an arithmetic operation overflowed",
    0x12: "a division by zero",
    0x21: "a value is none of its enum",
    0x22: "a storage array is encoded wrongly",
    0x31: "pop on an empty array",
    0x32: "an index is out of bounds",
    0x41: "too much memory was asked for",
    0x51: "a function that was never set was called",
}
_CUSTOM = {
    selector(name, types).hex(): name
    for name, types in (
        ("ERC20InsufficientBalance", ("address", "uint256", "uint256")),
        ("ERC20InsufficientAllowance", ("address", "uint256", "uint256")),
        ("ERC20InvalidReceiver", ("address",)),
        ("SafeERC20FailedOperation", ("address",)),
        ("OwnableUnauthorizedAccount", ("address",)),
        ("EnforcedPause", ()),
        ("ReentrancyGuardReentrantCall", ()),
        ("V2TooLittleReceived", ()),
        ("V2TooMuchRequested", ()),
        ("V3TooLittleReceived", ()),
        ("V3TooMuchRequested", ()),
        ("TransactionDeadlinePassed", ()),
        ("AllowanceExpired", ("uint256",)),
        ("InsufficientAllowance", ("uint256",)),
        ("SignatureExpired", ("uint256",)),
        ("InsufficientETH", ()),
        ("InsufficientToken", ()),
    )
}
"""Errors of OpenZeppelin's contracts (5.x), Permit2 and Uniswap's Universal Router."""
_REASONS = (
    ("out_of_gas", ("out of gas", "outofgas", "gas required exceeds")),
    ("allowance", ("allowance", "not approved", "approval")),
    (
        "slippage",
        (
            "insufficient_output", "excessive_input", "insufficient_a_amount", "insufficient_b_amount", "slippage",
            "too little received", "too much requested", "toolittlereceived", "toomuchrequested", "return amount",
            "min return", "minimum", "uniswapv2: k", "price impact",
        ),
    ),
    ("expired", ("expired", "deadline", "transaction too old", "too late")),
    ("liquidity", ("liquidity",)),
    ("balance", ("balance", "insufficient funds", "insufficienteth", "insufficienttoken")),
    ("transfer", ("transfer", "stf")),
    ("paused", ("paused", "enforcedpause")),
    ("refused", ("unauthorized", "not owner", "caller is not", "forbidden", "access", "only")),
    ("panic", ("panic", "invalid opcode", "assert")),
)  # fmt: skip
"""Short word → what its messages hold, in small letters; the first that fits is taken."""


class Revert(NamedTuple):
    """Why."""

    reason: str
    """One of few short words."""
    message: str | None
    """The contract's own, or the node's."""


def of_error(error: RpcError) -> Revert:
    """Of a replay that the node says failed."""
    returned = error.data if is_bytes(error.data) else _nested(error.data)
    if returned is not None and len(returned) >= 10:
        return of_bytes(returned)
    said = error.message.removeprefix("execution reverted").removeprefix(":").strip()
    if error.code == 3 or "revert" in error.message.lower():
        return Revert(_short(said), words(said) or None)
    short = _short(error.message)
    return Revert(short, words(error.message)) if short != UNKNOWN else Revert(UNKNOWN, _untold(error.message))


def of_bytes(returned: str) -> Revert:
    """Of the bytes that the contract returned, as `0x` and hex digits."""
    which, rest = returned[2:10].lower(), "0x" + returned[10:]
    try:
        if which == _ERROR:
            (said,) = answer(View("Error", (), ("bytes",)), rest)
            text = words(said.decode(errors="replace"))
            return Revert(_short(text), text)
        if which == _PANIC:
            (code,) = answer(View("Panic", (), ("uint256",)), rest)
            return Revert("panic", f"panic 0x{code:02x}: {_PANICS.get(code, 'of an unknown kind')}")
    except (_Undecodable, *UNDECODABLE):
        return Revert(UNKNOWN, f"the contract returned {words(returned, 80)}")
    name = _CUSTOM.get(which)
    if name is None:
        return Revert("custom_error", f"the contract's own error 0x{which}")
    short = _short(name)
    return Revert("custom_error" if short == UNKNOWN else short, name)


def _short(text: str) -> str:
    small = text.lower()
    return next((word for word, parts in _REASONS if any(part in small for part in parts)), UNKNOWN)


def _untold(message: str) -> str:
    return f"the node can't replay it: {words(message)}"


def _nested(data: object) -> str | None:
    """The bytes where a node wraps them: `{"data": "0x…"}`, or `Reverted 0x…`, as some do."""
    inner = data.get("data") if isinstance(data, dict) else data.partition(" ")[2] if isinstance(data, str) else None
    return inner if isinstance(inner, str) and is_bytes(inner) else None
