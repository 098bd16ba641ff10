"""What a transaction is for, in a short word, by the four bytes that say which function it calls."""

from __future__ import annotations

from collections.abc import Iterable

from deskwatch.sources.evm.abi import selector

TRANSFER, CREATE, CALL = "transfer", "create", "call"
"""Of coin alone; of a new contract; of a function that nobody named."""

_KNOWN = {
    "transfer": ("transfer(address,uint256)", "transferFrom(address,address,uint256)"),
    "approve": (
        "approve(address,uint256)",
        "increaseAllowance(address,uint256)",
        "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)",
        "approve(address,address,uint160,uint48)",
    ),
    "wrap": ("deposit()", "withdraw(uint256)"),
    "swap": (
        "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)",
        "swapTokensForExactTokens(uint256,uint256,address[],address,uint256)",
        "swapExactETHForTokens(uint256,address[],address,uint256)",
        "swapTokensForExactETH(uint256,uint256,address[],address,uint256)",
        "swapExactTokensForETH(uint256,uint256,address[],address,uint256)",
        "swapETHForExactTokens(uint256,address[],address,uint256)",
        "swapExactTokensForTokensSupportingFeeOnTransferTokens(uint256,uint256,address[],address,uint256)",
        "swapExactETHForTokensSupportingFeeOnTransferTokens(uint256,address[],address,uint256)",
        "swapExactTokensForETHSupportingFeeOnTransferTokens(uint256,uint256,address[],address,uint256)",
        "swap(uint256,uint256,address,bytes)",
        "exactInputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))",
        "exactInputSingle((address,address,uint24,address,uint256,uint256,uint160))",
        "exactInput((bytes,address,uint256,uint256,uint256))",
        "exactInput((bytes,address,uint256,uint256))",
        "exactOutputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))",
        "exactOutputSingle((address,address,uint24,address,uint256,uint256,uint160))",
        "exactOutput((bytes,address,uint256,uint256,uint256))",
        "exactOutput((bytes,address,uint256,uint256))",
        "execute(bytes,bytes[],uint256)",
        "execute(bytes,bytes[])",
    ),
    "liquidity": (
        "addLiquidity(address,address,uint256,uint256,uint256,uint256,address,uint256)",
        "addLiquidityETH(address,uint256,uint256,uint256,address,uint256)",
        "removeLiquidity(address,address,uint256,uint256,uint256,address,uint256)",
        "removeLiquidityETH(address,uint256,uint256,uint256,address,uint256)",
    ),
    "multicall": ("multicall(bytes[])", "multicall(uint256,bytes[])", "aggregate3((address,bool,bytes)[])"),
}
"""Word → functions of ERC-20s, WETH, Permit2 and Uniswap's routers."""


def selector_of(function: str) -> str:
    """Four bytes as `0x` and hex digits: of a signature such as `swap(uint256)`, or given as such."""
    name, bracket, types = function.replace(" ", "").partition("(")
    return "0x" + selector(name, (types.removesuffix(")"),)).hex() if bracket else function.lower()


class Purposes:
    """Words by function.

    Args:
        named: Function's signature or its four bytes, and its word; these go before the known ones.
    """

    def __init__(self, named: Iterable[tuple[str, str]] = ()) -> None:
        known = {selector_of(function): word for word, functions in _KNOWN.items() for function in functions}
        self._words = known | {selector_of(function): word for function, word in named}

    def word(self, to: object, data: object) -> str:
        """Of a transaction's `to` and `input`."""
        if not isinstance(to, str):
            return CREATE
        if not isinstance(data, str) or len(data) < 10:
            return TRANSFER
        return self._words.get(data[:10].lower(), CALL)
