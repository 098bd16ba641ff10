"""Why transactions reverted, in few short words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskwatch.sources.evm import reverts
from deskwatch.sources.evm.errors import RpcError
from tests.unit.sources.evm.words import error_string, returned, selector

WORDS = {word for word, _ in reverts._REASONS} | {reverts.UNKNOWN, "custom_error"}


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("UniswapV2Router: INSUFFICIENT_OUTPUT_AMOUNT", "slippage"),
        ("UniswapV2Router: EXCESSIVE_INPUT_AMOUNT", "slippage"),
        ("UniswapV2: K", "slippage"),
        ("Too little received", "slippage"),
        ("UniswapV2Router: EXPIRED", "expired"),
        ("Transaction too old", "expired"),
        ("UniswapV2: INSUFFICIENT_LIQUIDITY", "liquidity"),
        ("ERC20: transfer amount exceeds balance", "balance"),
        ("ERC20: insufficient allowance", "allowance"),
        ("TransferHelper: TRANSFER_FROM_FAILED", "transfer"),
        ("STF", "transfer"),
        ("Pausable: paused", "paused"),
        ("Ownable: caller is not the owner", "refused"),
        ("something else", "unknown"),
    ],
)
def test_a_contracts_words_become_a_short_one(message: str, reason: str):
    assert reverts.of_bytes(error_string(message)) == (reason, message)
    told = RpcError(3, f"execution reverted: {message}", error_string(message))
    assert reverts.of_error(told) == (reason, message)
    assert reverts.of_error(RpcError(-32000, f"execution reverted: {message}")) == (reason, message)


def test_a_panic_is_told_with_what_its_code_means():
    told = reverts.of_bytes(selector("Panic(uint256)") + returned(["uint256"], 0x11)[2:])
    assert told == ("panic", "panic 0x11: an arithmetic operation overflowed")
    assert reverts.of_bytes(selector("Panic(uint256)") + returned(["uint256"], 0x77)[2:]).message == (
        "panic 0x77: of an unknown kind"
    )


def test_a_contracts_own_error_is_told_by_its_name_where_it_is_known():
    balance = selector("ERC20InsufficientBalance(address,uint256,uint256)") + "00" * 96
    assert reverts.of_bytes(balance) == ("balance", "ERC20InsufficientBalance")
    assert reverts.of_bytes(selector("V3TooLittleReceived()")) == ("slippage", "V3TooLittleReceived")
    assert reverts.of_bytes(selector("Odd()")) == ("custom_error", f"the contract's own error {selector('Odd()')}")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (RpcError(-32000, "out of gas"), "out_of_gas"),
        (RpcError(-32000, "invalid opcode: INVALID"), "panic"),
        (RpcError(-32000, "insufficient funds for gas * price + value"), "balance"),
        (RpcError(-32000, "missing trie node"), "unknown"),
        (RpcError(3, "execution reverted"), "unknown"),
        (RpcError(3, "execution reverted", "0x"), "unknown"),
        (RpcError(-32015, "VM execution error.", "Reverted " + error_string("EXPIRED")), "expired"),
        (RpcError(-32603, "reverted", {"data": error_string("EXPIRED")}), "expired"),
    ],
)
def test_nodes_word_failures_in_their_own_ways(error: RpcError, reason: str):
    assert reverts.of_error(error).reason == reason


def test_a_node_that_can_not_replay_it_is_not_taken_for_the_contract():
    assert reverts.of_error(RpcError(-32000, "missing trie node")).message == (
        "the node can't replay it: missing trie node"
    )


@given(st.binary(max_size=200), st.text(max_size=60))
def test_whatever_a_contract_or_node_writes_the_short_words_stay_few(data: bytes, text: str):
    """They are labels of metrics; a contract must not make series of its own."""
    for returned_bytes in ("0x" + data.hex(), error_string("x")[:10] + data.hex()):
        assert reverts.of_error(RpcError(3, text, returned_bytes)).reason in WORDS
    assert reverts.of_error(RpcError(0, text, text)).reason in WORDS


def test_a_contracts_words_are_short_and_harmless():
    told = reverts.of_bytes(error_string("\x1b]0;owned\x07" + "x" * 9000))
    assert told.message is not None
    assert "\x1b" not in told.message
    assert len(told.message) < 300
