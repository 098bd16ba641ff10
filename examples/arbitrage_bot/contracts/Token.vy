# pragma version 0.4.3
"""
@title Token
@notice A plain ERC-20 whose deployer may mint. The demo's stand-in for WETH and USDC; worth nothing.
"""

from ethereum.ercs import IERC20

implements: IERC20

event Transfer:
    sender: indexed(address)
    receiver: indexed(address)
    value: uint256

event Approval:
    owner: indexed(address)
    spender: indexed(address)
    value: uint256

name: public(String[32])
symbol: public(String[16])
decimals: public(immutable(uint8))
MINTER: public(immutable(address))

totalSupply: public(uint256)
balanceOf: public(HashMap[address, uint256])
allowance: public(HashMap[address, HashMap[address, uint256]])


@deploy
def __init__(_name: String[32], _symbol: String[16], _decimals: uint8):
    self.name = _name
    self.symbol = _symbol
    decimals = _decimals
    MINTER = msg.sender


@external
def mint(_to: address, _value: uint256):
    """
    @notice Make `_value` new units for `_to`. Deployer only.
    """
    assert msg.sender == MINTER, "NOT_MINTER"
    assert _to != empty(address), "BAD_RECIPIENT"
    self.totalSupply += _value
    self.balanceOf[_to] += _value
    log Transfer(sender=empty(address), receiver=_to, value=_value)


@external
def approve(_spender: address, _value: uint256) -> bool:
    self.allowance[msg.sender][_spender] = _value
    log Approval(owner=msg.sender, spender=_spender, value=_value)
    return True


@external
def transfer(_to: address, _value: uint256) -> bool:
    self._move(msg.sender, _to, _value)
    return True


@external
def transferFrom(_from: address, _to: address, _value: uint256) -> bool:
    """
    @notice Spend an allowance. The greatest allowance is taken as unlimited and is not counted down.
    """
    allowed: uint256 = self.allowance[_from][msg.sender]
    if allowed != max_value(uint256):
        assert allowed >= _value, "ALLOWANCE"
        self.allowance[_from][msg.sender] = allowed - _value
    self._move(_from, _to, _value)
    return True


@internal
def _move(_from: address, _to: address, _value: uint256):
    assert _to != empty(address), "BAD_RECIPIENT"
    assert self.balanceOf[_from] >= _value, "BALANCE"
    self.balanceOf[_from] -= _value
    self.balanceOf[_to] += _value
    log Transfer(sender=_from, receiver=_to, value=_value)
