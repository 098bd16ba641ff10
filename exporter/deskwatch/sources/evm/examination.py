"""What `deskwatch doctor` finds out of an EVM chain: its endpoints, one by one, then all that is to be watched."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any

from deskwatch.errors import ConfigError
from deskwatch.sources.evm import opening
from deskwatch.sources.evm.endpoint import Endpoint
from deskwatch.sources.evm.errors import NO_METHOD, EndpointFault, Garbled, RpcError
from deskwatch.sources.evm.gas import usual_tip
from deskwatch.sources.evm.head import Head, head
from deskwatch.sources.evm.question import Answer
from deskwatch.sources.evm.rhythm import USUAL_SECONDS
from deskwatch.sources.evm.settings import Settings
from deskwatch.sources.evm.stream import try_stream
from deskwatch.sources.evm.targets import examine_targets
from deskwatch.sources.evm.wire import quantity, required, words
from deskwatch.sources.health import Health
from deskwatch.sources.source import Finding

OLD_SECONDS = 20 * USUAL_SECONDS
"""A head that is older than this is worth a word."""
MANY_BEHIND = 5
DEEP_BLOCKS = 1000
"""A state so many blocks ago is kept by archive nodes alone."""
_NOWHERE = "0x" + "0" * 64


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """Findings, as they are made."""
    try:
        urls = opening.urls(settings)
        stream = opening.websocket_url(settings)
        context = opening.tls(settings)
    except ConfigError as error:
        yield Finding(
            ok=False,
            what=f"Where the endpoints are can't be read: {error}.",
            cure="Mend the setting that is named, or the file or variable that it names.",
        )
        return
    async with opening.client(settings, urls, context) as http:
        endpoints = opening.endpoints(settings, urls, http, Health(settings.bot, "evm"))
        chain = settings.chain_id
        heads: dict[Endpoint, Head] = {}
        for endpoint in endpoints:
            try:
                number, newest = await _meet(endpoint)
            except EndpointFault as fault:
                yield Finding(ok=False, what=f"{endpoint.name} does not answer well: {fault}.", cure=_cure(fault))
                continue
            chain = chain or number
            if number != chain:
                yield Finding(
                    ok=False,
                    what=f"{endpoint.name} is of chain {number}, not of chain {chain}.",
                    cure="Give it a URL of that chain, or set chain_id.",
                )
                continue
            heads[endpoint] = newest
            async for finding in _abilities(endpoint, number, newest):
                yield finding
        for finding in _laggards(heads):
            yield finding
        if stream is not None:
            why = await try_stream(stream, settings.timeout_seconds, context)
            yield Finding(
                ok=None if why else True,
                what="The WebSocket " + (f"does not tell of new blocks: {why}." if why else "tells of new blocks."),
                cure="Mend ws_url or leave it out: new blocks are then found by polling." if why else None,
            )
        if heads:
            async for finding in examine_targets(next(iter(heads)), settings):
                yield finding


async def _meet(endpoint: Endpoint) -> tuple[int, Head]:
    chain, newest = await _ask_singly(endpoint, ("eth_chainId", ()), ("eth_getBlockByNumber", ("latest", False)))
    for answer in (chain, newest):
        if isinstance(answer, RpcError):
            raise Garbled(f"expected a chain and its newest block, was: {answer}")
    return required(chain, "the chain's number"), head(newest)


async def _ask_singly(endpoint: Endpoint, *questions: tuple[str, tuple[Any, ...]]) -> list[Answer]:
    return [(await endpoint.ask([one]))[0] for one in questions]


async def _abilities(endpoint: Endpoint, chain: int, newest: Head) -> AsyncIterator[Finding]:
    age = time.time() - newest.timestamp
    latency = f"{1000 * (endpoint.latency_seconds or 0):.0f} ms"
    yield Finding(
        ok=True if age < OLD_SECONDS else None,
        what=f"{endpoint.name} answers within {latency}: chain {chain}, block {newest.number}, "
        f"{max(age, 0):.0f} s old.",
        cure=None
        if age < OLD_SECONDS
        else "If blocks of this chain come more often, the node stands still or lags: look at it.",
    )
    asked = endpoint.batch_calls
    try:
        old = hex(max(newest.number - DEEP_BLOCKS, 0))
        price, tips, receipts, past, trace = await endpoint.ask(
            [
                ("eth_gasPrice", ()),
                ("eth_feeHistory", ("0x5", "latest", (50,))),
                ("eth_getBlockReceipts", (hex(newest.number),)),
                ("eth_getBalance", ("0x" + "0" * 40, old)),
                ("debug_traceTransaction", (_NOWHERE,)),
            ]
        )
    except EndpointFault as fault:
        yield Finding(ok=False, what=f"{endpoint.name} stopped to answer well: {fault}.", cure=_cure(fault))
        return
    if endpoint.batch_calls < min(asked, 5):
        yield Finding(
            ok=None,
            what=f"{endpoint.name} takes batches of at most {endpoint.batch_calls} calls.",
            cure=f"Set batch_calls = {endpoint.batch_calls}, so that none is tried in vain.",
        )
    if quantity(price) is None:
        yield Finding(ok=None, what=f"{endpoint.name} tells no gas price: {words(str(price))}.")
    elif usual_tip(tips) is None:
        yield Finding(
            ok=None, what=f"{endpoint.name} tells no usual tip (eth_feeHistory): priority fees are not shown from it."
        )
    if not isinstance(receipts, list):
        yield Finding(ok=None, what=f"{endpoint.name} gives receipts one by one only (no eth_getBlockReceipts).")
    if newest.number > DEEP_BLOCKS and quantity(past) is None:
        yield Finding(
            ok=None,
            what=f"{endpoint.name} keeps no old state (no archive node): why a transaction reverted is not found "
            f"out where it was mined long before it was seen.",
        )
    if not (isinstance(trace, RpcError) and trace.code == NO_METHOD):
        yield Finding(ok=True, what=f"{endpoint.name} can trace transactions (deskwatch does not need that).")


def _laggards(heads: dict[Endpoint, Head]) -> list[Finding]:
    best = max((one.number for one in heads.values()), default=0)
    return [
        Finding(
            ok=None,
            what=f"{endpoint.name} is {best - one.number} blocks behind the others: it would not be asked.",
            cure="See whether its node still catches up.",
        )
        for endpoint, one in heads.items()
        if best - one.number > MANY_BEHIND
    ]


def _cure(fault: EndpointFault) -> str:
    match fault.reason:
        case "timeout" | "connect":
            return "See whether the node runs, and whether this machine may reach its port."
        case "rate_limited":
            return "Lower requests_per_second and calls_per_second, or get a key that may ask more."
        case "refused":
            return "See whether the key in the URL is right, and allowed from this machine."
        case _:
            return "See whether this is the URL of a JSON-RPC endpoint."
