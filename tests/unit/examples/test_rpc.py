"""The chain's JSON-RPC: what it answers, and how it refuses."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from statistics import median
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from web3 import HTTPProvider, Web3
from web3.exceptions import BlockNotFound, ContractLogicError, TransactionNotFound, Web3RPCError

from arbitrage_bot.chain.account import Account, calldata
from arbitrage_bot.chain.genesis import Market, prepare
from arbitrage_bot.chain.rpc import Rpc
from arbitrage_bot.chain.server import MAX_BODY_BYTES, RpcServer, _Connection
from arbitrage_bot.chain.wire import data


@pytest.fixture(scope="module")
def market() -> Market:
    return prepare(seed=8, traders=2)


@pytest.fixture(scope="module")
def url(market: Market) -> Iterator[str]:
    server = RpcServer("127.0.0.1", 0, Rpc(market.node))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server.url
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def w3(url: str) -> Iterator[Any]:  # Any: web3 wants new types for plain addresses and hashes
    provider = HTTPProvider(url, session=(session := requests.Session()))
    yield Web3(provider)
    session.close()


@pytest.fixture
def rpc(market: Market) -> Rpc:
    return Rpc(market.node)


def ask(rpc: Rpc, body: Any) -> Any:
    answer = rpc.answer(body if isinstance(body, bytes) else json.dumps(body).encode())
    return json.loads(answer) if answer else None


def call(rpc: Rpc, method: str, *params: Any) -> Any:
    return ask(rpc, {"jsonrpc": "2.0", "id": 7, "method": method, "params": list(params)})


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", -32700),
        (b"\xff", -32700),
        ([], -32600),
        ("text", -32600),
        ({}, -32600),
        ({"jsonrpc": "1.0", "id": 1, "method": "eth_chainId"}, -32600),
        ({"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": {}}, -32600),
        ({"jsonrpc": "2.0", "id": 1, "method": 5}, -32600),
        ({"jsonrpc": "2.0", "id": 1, "method": "eth_mine"}, -32601),
        ({"jsonrpc": "2.0", "id": 1, "method": "eth_getBalance", "params": []}, -32602),
        ({"jsonrpc": "2.0", "id": 1, "method": "eth_getBalance", "params": ["0x12"]}, -32602),
        ({"jsonrpc": "2.0", "id": 1, "method": "eth_getBalance", "params": ["0x" + "11" * 20, "soon"]}, -32602),
        ({"jsonrpc": "2.0", "id": 1, "method": "eth_getBalance", "params": ["0x" + "11" * 20, "0xffffff"]}, -32000),
        ({"jsonrpc": "2.0", "id": 1, "method": "eth_sendRawTransaction", "params": ["0x02ff"]}, -32000),
        ([{"jsonrpc": "2.0", "id": 1, "method": "eth_chainId"}] * 500, -32600),
    ],
)
def test_what_is_malformed_gets_the_code_that_says_how(rpc: Rpc, body: Any, code: int):
    assert ask(rpc, body)["error"]["code"] == code


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
        max_leaves=8,
    ),
    st.sampled_from(["eth_call", "eth_getLogs", "eth_getBlockByNumber", "eth_estimateGas", "eth_feeHistory"]),
)
def test_no_params_whatever_break_the_server(rpc: Rpc, junk: Any, method: str):
    """Always an answer, and never `internal error`: bad params are told as such."""
    answer = call(rpc, method, junk)
    assert answer["id"] == 7
    assert answer.get("error", {}).get("code") != -32603, answer


def test_a_batch_is_answered_in_order_and_its_notifications_are_not(rpc: Rpc):
    batch = [
        {"jsonrpc": "2.0", "id": "a", "method": "eth_chainId"},
        {"jsonrpc": "2.0", "method": "eth_chainId"},
        {"jsonrpc": "2.0", "id": "b", "method": "none"},
    ]
    assert [each["id"] for each in ask(rpc, batch)] == ["a", "b"]
    assert ask(rpc, [batch[1]]) is None


def test_a_reverted_call_is_code_3_with_the_contracts_words_and_its_output(rpc: Rpc, market: Market):
    fields = {
        "to": market.deployment.base.address,
        "data": data(calldata("transfer(address,uint256)", "0x" + "1" * 40, 1)),
    }
    error = call(rpc, "eth_call", fields, "latest")["error"]
    assert error["code"] == 3
    assert error["message"] == "execution reverted: BALANCE"
    assert error["data"].startswith("0x08c379a0")


def test_web3_finds_everything_it_needs(w3: Any, market: Market):
    """A client's whole round: send, find it pending, mine, read receipt, block, logs, transaction, fees."""
    sender, other = market.traders
    payload = calldata("transfer(address,uint256)", other.address, 5)
    sent = sender.send(market.node, market.deployment.base.address, payload, gas=100_000, tip_wei=10**9)
    assert w3.eth.get_transaction(sent)["blockNumber"] is None
    assert w3.eth.get_transaction_count(sender.address, "pending") == w3.eth.get_transaction_count(sender.address) + 1
    with pytest.raises(TransactionNotFound):
        w3.eth.get_transaction_receipt(sent)
    balance = w3.eth.get_balance(sender.address)
    market.node.mine()
    receipt = w3.eth.get_transaction_receipt(sent)
    block = w3.eth.get_block(receipt["blockNumber"])
    assert receipt["status"] == 1
    assert receipt["effectiveGasPrice"] == block["baseFeePerGas"] + 10**9
    assert balance - w3.eth.get_balance(sender.address) == receipt["gasUsed"] * receipt["effectiveGasPrice"]
    assert block["transactions"] == [receipt["transactionHash"]]
    assert w3.eth.get_block(block["hash"])["number"] == block["number"]
    assert w3.eth.get_transaction(sent)["blockNumber"] == block["number"]
    logs = w3.eth.get_logs({"fromBlock": block["number"], "address": market.deployment.base.address})
    assert [log["transactionHash"] for log in logs] == [receipt["transactionHash"]]
    assert w3.eth.get_logs({"fromBlock": block["number"], "topics": ["0x" + "00" * 32]}) == []
    history = w3.eth.fee_history(3, "latest")
    assert history["oldestBlock"] == block["number"] - 2
    assert len(history["baseFeePerGas"]) == 4
    assert w3.eth.gas_price == history["baseFeePerGas"][-1] + w3.eth.max_priority_fee
    with pytest.raises(BlockNotFound):
        w3.eth.get_block(10**6)


