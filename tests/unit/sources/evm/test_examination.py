"""What the doctor says of a chain's endpoints and of all that is to be watched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from deskwatch.sources.evm import open_source
from deskwatch.sources.evm.settings import Call, Pool, Token, Wallet
from deskwatch.sources.source import Finding
from tests.fakes import evm_node
from tests.fakes.evm_node import Chain, Node
from tests.unit.sources.evm.asking import settings

ACCOUNT, CONTRACT = "0x" + "a1" * 20, "0x" + "c0" * 20


def state(**views: bytes) -> Chain:
    """A chain with one account, and one contract that has these views, by name."""
    answers = {"0x" + keccak(text=f"{name}()")[:4].hex(): value for name, value in views.items()}
    chain = Chain()
    chain.mine(2000)
    chain.answers = {
        "eth_getBalance": lambda *_: hex(25 * 10**17),
        "eth_getTransactionCount": lambda *_: "0x7",
        "eth_getCode": lambda who, _: "0x60" if who == CONTRACT else "0x",
        "eth_call": lambda call, _: "0x" + answers.get(call["data"], b"").hex(),
        "eth_getBlockReceipts": lambda _: [],
        "debug_traceTransaction": lambda _: None,
    }
    return chain


async def findings(node: Node, *more: str, **told: Any) -> list[Finding]:
    return [finding async for finding in open_source(settings(node.url, *more, **told)).examine()]


def said(found: list[Finding], ok: bool | None) -> str:
    """All sentences of this weight."""
    return " ".join(one.what for one in found if one.ok is ok)


async def test_all_is_well() -> None:
    chain = state(
        decimals=encode(["uint8"], [6]),
        token0=encode(["address"], [ACCOUNT]),
        token1=encode(["address"], [CONTRACT]),
        getReserves=encode(["uint112", "uint112", "uint32"], [1, 2, 3]),
        totalSupply=encode(["uint256"], [10**30]),
    )
    chain.blocks[-1]["timestamp"] = hex(2**31)
    with evm_node.running(chain, streams=True) as node:
        found = await findings(
            node,
            ws_url=node.ws_url,
            wallets=(Wallet(name="hot", address=ACCOUNT),),
            tokens=(Token(symbol="USDC", address=CONTRACT),),
            pools=(Pool(name="uni", address=CONTRACT),),
            contracts=(Call(name="supply", address=CONTRACT, signature="totalSupply()(uint256)"),),
        )
    assert {one.ok for one in found} == {True}, found
    for words in (
        "chain 5, block 2000",
        "The WebSocket tells of new blocks.",
        "Wallet hot has 2.5 ETH and has sent 7 transactions.",
        "Token USDC has 6 decimals.",
        "Pool uni is a pair",
        "The call supply answers 1" + "0" * 30,
    ):
        assert words in said(found, True)


async def test_what_is_no_target_is_said_with_a_cure() -> None:
    with evm_node.running(state(decimals=encode(["uint8"], [6]), token0=b"\x01")) as node:
        found = await findings(
            node,
            wallets=(Wallet(name="multisig", address=CONTRACT),),
            tokens=(
                Token(symbol="USDC", address=CONTRACT, decimals=18),
                Token(symbol="NONE", address=ACCOUNT, decimals=2),
            ),
            pools=(Pool(name="uni", address=CONTRACT),),
            contracts=(Call(name="supply", address=CONTRACT, signature="totalSupply()(uint256)"),),
        )
    wrong = said(found, False)
    for words in (
        "Token USDC has 6 decimals, not 18.",
        "Pool uni is no pair",
        "The call supply does not answer as totalSupply()(uint256) says",
    ):
        assert words in wrong
    assert "it is a contract" in said(found, None)
    assert all(one.cure for one in found if one.ok is False)


@pytest.mark.parametrize(
    ("decimals", "words"),
    [
        (encode(["uint8"], [6]), "Pool uni can't be watched: expected its base to be WETH or 0xc0c0c0, was WTEH"),
        (b"", "Pool uni can't be watched: expected two ERC-20 tokens in it, but of one: it does not tell its decimals"),
    ],
)
async def test_a_pool_that_the_watch_could_not_tell_of_is_no_success(decimals: bytes, words: str) -> None:
    """A base that it does not hold, mistyped perhaps; a token that does not tell its digits."""
    chain = state(
        decimals=decimals,
        token0=encode(["address"], [ACCOUNT]),
        token1=encode(["address"], [CONTRACT]),
        getReserves=encode(["uint112", "uint112", "uint32"], [1, 2, 3]),
    )
    with evm_node.running(chain) as node:
        found = await findings(
            node,
            tokens=(Token(symbol="WETH", address=ACCOUNT, decimals=18),),
            pools=(Pool(name="uni", address=CONTRACT, base="WTEH"),),
        )
    assert words in said(found, False)


async def test_what_a_node_lacks_is_said_and_is_no_fault() -> None:
    chain = Chain()
    chain.mine(1500)
    with evm_node.running(chain) as node:
        node.most_calls = 1
        node.garble = lambda method, found: {"reward": []} if method == "eth_feeHistory" else found
        found = await findings(node)
    assert {one.ok for one in found} == {None}
    for words in ("s old.", "at most 1 calls", "no usual tip", "receipts one by one", "no archive node"):
        assert words in said(found, None)
    with evm_node.running(chain) as node:
        node.garble = lambda method, found: None if method == "eth_gasPrice" else found
        assert "tells no gas price" in said(await findings(node), None)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"status": 401}, "wants another key"),
        ({"status": 429}, "asked too often"),
        ({"slow_seconds": 30.0}, "no answer within 1.5 s"),
        ({"body": b"<html>"}, "expected JSON"),
        ({"chain_id": 7}, "is of chain 7, not of chain 5"),
        ({"garble": lambda *_: None}, "does not answer well"),
    ],
)
async def test_each_endpoint_in_trouble_is_said_with_a_cure(wrong: dict[str, Any], words: str) -> None:
    chain = Chain()
    with evm_node.running(chain) as node, evm_node.running(chain) as other:
        for name, value in wrong.items():
            setattr(other, name, value)
        seconds = 1.5 if "slow_seconds" in wrong else 30.0  # whoever is well has to answer in time, too
        found = await findings(node, other.url, timeout_seconds=seconds)
    (fault,) = [one for one in found if one.ok is False]
    assert words in fault.what
    assert fault.cure


async def test_an_endpoint_that_lags_and_a_stream_that_is_none_are_said(tmp_path: Path) -> None:
    chain = Chain()
    chain.mine(20)
    with evm_node.running(chain) as node, evm_node.running(chain) as other:
        other.frozen_at = 4
        found = await findings(node, other.url, ws_url=node.url.replace("http", "ws"))
    assert "is 16 blocks behind the others" in said(found, None)
    assert "The WebSocket does not tell of new blocks" in said(found, None)


async def test_settings_that_can_no_longer_be_read_are_said(tmp_path: Path) -> None:
    (tmp_path / "urls").write_text("http://127.0.0.1:1/")
    source = open_source(settings(urls_file=tmp_path / "urls"))
    (tmp_path / "urls").unlink()
    (finding,) = [one async for one in source.examine()]
    assert finding.ok is False
    assert "urls" in finding.what
