"""Calls of contracts as nodes take them, and their answers back (Solidity's "Contract ABI Specification").

It stands on `eth_abi` alone, which web3 stands on too: web3 itself costs 50 MB of memory, this half as much.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from eth_abi.abi import decode, encode, is_encodable_type
from eth_abi.exceptions import DecodingError, EncodingError
from eth_utils.crypto import keccak

from deskwatch.errors import DeskwatchError
from deskwatch.sources.evm.wire import is_bytes, words

UNDECODABLE = (DecodingError, OverflowError, ValueError, MemoryError)
"""What a hostile answer makes the decoder raise."""
MAX_ITEMS = 50
"""Of a list that a contract answers, so many are kept."""


class Undecodable(DeskwatchError):
    """A contract's answer is not of the types that were expected."""


class View(NamedTuple):
    """A view call: `balanceOf(address)(uint256)` in parts."""

    name: str
    takes: tuple[str, ...]
    """Types of its arguments."""
    gives: tuple[str, ...]
    """Types of its answer."""


def view(signature: str) -> View:
    """The parts of a signature with the types of arguments and answer.

    Raises:
        ValueError: It is none, or names a type that there is not.
    """
    name, bracket, rest = signature.partition("(")
    takes, middle, gives = (bracket + rest).partition(")(")
    if not middle:
        raise ValueError(
            f"expected the types of the arguments and of the answer, as in balanceOf(address)(uint256), "
            f"was {signature!r}; add what is missing"
        )
    found = View(name.strip(), _types(takes[1:]), _types(gives.removesuffix(")")))
    for one in (*found.takes, *found.gives):
        if not is_encodable_type(one):
            raise ValueError(f"expected types of Solidity's ABI in {signature!r}, was {one!r}; mend it")
    if not found.gives:
        raise ValueError(f"expected the type of the answer in {signature!r}, was none; add it")
    return found


def selector(name: str, types: tuple[str, ...]) -> bytes:
    """The four bytes by which a call, or an error, says which it is."""
    return keccak(text=f"{name}({','.join(types)})")[:4]


def calldata(call: View, args: tuple[Any, ...] = ()) -> str:
    """A call as hex digits. Arguments may be text, as a configuration has them.

    Raises:
        ValueError: They don't fit.
    """
    if len(args) != len(call.takes):
        raise ValueError(f"expected {len(call.takes)} arguments of {call.name}, was {len(args)}; give args to match")
    values = [_value(kind, given) for kind, given in zip(call.takes, args, strict=True)]
    try:
        return "0x" + (selector(call.name, call.takes) + encode(call.takes, values)).hex()
    except (EncodingError, TypeError, OverflowError) as error:
        raise ValueError(f"expected arguments of {call.name} as {', '.join(call.takes)}, but: {error}") from None


def answer(call: View, told: object) -> tuple[Any, ...]:  # Any: numbers, booleans, text, bytes and lists of them
    """The values of an answer.

    Raises:
        Undecodable: It does not hold them.
    """
    if not is_bytes(told):
        raise Undecodable(f"expected bytes as 0x and hex digits, was {words(told)!r}")
    returned = bytes.fromhex(str(told)[2:])
    if not returned:
        raise Undecodable(f"expected {', '.join(call.gives)}, was nothing: no contract with {call.name} is there")
    try:
        return decode(call.gives, returned)
    except UNDECODABLE as error:
        raise Undecodable(f"expected {', '.join(call.gives)}, was {words(told, 80)!r} ({words(str(error))})") from None


def plain(value: Any) -> Any:  # Any: whatever the decoder gives; JSON comes out
    """A decoded value as JSON, harmless: bytes as hex digits, numbers beyond 53 bits as text."""
    match value:
        case bool():
            return value
        case int():
            return value if -(2**53) < value < 2**53 else str(value)
        case bytes():
            return words("0x" + value.hex())
        case list() | tuple():
            return [plain(one) for one in value[:MAX_ITEMS]]
        case _:
            return words(value)


def _types(text: str) -> tuple[str, ...]:
    """Types parted by commas, but for those inside of a tuple's brackets."""
    found, depth = [""], 0
    for character in text.replace(" ", ""):
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            found.append("")
        else:
            found[-1] += character
    return tuple(found) if found != [""] else ()


def _value(kind: str, given: Any) -> Any:
    if not isinstance(given, str):
        return given
    try:
        if kind.startswith(("uint", "int")) and "[" not in kind:
            return int(given, 0)
        if kind.startswith("bytes") and "[" not in kind:
            return bytes.fromhex(given.removeprefix("0x"))
    except ValueError:
        raise ValueError(f"expected an argument of type {kind}, was {given!r}; write it as digits") from None
    if kind == "bool":
        return given.lower() == "true"
    return given.lower() if kind == "address" else given