def test_history_is_read_as_it_was(w3: Any, market: Market):
    """State after an older block, not after the newest."""
    sender = market.traders[0]
    before, number = w3.eth.get_balance(sender.address), w3.eth.block_number
    sender.send(market.node, sender.address, b"", gas=30_000, tip_wei=10**9)
    market.node.mine()
    assert w3.eth.get_balance(sender.address) < before
    assert w3.eth.get_balance(sender.address, number) == before


def test_gas_is_estimated_and_a_doomed_transaction_is_told(w3: Any, market: Market):
    sender = market.traders[0]
    to = market.deployment.base.address
    good = {"from": sender.address, "to": to, "data": data(calldata("transfer(address,uint256)", to, 1))}
    assert 40_000 < w3.eth.estimate_gas(good) < 80_000
    bad = good | {"data": data(calldata("transfer(address,uint256)", to, 10**40))}
    with pytest.raises(ContractLogicError, match="BALANCE"):
        w3.eth.estimate_gas(bad)


def test_a_transaction_that_can_not_be_mined_is_refused_as_geth_words_it(market: Market, w3: Any):
    sender = market.traders[0]
    sender.send(market.node, sender.address, b"", gas=30_000, tip_wei=10**9)
    market.node.mine()
    fields = {
        "type": 2, "chainId": w3.eth.chain_id, "nonce": market.node.nonce(sender.raw_address), "gas": 30_000,
        "maxFeePerGas": 10**10, "maxPriorityFeePerGas": 1, "to": sender.address, "value": 0,
    }  # fmt: skip
    for words, wrong in {
        "nonce too low": {"nonce": 0},
        "insufficient funds": {"value": 10**24},
        "invalid chain id": {"chainId": 1},
        "intrinsic gas too low": {"gas": 100},
        "exceeds block gas limit": {"gas": 10**9},
    }.items():
        raw = w3.eth.account.sign_transaction(fields | wrong, sender.key).raw_transaction
        with pytest.raises(Web3RPCError, match=words):
            w3.eth.send_raw_transaction(raw)
    raw = w3.eth.account.sign_transaction(fields, sender.key).raw_transaction
    w3.eth.send_raw_transaction(raw)
    with pytest.raises(Web3RPCError, match="already known"):
        w3.eth.send_raw_transaction(raw)
    cheaper = w3.eth.account.sign_transaction(fields | {"value": 1}, sender.key).raw_transaction
    with pytest.raises(Web3RPCError, match="underpriced"):
        w3.eth.send_raw_transaction(cheaper)
    market.node.mine()


def test_the_highest_tip_goes_first_and_equal_tips_by_arrival(market: Market):
    first, second = market.traders
    for one, other, tips in ((first, second, (1, 2)), (second, first, (3, 3))):
        low = one.send(market.node, one.address, b"", gas=30_000, tip_wei=tips[0])
        high = other.send(market.node, other.address, b"", gas=30_000, tip_wei=tips[1])
        mined = [each["hash"] for each in market.node.mine()["transactions"]]
        expected = [high, low] if tips[1] > tips[0] else [low, high]
        assert mined == [data(each) for each in expected]


def test_a_transaction_that_offers_less_than_the_base_fee_waits(market: Market):
    sender: Account = market.traders[0]
    sender.send(market.node, sender.address, b"", gas=30_000, tip_wei=1, max_fee_wei=2)
    assert market.node.mine()["transactions"] == []
    assert market.node.waiting == 1
    sender_nonce = market.node.nonce(sender.raw_address)
    assert market.node.nonce(sender.raw_address, pending=True) == sender_nonce + 1


@pytest.mark.parametrize(
    ("headers", "status"), [({"Content-Length": "junk"}, 411), ({"Content-Length": str(MAX_BODY_BYTES + 1)}, 413)]
)
def test_a_body_of_unknown_or_unwanted_size_is_not_read(url: str, headers: dict[str, str], status: int):
    with requests.Session() as session:
        request = requests.Request("POST", url).prepare()
        request.headers.update(headers)
        assert session.send(request, timeout=30).status_code == status


def test_one_connection_serves_many_requests(url: str, monkeypatch: pytest.MonkeyPatch):
    taken: list[_Connection] = []
    setup = _Connection.setup

    def take(connection: _Connection) -> None:
        taken.append(connection)
        setup(connection)

    monkeypatch.setattr(_Connection, "setup", take)
    with requests.Session() as session:
        body: Any = {"jsonrpc": "2.0", "id": 1, "method": "eth_blockNumber"}
        answers = [session.post(url, json=body, timeout=30) for _ in range(20)]
        assert all(answer.json()["result"].startswith("0x") for answer in answers)
        assert len(taken) == 1
        assert median(answer.elapsed.total_seconds() for answer in answers) < 0.1  # a single one may be held up
