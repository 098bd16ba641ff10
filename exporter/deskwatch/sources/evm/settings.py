"""What a watch of an EVM chain is told."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from deskwatch.sources.evm.abi import calldata, view
from deskwatch.sources.evm.address import check_address
from deskwatch.sources.settings import SourceSettings

Name = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._/:+-]*$")]
"""A short name of something watched: it becomes a label of metrics."""
Positive = Annotated[float, Meta(gt=0)]


class _Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class Wallet(_Strict, frozen=True, kw_only=True):
    """An account that is watched: its balances, its nonce, and what it sends."""

    name: Name
    """Its `venue` in metrics."""
    address: str
    """`0x` and 40 hex digits."""

    def __post_init__(self) -> None:
        check_address(self.address)


class Token(_Strict, frozen=True, kw_only=True):
    """An ERC-20 that is watched in every wallet."""

    symbol: Name
    """Its `asset` in metrics."""
    address: str
    """The token's contract."""
    decimals: Annotated[int, Meta(ge=0, le=255)] | None = None
    """Digits after the point; asked of the contract where absent."""

    def __post_init__(self) -> None:
        check_address(self.address)


class Pool(_Strict, frozen=True, kw_only=True):
    """A pair of the Uniswap V2 kind."""

    name: Name
    """Its `venue` in metrics: the exchange's name, mostly."""
    address: str
    """The pair's contract."""
    base: str | None = None
    """Symbol or address of the token whose price is told; token0 where absent."""

    def __post_init__(self) -> None:
        check_address(self.address)


class Call(_Strict, frozen=True, kw_only=True):
    """A view call whose answer is watched."""

    name: Name
    """What is read, as `kind` in metrics."""
    address: str
    """The contract."""
    signature: str
    """Name, arguments' types and answer's types: `totalSupply()(uint256)`, `balanceOf(address)(uint256)`."""
    args: tuple[str | int | bool, ...] = ()
    """Its arguments; numbers beyond 64 bits as text."""
    decimals: Annotated[int, Meta(ge=0, le=255)] | None = None
    """Digits after the point of a whole number; 0 where absent."""
    every_seconds: Positive | None = None
    """Told again after so long, though it did not change."""

    def __post_init__(self) -> None:
        check_address(self.address)
        calldata(view(self.signature), self.args)


class Purpose(_Strict, frozen=True, kw_only=True):
    """What calls of a function are for."""

    function: Annotated[str, Meta(pattern=r"^(0x[0-9a-fA-F]{8}|[A-Za-z_$][\w$]*\(.*\))$")]
    """Its signature, `swap(uint256,address)`, or its four bytes, `0x38ed1739`."""
    word: Name
    """A short word: a transaction's `kind` in metrics."""


