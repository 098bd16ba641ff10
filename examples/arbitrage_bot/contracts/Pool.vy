# pragma version 0.4.3
"""
@title Pool
@notice A constant-product pool of two tokens with a fee of 0.3 %, which stays in the pool.
@dev    `getReserves`, `token0`, `token1`, `Swap`, `Sync` and `Mint` have Uniswap V2's ABI, so that tools made for V2
        pairs read this pool. Swapping is simpler than V2's: one call pulls the input and pays the output.
        The deployer is the only liquidity provider and there is no way to withdraw: a pool for demos and tests.
        Made for tokens that move exactly what they are told; a token that takes a fee on transfers is refused.
"""

from ethereum.ercs import IERC20

event Mint:
    sender: indexed(address)
    amount0: uint256
    amount1: uint256

event Swap:
    sender: indexed(address)
    amount0In: uint256
    amount1In: uint256
    amount0Out: uint256
    amount1Out: uint256
    to: indexed(address)

event Sync:
    reserve0: uint112
    reserve1: uint112

FEE_NUMERATOR: constant(uint256) = 997
FEE_DENOMINATOR: constant(uint256) = 1000

token0: public(immutable(address))
token1: public(immutable(address))
PROVIDER: public(immutable(address))

_reserve0: uint112
_reserve1: uint112
_updated: uint32


@deploy
def __init__(_token0: address, _token1: address):
    assert _token0 != empty(address) and _token1 != empty(address) and _token0 != _token1, "BAD_TOKENS"
    token0 = _token0
    token1 = _token1
    PROVIDER = msg.sender


@external
@view
def getReserves() -> (uint112, uint112, uint32):
    """
    @return Reserve of token0, reserve of token1, Unix time of the last change.
    """
    return self._reserve0, self._reserve1, self._updated


@external
@view
def getAmountOut(token_in: address, amount_in: uint256) -> uint256:
    """
    @return What `swapExactIn` would pay for `amount_in` now.
    """
    if token_in == token0:
        return self._amount_out(amount_in, convert(self._reserve0, uint256), convert(self._reserve1, uint256))
    assert token_in == token1, "UNKNOWN_TOKEN"
    return self._amount_out(amount_in, convert(self._reserve1, uint256), convert(self._reserve0, uint256))


@external
@nonreentrant
def addLiquidity(amount0: uint256, amount1: uint256):
    """
    @notice Pull both amounts from the deployer into the reserves.
    """
    assert msg.sender == PROVIDER, "NOT_PROVIDER"
    self._set_reserves(
        convert(self._reserve0, uint256) + amount0,
        convert(self._reserve1, uint256) + amount1,
    )
    log Mint(sender=msg.sender, amount0=amount0, amount1=amount1)
    self._pull(token0, amount0, convert(self._reserve0, uint256))
    self._pull(token1, amount1, convert(self._reserve1, uint256))


@external
@nonreentrant
def swapExactIn(token_in: address, amount_in: uint256, min_out: uint256, to: address, deadline: uint256) -> uint256:
    """
    @notice Sell exactly `amount_in` of `token_in` for at least `min_out` of the other token.
    @param to Who gets the output.
    @param deadline Last Unix time at which this may happen.
    @return The output.
    """
    assert block.timestamp <= deadline, "EXPIRED"
    assert amount_in > 0, "NO_INPUT"
    assert to != token0 and to != token1 and to != self, "BAD_RECIPIENT"
    selling0: bool = token_in == token0
    assert selling0 or token_in == token1, "UNKNOWN_TOKEN"

    reserve0: uint256 = convert(self._reserve0, uint256)
    reserve1: uint256 = convert(self._reserve1, uint256)
    amount_out: uint256 = 0
    if selling0:
        amount_out = self._amount_out(amount_in, reserve0, reserve1)
        assert amount_out >= min_out, "SLIPPAGE"
        self._set_reserves(reserve0 + amount_in, reserve1 - amount_out)
        log Swap(sender=msg.sender, amount0In=amount_in, amount1In=0, amount0Out=0, amount1Out=amount_out, to=to)
        self._pull(token0, amount_in, reserve0 + amount_in)
        assert extcall IERC20(token1).transfer(to, amount_out), "TRANSFER"
    else:
        amount_out = self._amount_out(amount_in, reserve1, reserve0)
        assert amount_out >= min_out, "SLIPPAGE"
        self._set_reserves(reserve0 - amount_out, reserve1 + amount_in)
        log Swap(sender=msg.sender, amount0In=0, amount1In=amount_in, amount0Out=amount_out, amount1Out=0, to=to)
        self._pull(token1, amount_in, reserve1 + amount_in)
        assert extcall IERC20(token0).transfer(to, amount_out), "TRANSFER"
    assert convert(self._reserve0, uint256) * convert(self._reserve1, uint256) >= reserve0 * reserve1, "K"
    return amount_out


@internal
@pure
def _amount_out(amount_in: uint256, reserve_in: uint256, reserve_out: uint256) -> uint256:
    """
    @dev Uniswap V2's formula: the product of the reserves is kept by what is left of the input after the fee.
         Rounds down, so that rounding always favours the pool.
    """
    assert reserve_in > 0 and reserve_out > 0, "NO_LIQUIDITY"
    after_fee: uint256 = amount_in * FEE_NUMERATOR
    return after_fee * reserve_out // (reserve_in * FEE_DENOMINATOR + after_fee)


@internal
def _set_reserves(reserve0: uint256, reserve1: uint256):
    assert reserve0 <= convert(max_value(uint112), uint256), "OVERFLOW"
    assert reserve1 <= convert(max_value(uint112), uint256), "OVERFLOW"
    self._reserve0 = convert(reserve0, uint112)
    self._reserve1 = convert(reserve1, uint112)
    self._updated = convert(block.timestamp % 2**32, uint32)
    log Sync(reserve0=self._reserve0, reserve1=self._reserve1)


@internal
def _pull(token: address, amount: uint256, expected: uint256):
    """
    @dev Take `amount` from the caller, and refuse a token that delivered less than the reserves now say.
    """
    assert extcall IERC20(token).transferFrom(msg.sender, self, amount), "TRANSFER"
    assert staticcall IERC20(token).balanceOf(self) >= expected, "UNDERPAID"
