"""Calls and answers of contracts."""

from __future__ import annotations

from typing import Any

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from deskwatch.sources.evm.abi import MAX_ITEMS, Undecodable, answer, calldata, plain, view
from tests.unit.sources.evm.words import ALICE, returned


def test_a_signature_is_parted_into_name_arguments_and_answer():
    found = view("quote((address,uint24),uint256[])(uint256,(bool,string))")
    assert found == ("quote", ("(address,uint24)", "uint256[]"), ("uint256", "(bool,string)"))


@pytest.mark.parametrize(
    ("signature", "expected"),
    [
        ("totalSupply()", "of the answer"),
        ("totalSupply", "of the answer"),
        ("f()()", "was none"),
        ("f(foo)(bool)", "'foo'"),
        ("f()(uint7)", "'uint7'"),
        ("f(uint256,)(bool)", "''"),
    ],
)
def test_a_signature_that_can_not_be_called_is_refused_in_words(signature: str, expected: str):
    with pytest.raises(ValueError, match="expected") as caught:
        view(signature)
    assert expected in str(caught.value)


def test_a_call_is_encoded_as_solidity_does():
    """The selector is that of the ERC-20 standard."""
    assert calldata(view("balanceOf(address)(uint256)"), (ALICE,)) == "0x70a08231" + "00" * 12 + "a1" * 20
    assert calldata(view("f(uint256)(bool)"), ("0x10",)) == calldata(view("f(uint256)(bool)"), (16,))
    assert calldata(view("f(bytes4,bool)(bool)"), ("0x01020304", "true"))[10:] == "01020304" + "00" * 59 + "01"


@pytest.mark.parametrize(
    ("signature", "args"),
    [
        ("f(uint256)(bool)", ()),
        ("f()(bool)", (1,)),
        ("f(uint8)(bool)", (256,)),
        ("f(uint256)(bool)", ("many",)),
        ("f(address)(bool)", ("0x12",)),
        ("f(bytes32)(bool)", ("0xzz",)),
        ("f(uint256)(bool)", (True,)),
    ],
)
def test_arguments_that_do_not_fit_are_refused_in_words(signature: str, args: tuple[Any, ...]):
    with pytest.raises(ValueError, match="expected"):
        calldata(view(signature), args)


@pytest.mark.parametrize("told", [None, 7, "", "0x", "0x0", "0xzz", "0x1234", {"a": 1}, "0x" + "ff" * 32])
def test_an_answer_that_is_none_is_told_in_words(told: object):
    with pytest.raises(Undecodable, match="expected"):
        answer(view("f()(string)"), told)


@given(st.binary(max_size=400))
def test_no_answer_of_any_contract_breaks_the_decoder(data: bytes):
    """A hostile contract answers anything: the values come out, or Undecodable."""
    for gives in ("string", "uint256[]", "(address,bytes)[2]", "uint8"):
        try:
            plain(answer(view(f"f()({gives})"), "0x" + data.hex()))
        except Undecodable:
            continue


@given(st.integers(0, 2**256 - 1), st.text(max_size=50))
def test_what_is_encoded_comes_back(number: int, text: str):
    data = "0x" + encode(["uint256", "string"], [number, text]).hex()
    assert answer(view("f()(uint256,string)"), data) == (number, text)


def test_decoded_values_are_json_that_a_terminal_may_be_shown():
    values = answer(
        view("f()(string,bytes,uint256,bool[])"),
        returned(["string", "bytes", "uint256", "bool[]"], "a\x1b[31m", b"\x01", 2**60, [True]),
    )
    assert plain(values) == ["a\\x1b[31m", "0x01", str(2**60), [True]]


def test_no_contract_at_an_address_is_told_as_such():
    with pytest.raises(Undecodable, match="no contract with symbol is there"):
        answer(view("symbol()(string)"), "0x")


def test_a_long_list_is_kept_in_part():
    assert len(plain(list(range(1000)))) == MAX_ITEMS
