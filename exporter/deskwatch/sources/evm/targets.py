"""Whether what is to be watched on a chain is what the settings take it for: wallets, tokens, pools, contracts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError, EncodingError, ParseError
from eth_utils.crypto import keccak

from deskwatch.sources.evm.endpoint import Endpoint
from deskwatch.sources.evm.errors import EndpointFault, RpcError
from deskwatch.sources.evm.question import Answer, Question
from deskwatch.sources.evm.settings import Call, Pool, Settings, Token, Wallet
from deskwatch.sources.evm.wire import is_bytes, quantity, words
from deskwatch.sources.source import Finding


async def examine_targets(endpoint: Endpoint, settings: Settings) -> AsyncIterator[Finding]:
    """Ask for each of them once."""
    try:
        for wallet in settings.wallets:
            yield await _wallet(endpoint, wallet, settings.asset)
        for token in settings.tokens:
            yield await _token(endpoint, token)
        for pool in settings.pools:
            yield await _pool(endpoint, pool)
        for call in settings.contracts:
            yield await _call(endpoint, call)
    except EndpointFault as fault:
        yield Finding(ok=False, what=f"{endpoint.name} stopped to answer well: {fault}.")


async def _wallet(endpoint: Endpoint, wallet: Wallet, asset: str) -> Finding:
    balance, code, nonce = await endpoint.ask(
        [
            ("eth_getBalance", (wallet.address, "latest")),
            ("eth_getCode", (wallet.address, "latest")),
            ("eth_getTransactionCount", (wallet.address, "latest")),
        ]
    )
    wei, sent = quantity(balance), quantity(nonce)
    if wei is None or sent is None:
        return Finding(ok=False, what=f"The balance of wallet {wallet.name} can't be read: {words(str(balance))}.")
    what = f"Wallet {wallet.name} has {wei / 1e18:.6g} {asset} and has sent {sent} transactions"
    if is_bytes(code) and code != "0x":
        return Finding(ok=None, what=f"{what}; it is a contract: what others send through it is not seen as its own.")
    return Finding(ok=True, what=f"{what}.")


async def _token(endpoint: Endpoint, token: Token) -> Finding:
    (answer,) = await endpoint.ask([_view(token.address, "decimals()")])
    found = _decoded(answer, ["uint8"])
    if isinstance(found, str) or not found:
        return Finding(
            ok=token.decimals is not None and None,
            what=f"Token {token.symbol} does not tell its decimals: {found}.",
            cure="See whether this is its contract on this chain; set decimals where it really tells none.",
        )
    if token.decimals is not None and found[0] != token.decimals:
        return Finding(
            ok=False,
            what=f"Token {token.symbol} has {found[0]} decimals, not {token.decimals}.",
            cure="Leave decimals out: they are asked of the contract.",
        )
    return Finding(ok=True, what=f"Token {token.symbol} has {found[0]} decimals.")


async def _pool(endpoint: Endpoint, pool: Pool) -> Finding:
    answers = await endpoint.ask([_view(pool.address, name) for name in ("token0()", "token1()", "getReserves()")])
    kinds = (["address"], ["address"], ["uint112", "uint112", "uint32"])
    for answer, kind in zip(answers, kinds, strict=True):
        found = _decoded(answer, kind)
        if isinstance(found, str):
            return Finding(
                ok=False,
                what=f"Pool {pool.name} is no pair of the Uniswap V2 kind: {found}.",
                cure="Give the address of the pair itself, not of a router, factory or token, nor a V3 or V4 pool.",
            )
    return Finding(ok=True, what=f"Pool {pool.name} is a pair, with reserves.")


async def _call(endpoint: Endpoint, call: Call) -> Finding:
    name, inputs, outputs = parted(call.signature)
    try:
        arguments = encode(inputs, [_argument(kind, one) for kind, one in zip(inputs, call.args, strict=True)])
    except (EncodingError, ParseError, ValueError, TypeError, OverflowError) as error:
        return Finding(
            ok=False,
            what=f"The arguments of {call.name} don't fit {call.signature}: {words(str(error))}.",
            cure="Give args as many, and of those types, as its signature names.",
        )
    (answer,) = await endpoint.ask([_view(call.address, f"{name}({','.join(inputs)})", arguments)])
    found = _decoded(answer, outputs)
    if isinstance(found, str):
        return Finding(
            ok=False,
            what=f"The call {call.name} does not answer as {call.signature} says: {found}.",
            cure="See whether the contract is at that address of this chain, and has that method with that answer.",
        )
    return Finding(ok=True, what=f"The call {call.name} answers {words(', '.join(map(str, found)), 80)}.")


def parted(signature: str) -> tuple[str, list[str], list[str]]:
    """A signature's name, its arguments' types and its answer's: `f(address,(int8,bool))(uint256)`."""
    name, _, rest = signature.partition("(")
    inputs, _, outputs = ("(" + rest).rpartition(")(")
    return name, _types(inputs[1:]), _types(outputs[:-1])


def _types(listed: str) -> list[str]:
    found, depth = [""], 0
    for character in listed.replace(" ", ""):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and depth == 0:
            found.append("")
        else:
            found[-1] += character
    return [] if found == [""] else found


def _argument(kind: str, value: str | int | bool) -> object:
    if kind.startswith(("uint", "int")) and isinstance(value, str):
        return int(value, 0)
    if kind.startswith("bytes") and isinstance(value, str):
        return bytes.fromhex(value.removeprefix("0x"))
    if kind == "bool" and isinstance(value, str):
        return value == "true"
    return value


def _view(to: str, signature: str, arguments: bytes = b"") -> Question:
    selector = keccak(text=signature)[:4]
    return ("eth_call", ({"to": to, "data": "0x" + (selector + arguments).hex()}, "latest"))


def _decoded(answer: Answer, kinds: Sequence[str]) -> tuple[object, ...] | str:
    """The values, or in words why there are none."""
    if isinstance(answer, RpcError):
        return f"the node says {words(str(answer))}"
    if not is_bytes(answer):
        return f"its answer is {words(answer)}"
    if answer == "0x":
        return "it answers nothing: there is no contract with that method"
    try:
        return decode(kinds, bytes.fromhex(answer[2:]))
    except (DecodingError, ParseError, ValueError, OverflowError) as error:
        return f"its answer does not decode as {','.join(kinds)}: {words(str(error))}"
