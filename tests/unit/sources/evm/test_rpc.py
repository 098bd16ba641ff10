"""Asking several endpoints: batches, faults, fail-over."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deskwatch import events as ev
from deskwatch.sources.evm.errors import EndpointFault, NoAnswer, RpcError
from tests.fakes import evm_node
from tests.fakes.evm_node import Chain, Node
from tests.unit.sources.evm.asking import asking, journaled, links

HEIGHT = ("eth_blockNumber", ())


@pytest.fixture
def nodes() -> Iterator[tuple[Node, Node]]:
    chain = Chain()
    chain.mine(9)
    with evm_node.running(chain) as first, evm_node.running(chain) as second:
        yield first, second


async def test_a_batch_is_one_request_and_its_answers_are_in_order(nodes: tuple[Node, Node], tmp_path: Path) -> None:
    async with asking(tmp_path, nodes[0].url) as (rpc, _):
        found = await rpc.batch([HEIGHT, ("eth_gasPrice", ()), ("eth_none", ()), HEIGHT])
    assert [found[0], found[1], found[3]] == ["0x9", "0xb2d05e00", "0x9"]
    assert isinstance(found[2], RpcError)
    assert found[2].code == -32601
    assert nodes[0].asked == [["eth_chainId"], ["eth_blockNumber", "eth_gasPrice", "eth_none", "eth_blockNumber"]]


async def test_a_methods_error_is_an_answer_and_no_fault_of_the_endpoint(
    nodes: tuple[Node, Node], tmp_path: Path
) -> None:
    async with asking(tmp_path, nodes[0].url, nodes[1].url) as (rpc, _):
        with pytest.raises(RpcError):
            await rpc.call("eth_none")
    assert nodes[1].asked == []


@pytest.mark.parametrize(("most", "limit"), [(7, 5), (1, 1)])
async def test_a_node_that_refuses_batches_gets_shorter_ones(
    nodes: tuple[Node, Node], tmp_path: Path, most: int, limit: int
) -> None:
    nodes[0].most_calls = most
    async with asking(tmp_path, nodes[0].url) as (rpc, _):
        assert await rpc.batch([HEIGHT] * 20) == ["0x9"] * 20
        assert rpc.endpoints[0].batch_calls == limit
        before = len(nodes[0].asked)
        assert await rpc.batch([HEIGHT] * 10) == ["0x9"] * 10
    assert len(nodes[0].asked) - before == 10 / limit


async def test_a_node_that_refused_batches_in_a_bad_moment_gets_long_ones_again(
    nodes: tuple[Node, Node], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes[0].most_calls = 1
    async with asking(tmp_path, nodes[0].url) as (rpc, _):
        await rpc.batch([HEIGHT] * 20)
        nodes[0].most_calls = 1000
        await rpc.batch([HEIGHT] * 2)
        assert [len(one) for one in nodes[0].asked[-2:]] == [1, 1]
        monkeypatch.setattr("deskwatch.sources.evm.endpoint.BATCH_AGAIN_SECONDS", 0.0)
        await rpc.batch([HEIGHT] * 20)
    assert len(nodes[0].asked[-1]) == 20


async def test_a_batch_that_is_asked_too_often_is_no_refused_batch(nodes: tuple[Node, Node], tmp_path: Path) -> None:
    async with asking(tmp_path, nodes[0].url) as (rpc, held):
        await rpc.call(*HEIGHT)
        nodes[0].body = b'{"jsonrpc":"2.0","id":null,"error":{"code":429,"message":"compute units"}}'
        with pytest.raises(NoAnswer, match="compute units"):
            await rpc.batch([HEIGHT] * 20)
        assert held.health.failures == {"rate_limited": 1}
        assert rpc.endpoints[0].batch_calls == 20


async def test_batches_are_no_longer_than_configured(nodes: tuple[Node, Node], tmp_path: Path) -> None:
    async with asking(tmp_path, nodes[0].url, batch_calls=4) as (rpc, _):
        await rpc.batch([HEIGHT] * 10)
    assert [len(one) for one in nodes[0].asked] == [1, 4, 4, 2]


def _null(_: str, __: Any) -> Any:
    raise LookupError


FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "server error": ({"status": 503}, "http_503"),
    "too often": ({"status": 429, "headers": {"Retry-After": "7"}}, "rate_limited"),
    "too often by code": ({"body": b'{"id":0,"error":{"code":-32005,"message":"slow down"}}'}, "rate_limited"),
    "another key": ({"status": 401, "body": b"who are you"}, "refused"),
    "moved": ({"status": 302, "headers": {"Location": "http://127.0.0.1:1/"}}, "http_302"),
    "no JSON": ({"body": b"<html>hello</html>"}, "garbage"),
    "deep JSON": ({"body": b"[" * 100_000}, "garbage"),
    "no answer": ({"body": b"{}"}, "garbage"),
    "a list": ({"body": b"[1,2,[],null]"}, "garbage"),
    "neither result nor error": ({"body": b'{"id":0}'}, "garbage"),
    "another's answer": ({"body": b'{"id":7,"result":"0x1"}'}, "garbage"),
    "nothing": ({"body": b""}, "garbage"),
    "no UTF-8": ({"body": b'{"id":0,"result":"\xff\xfe"}'}, "garbage"),
    "a code that is none": ({"body": b'{"id":0,"error":{"code":[],"message":"no"}}'}, "refused"),
    "silence": ({"slow_seconds": 30.0}, "timeout"),
    "no number": ({"garble": lambda _, __: ["0x5"]}, "garbage"),
    "another chain": ({"chain_id": 6}, "wrong_chain"),
    "a chain it does not tell": ({"garble": _null}, "refused"),
}


@pytest.mark.parametrize("case", FAULTS)
async def test_where_an_endpoint_fails_the_next_is_asked_and_that_is_told(
    nodes: tuple[Node, Node], tmp_path: Path, case: str
) -> None:
    wrong, reason = FAULTS[case]
    first, second = nodes
    for name, value in wrong.items():
        setattr(first, name, value)
    seconds = 1.5 if case == "silence" else 30.0  # the second has to answer in time, on a busy machine too
    async with asking(tmp_path, first.url, second.url, chain_id=5, timeout_seconds=seconds) as (rpc, held):
        assert await rpc.call(*HEIGHT) == "0x9"
        before = len(first.asked)
        assert await rpc.call(*HEIGHT) == "0x9"
        assert len(first.asked) == before, "it was asked again at once"
        assert held.health.failures == {reason: 1}
        names = [one.name for one in rpc.endpoints]
    assert links(tmp_path) == [(names[0], False, reason), (names[1], True, None)]


async def test_a_dead_endpoint_is_failed_over(nodes: tuple[Node, Node], tmp_path: Path) -> None:
    with evm_node.running(Chain()) as gone:
        pass
    async with asking(tmp_path, gone.url, nodes[1].url) as (rpc, _):
        assert await rpc.call(*HEIGHT) == "0x9"
    assert [link[1:] for link in links(tmp_path)] == [(False, "connect"), (True, None)]


async def test_where_none_answers_that_is_said_in_words_and_later_questions_are_answered_again(tmp_path: Path) -> None:
    chain = Chain()
    with evm_node.running(chain) as node:
        async with asking(tmp_path, node.url) as (rpc, held):
            node.status = 500
            with pytest.raises(NoAnswer, match=r"no endpoint answers \(127\.0\.0\.1:\d+: expected HTTP 200, was 500"):
                await rpc.call(*HEIGHT)
            assert not held.health.up
            assert not rpc.reachable.is_set()
            with pytest.raises(NoAnswer):
                await rpc.call(*HEIGHT)  # too early: it is left alone
            node.mend()
            rpc.endpoints[0].rest_until(time.monotonic())
            assert await rpc.call(*HEIGHT) == "0x0"
            assert held.health.up
            assert rpc.reachable.is_set()


async def test_an_endpoint_that_names_its_pause_gets_it(nodes: tuple[Node, Node], tmp_path: Path) -> None:
    nodes[0].status, nodes[0].headers = 429, {"Retry-After": "90"}
    async with asking(tmp_path, nodes[0].url) as (rpc, _):
        with pytest.raises(NoAnswer) as told:
            await rpc.call(*HEIGHT)
    assert 80 < told.value.retry_seconds <= 90


async def test_a_key_that_the_server_repeats_is_not_told(nodes: tuple[Node, Node], tmp_path: Path) -> None:
    nodes[0].status, nodes[0].body = 401, b"no such project: 0123456789abcdef0123"
    async with asking(tmp_path, f"{nodes[0].url}/v3/0123456789abcdef0123?key=feedfacefeed") as (rpc, _):
        with pytest.raises(NoAnswer) as told:
            await rpc.call(*HEIGHT)
    assert "0123456789abcdef" not in str(told.value)
    (told_link,) = journaled(tmp_path, ev.ConnectionChanged)
    assert told_link.reason.endswith("(HTTP 401): no such project: [redacted]")


@pytest.mark.parametrize(
    "said",
    [
        {"status": 200, "body": b'{"id":0,"error":{"code":-32600,"message":"' + b"no " * 60 + b'KEY%s"}}'},
        {"status": 400, "body": b'{"id":0,"error":"bad KEY%s"}'},
        {"status": 200, "body": b'{"error":{"code":429,"message":"KEY%s has no units"}}'},
        {"status": 200, "body": b'{"message":"no project KEY%s"}'},
        {"status": 200, "body": b"<html><title>" + b"." * 30 + b"KEY%s</title>"},
        {"status": 503, "body": b"." * 90 + b"KEY%s"},
    ],
)
async def test_no_part_of_a_key_is_told_wherever_the_server_repeats_it(
    nodes: tuple[Node, Node], tmp_path: Path, said: dict[str, Any]
) -> None:
    key = "KEY0123456789abcdef0123456789"
    nodes[0].status, nodes[0].body = said["status"], said["body"].replace(b"KEY%s", key.encode())
    async with asking(tmp_path, f"{nodes[0].url}/v3/{key}") as (rpc, _):
        with pytest.raises(NoAnswer) as told:
            await rpc.call(*HEIGHT)
    assert "KEY" not in str(told.value)
    assert "KEY" not in str(journaled(tmp_path))


async def test_an_answer_without_end_is_not_read_to_its_end(
    nodes: tuple[Node, Node], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deskwatch.sources.evm.endpoint.MAX_ANSWER_BYTES", 1000)
    async with asking(tmp_path, nodes[0].url) as (rpc, _):
        await rpc.call(*HEIGHT)
        nodes[0].body = b'{"id":0,"result":"' + b"0" * 5000 + b'"}'
        with pytest.raises(EndpointFault, match="at most 1000 bytes"):
            await rpc.ask_one(rpc.endpoints[0], [HEIGHT])


async def test_requests_and_calls_keep_to_their_pace(nodes: tuple[Node, Node], tmp_path: Path) -> None:
    began = time.monotonic()  # what comes in while the first ones are asked on a busy machine counts too
    async with asking(tmp_path, nodes[0].url, calls_per_second=20.0) as (rpc, _):
        await rpc.batch([HEIGHT] * 199)  # with the question for the chain, all that may be asked at once
        await rpc.batch([HEIGHT] * 20)
    assert time.monotonic() - began >= 1.0
