"""What transactions are for."""

from __future__ import annotations

import pytest

from deskwatch.sources.evm.purposes import Purposes
from tests.unit.sources.evm.words import ROUTER, SWAP, selector


@pytest.mark.parametrize(
    ("function", "word"),
    [
        ("transfer(address,uint256)", "transfer"),
        ("approve(address,uint256)", "approve"),
        ("deposit()", "wrap"),
        (SWAP, "swap"),
        ("exactInput((bytes,address,uint256,uint256,uint256))", "swap"),
        ("mystery(uint256)", "call"),
    ],
)
def test_a_transactions_purpose_is_told_by_the_function_that_it_calls(function: str, word: str):
    assert Purposes().word(ROUTER, selector(function) + "00" * 32) == word


def test_selectors_are_those_of_the_standards():
    """As block explorers show them."""
    assert selector("transfer(address,uint256)") == "0xa9059cbb"
    assert selector(SWAP) == "0x38ed1739"
    assert (
        selector("exactInputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))") == "0x414bf389"
    )


def test_what_the_settings_name_goes_before_what_is_known():
    named = Purposes([("mystery(uint256)", "rebalance"), ("0x38ED1739", "arbitrage")])
    assert named.word(ROUTER, selector("mystery(uint256)")) == "rebalance"
    assert named.word(ROUTER, selector(SWAP)) == "arbitrage"


@pytest.mark.parametrize("data", ["0x", None, 7, "0x12", ""])
def test_a_transaction_without_a_function_moves_coin(data: object):
    assert Purposes().word(ROUTER, data) == "transfer"
    assert Purposes().word(None, data) == "create"
