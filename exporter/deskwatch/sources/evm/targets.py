"""Whether what is to be watched on a chain is what the settings take it for: wallets, tokens, pools, contracts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from deskwatch.sources.evm.abi import Undecodable, View, answer, calldata, plain, view
from deskwatch.sources.evm.endpoint import Endpoint
from deskwatch.sources.evm.errors import EndpointFault, RpcError
from deskwatch.sources.evm.pools import pair_of
from deskwatch.sources.evm.question import Answer, Question
from deskwatch.sources.evm.settings import Call, Pool, Settings, Token, Wallet
from deskwatch.sources.evm.tokens import Tokens
from deskwatch.sources.evm.wire import is_bytes, quantity, words
from deskwatch.sources.source import Finding

_DECIMALS = View("decimals", (), ("uint8",))
_PAIR = (
    View("token0", (), ("address",)),
    View("token1", (), ("address",)),
    View("getReserves", (), ("uint112", "uint112", "uint32")),
)


async def examine_targets(endpoint: Endpoint, settings: Settings) -> AsyncIterator[Finding]:
    """Ask for each of them once."""
    try:
        for wallet in settings.wallets:
            yield await _wallet(endpoint, wallet, settings.asset)
        for token in settings.tokens:
            yield await _token(endpoint, token)
        for pool in settings.pools:
            yield await _pool(endpoint, pool, settings.tokens)
        for call in settings.contracts:
            yield await _call(endpoint, call)
    except EndpointFault as fault:
        yield Finding(
            ok=False,
            what=f"{endpoint.name} stopped to answer well: {fault}.",
            cure="Try again; if it stays so, see what the node's own log says.",
        )


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
        return Finding(
            ok=False,
            what=f"The balance of wallet {wallet.name} can't be read: {words(str(balance))}.",
            cure="See whether the endpoint answers eth_getBalance at all: some serve a few methods only.",
        )
    what = f"Wallet {wallet.name} has {wei / 1e18:.6g} {asset} and has sent {sent} transactions"
    if is_bytes(code) and code != "0x":
        return Finding(ok=None, what=f"{what}; it is a contract: what others send through it is not seen as its own.")
    return Finding(ok=True, what=f"{what}.")


async def _token(endpoint: Endpoint, token: Token) -> Finding:
    (told,) = await endpoint.ask([_question(token.address, _DECIMALS)])
    try:
        (found,) = _values(_DECIMALS, told)
    except Undecodable as error:
        return Finding(
            ok=None if token.decimals is not None else False,
            what=f"Token {token.symbol} does not tell its decimals: {error}.",
            cure="See whether this is its contract on this chain; set decimals where it really tells none.",
        )
    if token.decimals is not None and found != token.decimals:
        return Finding(
            ok=False,
            what=f"Token {token.symbol} has {found} decimals, not {token.decimals}.",
            cure="Leave decimals out: they are asked of the contract.",
        )
    return Finding(ok=True, what=f"Token {token.symbol} has {found} decimals.")


async def _pool(endpoint: Endpoint, pool: Pool, configured: Sequence[Token]) -> Finding:
    answers = await endpoint.ask([_question(pool.address, one) for one in _PAIR])
    try:
        first, second, _ = (str(_values(one, told)[0]).lower() for one, told in zip(_PAIR, answers, strict=True))
    except Undecodable as error:
        return Finding(
            ok=False,
            what=f"Pool {pool.name} is no pair of the Uniswap V2 kind: {error}.",
            cure="Give the address of the pair itself, not of a router, factory or token, nor a V3 or V4 pool.",
        )
    known = await Tokens(_Asked(endpoint), configured).find([first, second])
    pair = pair_of(pool, known[first], known[second])
    if isinstance(pair, str):
        return Finding(
            ok=False,
            what=f"Pool {pool.name} can't be watched: {pair}.",
            cure="Mend its base, or name its tokens with their decimals under tokens.",
        )
    return Finding(
        ok=True,
        what=f"Pool {pool.name} is a pair, with reserves: the price of {pair.base.symbol} in "
        f"{pair.quote.symbol} is told.",
    )


async def _call(endpoint: Endpoint, call: Call) -> Finding:
    asked = view(call.signature)
    (told,) = await endpoint.ask([_question(call.address, asked, call.args)])
    try:
        found = _values(asked, told)
    except Undecodable as error:
        return Finding(
            ok=False,
            what=f"The call {call.name} does not answer as {call.signature} says: {error}.",
            cure="See whether the contract is at that address of this chain, and has that method with that answer.",
        )
    return Finding(ok=True, what=f"The call {call.name} answers {words(', '.join(map(str, map(plain, found))), 80)}.")


class _Asked:
    """One endpoint, as `deskwatch.sources.evm.reading.Asks` is asked."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.batch = endpoint.ask


def _question(to: str, asked: View, args: tuple[Any, ...] = ()) -> Question:
    return ("eth_call", ({"to": to, "data": calldata(asked, args)}, "latest"))


def _values(asked: View, told: Answer) -> tuple[Any, ...]:
    """The answer's values.

    Raises:
        Undecodable: There are none, or others.
    """
    if isinstance(told, RpcError):
        raise Undecodable(f"the node says {told}")
    return answer(asked, told)