class Settings(SourceSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of one chain, watched for one bot."""

    urls: Annotated[
        tuple[str, ...], Meta(description="JSON-RPC endpoints (http or https), the preferred one first")
    ] = ()
    urls_file: Annotated[
        Path | None, Meta(description="file with endpoints, one a line: for URLs that hold a provider's key")
    ] = None
    urls_env: Annotated[str | None, Meta(description="environment variable with endpoints, parted by spaces")] = None
    ws_url: Annotated[
        str | None, Meta(description="WebSocket endpoint (ws or wss) that tells of new blocks at once")
    ] = None
    ws_url_file: Annotated[Path | None, Meta(description="file with the WebSocket endpoint")] = None
    ws_url_env: Annotated[str | None, Meta(description="environment variable with the WebSocket endpoint")] = None
    ca_file: Annotated[
        Path | None, Meta(description="PEM file with the CAs of the endpoints' certificates, beside the system's")
    ] = None
    chain: Annotated[
        str, Meta(description="the chain's short name in metrics; its number where absent", max_length=40)
    ] = ""
    chain_id: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description="the chain's number: an endpoint of another chain is refused"),
    ] = None
    asset: Annotated[str, Meta(description="the chain's native coin", min_length=1, max_length=20)] = "ETH"
    wallets: Annotated[tuple[Wallet, ...], Meta(description="accounts to watch")] = ()
    tokens: Annotated[tuple[Token, ...], Meta(description="ERC-20 tokens to watch in each wallet")] = ()
    pools: Annotated[tuple[Pool, ...], Meta(description="Uniswap V2 pairs to watch")] = ()
    contracts: Annotated[tuple[Call, ...], Meta(description="view calls to watch")] = ()
    transactions: Annotated[
        bool, Meta(description="tell of the wallets' transactions; false where the bot journals them itself")
    ] = True
    purposes: Annotated[
        tuple[Purpose, ...], Meta(description="what transactions are for, by the function that they call")
    ] = ()
    observe_seconds: Annotated[
        Positive,
        Meta(description="a balance or answer that did not change is told again after so long; a pool in 20 s at most"),
    ] = 60.0
    requests_per_second: Annotated[
        Positive, Meta(description="most HTTP requests a second on average, to all endpoints; a batch is one")
    ] = 1.0
    calls_per_second: Annotated[
        Positive, Meta(description="most calls a second on average, each of a batch counted, as providers do")
    ] = 10.0
    batch_calls: Annotated[int, Meta(description="most calls in a batch; 1 for no batches", ge=1, le=1000)] = 20
    timeout_seconds: Annotated[Positive, Meta(description="longest wait for an answer")] = 10.0
    poll_seconds: Annotated[
        Positive | None, Meta(description="time between looks for a new block; half a block's time where absent")
    ] = None
    stale_seconds: Annotated[
        Positive | None,
        Meta(description="an endpoint lies stale so long after its last new block; 5 blocks' time where absent"),
    ] = None
    max_catch_up_blocks: Annotated[
        int, Meta(description="most blocks read after an outage; those before are skipped, and that is told", ge=1)
    ] = 300

    def __post_init__(self) -> None:
        for what, names in (
            ("wallets", [one.name for one in self.wallets]),
            ("tokens", [self.asset, *(one.symbol for one in self.tokens)]),  # or two balances would be one figure
            ("pools", [one.name for one in self.pools]),
            ("contracts", [one.name for one in self.contracts]),
        ):
            _check_different(what, "a name", names)
        for what, held in (("wallets", self.wallets), ("tokens", self.tokens)):  # else they count twice in sums
            _check_different(what, "an address", [one.address.lower() for one in held])
        for url in self.urls:
            check_url(url, ("http", "https"))
        if self.ws_url is not None:
            check_url(self.ws_url, ("ws", "wss"))


def check_url(url: str, schemes: tuple[str, ...], *, may_hold_password: bool = False) -> None:
    """Whether it is a URL that an endpoint may have. The message never shows it: it may hold a key.

    Raises:
        ValueError: It is none, or holds a password.
    """
    parts = re.fullmatch(r"([a-z]+)://([^/\s?#]+)([/?#]\S*)?", url)
    if parts is None or parts[1] not in schemes:
        expected = " or ".join(f"{scheme}://" for scheme in schemes)
        raise ValueError(f"expected an endpoint's URL that begins with {expected}, was one that does not; mend it")
    try:
        host = urlsplit(url).port != 0 and urlsplit(url).hostname
    except ValueError:
        host = None
    if not host:
        raise ValueError(
            "expected a host, and a port from 1 to 65535 if any, in an endpoint's URL, was another; mend it"
        )
    if "@" in parts[2] and not may_hold_password:
        raise ValueError(
            f"expected a URL without user and password, was one of {parts[2].rpartition('@')[2]} with both; "
            f"give it in urls_file or urls_env"
        )


def _check_different(what: str, of_its_own: str, given: Iterable[str]) -> None:
    seen: set[str] = set()
    for one in given:
        if one in seen:
            raise ValueError(
                f"expected each of {what} to have {of_its_own} of its own, was {one!r} twice; change or remove one"
            )
        seen.add(one)
