"""The whole source over nodes of the tests."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from deskwatch import events as ev
from deskwatch.errors import ConfigError
from deskwatch.sources.evm import open_source
from tests.fakes import evm_node
from tests.fakes.evm_node import Chain
from tests.unit.recording import operator
from tests.unit.sources.evm.asking import BOT, blocks, journaled, links, settings, watching
from tests.waiting import eventually


def reach(home: Path, count: int) -> None:
    """Wait until so many blocks are journaled."""
    eventually(lambda: len(blocks(home)) == count)


def test_a_watch_tells_the_chain_and_starts_no_bot(tmp_path: Path) -> None:
    chain = Chain(chain_id=8453)
    chain.mine(3)
    with evm_node.running(chain) as node, watching(tmp_path, node.url):
        eventually(lambda: blocks(tmp_path))
        chain.mine(2)
        eventually(lambda: len(blocks(tmp_path)) == 3)
    assert {one.chain for one in journaled(tmp_path, ev.BlockObserved, ev.GasPriceObserved)} == {"8453"}
    assert journaled(tmp_path, ev.BotStarted, ev.HeartbeatSent, ev.ModeChanged) == []
    assert isinstance(journaled(tmp_path)[0], ev.WatchStarted)
    assert isinstance(journaled(tmp_path)[-1], ev.WatchStopped)


def test_an_endpoint_that_is_given_up_is_down_no_more(tmp_path: Path) -> None:
    chain = Chain()
    with evm_node.running(chain) as node:
        with watching(tmp_path, "http://127.0.0.1:9", node.url, ws_url="ws://127.0.0.1:9"):
            eventually(lambda: blocks(tmp_path) and len(links(tmp_path)) == 3)
        with watching(tmp_path, node.url):
            eventually(lambda: len(journaled(tmp_path, ev.ConnectionChanged)) == 5)
    gone = [(one.venue, one.connection) for one in journaled(tmp_path, ev.ConnectionChanged) if one.gone]
    assert gone == [("127.0.0.1:9", "rpc"), ("127.0.0.1:9", "websocket")]


def test_gas_is_told_when_it_changes_with_the_tip_that_is_usual(tmp_path: Path) -> None:
    chain = Chain()
    with evm_node.running(chain) as node, watching(tmp_path, node.url, chain="test"):
        eventually(lambda: blocks(tmp_path))
        chain.mine(2)
        eventually(lambda: len(blocks(tmp_path)) == 3)
    first, last = journaled(tmp_path, ev.GasPriceObserved)
    assert (first.gas_price_wei, first.base_fee_wei, first.priority_fee_wei) == (
        "3000000000",
        "1000000000",
        "1500000000",
    )
    assert last.base_fee_wei == "1000000002", "of the newest block alone"


@pytest.mark.parametrize("tips", [None, {"reward": []}, {"reward": [[], ["x"], None]}, {"reward": "0x1"}, "much"])
def test_a_node_that_tells_no_tips_tells_the_price_all_the_same(tmp_path: Path, tips: Any) -> None:
    with evm_node.running(Chain()) as node:
        node.garble = lambda method, found: tips if method == "eth_feeHistory" else found
        with watching(tmp_path, node.url):
            (told,) = eventually(lambda: journaled(tmp_path, ev.GasPriceObserved))
    assert (told.gas_price_wei, told.priority_fee_wei) == ("3000000000", None)


def test_a_node_without_tips_is_not_asked_for_them_again_and_one_without_a_price_is_let_be(tmp_path: Path) -> None:
    def garble(method: str, found: Any) -> Any:
        if method == "eth_feeHistory":
            raise LookupError
        return None if method == "eth_gasPrice" else found

    chain = Chain()
    with evm_node.running(chain) as node:
        node.garble = garble
        with watching(tmp_path, node.url):
            for height in range(1, 4):
                reach(tmp_path, height)
                chain.mine()
    assert node.methods.count("eth_feeHistory") == 1
    assert journaled(tmp_path, ev.GasPriceObserved) == []


def test_a_node_that_is_away_at_the_start_and_later_is_waited_for_and_no_block_is_missed(tmp_path: Path) -> None:
    chain = Chain()
    with evm_node.running(chain) as node:
        port = int(node.url.rpartition(":")[2])
    with watching(tmp_path, f"http://127.0.0.1:{port}") as hosted:
        eventually(lambda: links(tmp_path))
        assert not hosted.health.up
        for _ in range(2):
            with evm_node.running(chain, port):
                chain.mine(5)
                eventually(lambda: blocks(tmp_path) and blocks(tmp_path)[-1][0] == len(chain.blocks) - 1, 20)
            eventually(lambda: not hosted.health.up)
            chain.mine(2)
        assert hosted.health.restarts == 0
    assert [number for number, _ in blocks(tmp_path)] == list(range(5, 13))
    assert [link[1:] for link in links(tmp_path)] == [(False, "connect"), (True, None)] * 2 + [(False, "connect")]


def test_where_the_preferred_node_dies_the_other_goes_on(tmp_path: Path) -> None:
    chain = Chain()
    with evm_node.running(chain) as other:
        with evm_node.running(chain) as first:
            watch = watching(tmp_path, first.url, other.url)
            hosted = watch.__enter__()
            eventually(lambda: blocks(tmp_path))
        try:
            chain.mine(3)
            eventually(lambda: len(blocks(tmp_path)) == 4)
            assert hosted.health.up
        finally:
            watch.__exit__(None, None, None)


@pytest.mark.parametrize("wrong", [{"slow_seconds": 30.0}, {"status": 503}, {"body": b"<html>"}])
def test_a_watch_of_a_node_in_trouble_ends_at_once(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with evm_node.running(Chain()) as node:
        for name, value in wrong.items():
            setattr(node, name, value)
        with watching(tmp_path, node.url):
            eventually(lambda: node.asked)
            began = time.monotonic()
        assert time.monotonic() - began < 5
    eventually(lambda: not [one for one in threading.enumerate() if one.name.startswith("deskwatch-source")])


def test_ping_is_answered_by_the_node_and_other_commands_are_failed_in_words(tmp_path: Path) -> None:
    chain = Chain()
    chain.mine(7)
    with (
        evm_node.running(chain) as node,
        watching(tmp_path, node.url, chain="base"),
        operator(tmp_path, BOT) as asks,
    ):
        asks.give("ping")
        asks.give("close_all")
        eventually(lambda: len(journaled(tmp_path, ev.CommandSucceeded, ev.CommandFailed)) == 2)
    succeeded, failed = journaled(tmp_path, ev.CommandSucceeded, ev.CommandFailed)
    assert succeeded.result == {"chain": "base", "block": 7, "endpoint": node.url.rpartition("/")[2]}
    assert "only watched: deskwatch holds no key of it" in failed.error


def test_commands_wait_while_no_endpoint_answers(tmp_path: Path) -> None:
    with evm_node.running(Chain()) as node, watching(tmp_path, node.url) as hosted:
        eventually(lambda: blocks(tmp_path))
        node.status = 500
        eventually(lambda: not hosted.health.up)
        with operator(tmp_path, BOT) as asks:
            asks.give("ping")
            asked = len(node.asked)
            eventually(lambda: len(node.asked) > asked)
            assert journaled(tmp_path, ev.CommandStarted) == []
            node.mend()
            eventually(lambda: journaled(tmp_path, ev.CommandSucceeded), 20)


def test_endpoints_with_keys_are_read_from_a_file_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = Chain()
    with evm_node.running(chain) as node, evm_node.running(chain) as other:
        (tmp_path / "urls").write_text(f"{node.url}/v3/SECRETKEY0123456789\n")
        monkeypatch.setenv("NODES", f"{other.url}/SECRETKEY0123456789")
        with watching(tmp_path / "a", urls_file=tmp_path / "urls"):
            eventually(lambda: blocks(tmp_path / "a"))
        with watching(tmp_path / "b", urls_env="NODES"):
            eventually(lambda: blocks(tmp_path / "b"))
    for file in (file for home in "ab" for file in (tmp_path / home).rglob("*") if file.is_file()):
        assert b"SECRETKEY" not in file.read_bytes()


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({}, "expected an endpoint in urls, urls_file or urls_env, was none"),
        ({"urls_env": "DESKWATCH_TEST_NO_SUCH_VARIABLE"}, "DESKWATCH_TEST_NO_SUCH_VARIABLE"),
        ({"urls": ("http://a.example/1", "http://a.example/1")}, "expected endpoints that differ"),
        ({"urls_file": Path(os.devnull)}, "urls"),
    ],
)
def test_wrong_places_of_endpoints_are_refused_in_words(told: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        open_source(settings(*told.pop("urls", ()), **told))


@pytest.mark.parametrize("chain_id", [5, None])
def test_a_key_that_was_replaced_where_it_is_kept_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chain_id: int | None
) -> None:
    """Also where no endpoint has said yet which chain it is."""
    monkeypatch.setattr("deskwatch.sources.evm.source.URLS_SECONDS", 0.05)
    chain = Chain()
    with evm_node.running(chain) as node, evm_node.running(chain) as other:
        node.status, node.body = 401, b"revoked"
        (tmp_path / "urls").write_text(node.url)
        with watching(tmp_path, chain_id=chain_id, urls_file=tmp_path / "urls") as hosted:
            eventually(lambda: links(tmp_path))
            (tmp_path / "urls").write_text(other.url)
            eventually(lambda: blocks(tmp_path))
            assert hosted.health.restarts == 0
