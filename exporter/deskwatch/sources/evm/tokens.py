"""ERC-20s: what they call themselves, and how many digits they have. Their own words are hostile."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from deskwatch.sources.evm.abi import Undecodable, answer, calldata, view
from deskwatch.sources.evm.errors import RpcError
from deskwatch.sources.evm.question import Answer, Question
from deskwatch.sources.evm.reading import Asks
from deskwatch.sources.evm.settings import Token

BALANCE_OF = view("balanceOf(address)(uint256)")
DECIMALS = view("decimals()(uint8)")
SYMBOL = view("symbol()(bytes)")
"""It is text; read as bytes, as it need be none."""
SHORT_SYMBOL = view("symbol()(bytes32)")
"""As the oldest tokens have it."""
MAX_SYMBOL = 16
_ODD = re.compile(r"[^A-Za-z0-9.+$-]")


class KnownToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token whose digits are known."""

    address: str
    symbol: str
    decimals: int

    def units(self, raw: int) -> float:
        """Whole units of its smallest ones."""
        return float(raw / 10**self.decimals)


class Tokens:
    """Those that were asked for, each found out once.

    Args:
        asks: Who asks the node.
        configured: Those that the settings name: their symbols, and digits where given, go before the chain's.
    """

    def __init__(self, asks: Asks, configured: Sequence[Token]) -> None:
        self._asks = asks
        self._configured = {one.address.lower(): one for one in configured}
        self._known: dict[str, KnownToken] = {
            address: KnownToken(address=address, symbol=one.symbol, decimals=one.decimals)
            for address, one in self._configured.items()
            if one.decimals is not None
        }

    async def find(self, addresses: Sequence[str]) -> dict[str, KnownToken | str]:
        """By address in small letters: the token, or why it can't be known."""
        wanted = list(dict.fromkeys(address.lower() for address in addresses))
        unknown = [address for address in wanted if address not in self._known]
        told = iter(
            await self._asks.batch([question for one in unknown for question in _questions(one)]) if unknown else []
        )
        found: dict[str, KnownToken | str] = {}
        for address in unknown:
            found[address] = self._learn(address, next(told), next(told))
        return {address: self._known.get(address) or found[address] for address in wanted}

    def _learn(self, address: str, decimals: Answer, symbol: Answer) -> KnownToken | str:
        configured = self._configured.get(address)
        try:
            if isinstance(decimals, RpcError):
                return f"it does not tell its decimals: {decimals}"
            (digits,) = answer(DECIMALS, decimals)
        except Undecodable as error:
            return f"it does not tell its decimals: {error}"
        name = configured.symbol if configured is not None else _symbol(symbol) or address[:8]
        self._known[address] = KnownToken(address=address, symbol=name, decimals=digits)
        return self._known[address]


def _questions(address: str) -> list[Question]:
    return [("eth_call", ({"to": address, "data": calldata(call)}, "latest")) for call in (DECIMALS, SYMBOL)]


def _symbol(told: Answer) -> str:
    """A token's symbol as a label: short, of plain letters; what is odd in it shows as `_`."""
    for call in (SYMBOL, SHORT_SYMBOL):
        try:
            (text,) = answer(call, None if isinstance(told, RpcError) else told)
        except Undecodable:
            continue
        return _ODD.sub("_", text.rstrip(b"\0").decode(errors="replace")[:MAX_SYMBOL])
    return ""
