"""A chain that runs for long keeps what is asked for, and forgets the rest."""

from __future__ import annotations

from typing import Any

import pytest

from arbitrage_bot.chain import archive
from arbitrage_bot.chain.account import calldata
from arbitrage_bot.chain.archive import Archive, Entry
from arbitrage_bot.chain.genesis import prepare
from arbitrage_bot.chain.node import KEPT_STATES, PRUNE_BLOCKS, UnknownBlock
from arbitrage_bot.chain.pruning import prune
from arbitrage_bot.chain.wire import data, to_bytes


def entry(number: int) -> Entry:
    block: dict[str, Any] = {
        "number": hex(number),
        "hash": f"block-{number}",
        "transactions": [{"hash": f"t-{number}"}],
    }
    return Entry(block, [{"transactionHash": f"t-{number}"}])


def test_an_archive_answers_alike_from_packed_and_unpacked_blocks():
    kept = Archive(entry(0).block)
    for number in range(1, 101):
        kept.add(entry(number))
    for number in (1, 50, 68, 69, 100):
        assert kept.entry(number) == entry(number)
        assert kept.receipt(f"t-{number}") == {"transactionHash": f"t-{number}"}
        assert kept.transaction(f"t-{number}") == {"hash": f"t-{number}"}
        assert kept.number_of(f"block-{number}") == number
    assert kept.height == 100
    assert kept.entry(101) is None
    assert kept.entry(0) == Entry(entry(0).block, [])


def test_an_archive_forgets_the_oldest_but_never_the_first(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(archive, "KEPT_BLOCKS", 40)
    kept = Archive(entry(0).block)
    for number in range(1, 101):
        kept.add(entry(number))
    assert kept.entry(60) is None
    assert kept.receipt("t-60") is None
    assert kept.number_of("block-60") is None
    assert kept.entry(61) == entry(61)
    assert kept.entry(0) is not None
    assert kept.height == 100


def test_what_a_root_reaches_stays_and_the_rest_goes():
    root, child, orphan, header = (bytes([each]) * 32 for each in (1, 2, 3, 4))
    store = {root: b"\xc0\xa0" + child, child: b"\xa0short", orphan: b"", header: b"", b"v1:head": header}
    store[b"transaction-hash-to-block:x"] = b""
    assert prune(store, [root], [header]) == 2
    assert set(store) == {root, child, header, b"v1:head"}


def test_after_pruning_the_chain_goes_on_and_only_old_state_is_gone():
    """Balances, storage and code are whole; a swap still works; old blocks are told, their state is not."""
    market = prepare(seed=4, traders=1)
    node, trader = market.node, market.traders[0]
    token = to_bytes(market.deployment.base.address)
    held = calldata("balanceOf(address)", trader.address)
    for number in range(KEPT_STATES + 2 * PRUNE_BLOCKS):
        if number % 16 == 0:
            payload = calldata("transfer(address,uint256)", market.deployment.pools[0].address, 1)
            trader.send(node, market.deployment.base.address, payload, gas=100_000, tip_wei=1)
        node.mine()
    assert int.from_bytes(node.call(bytes(20), token, held), "big") == 5000 * 10**18 - 16
    oldest = node.height - KEPT_STATES + 1
    assert node.call(bytes(20), token, held, number=oldest) != node.call(bytes(20), token, held)
    with pytest.raises(UnknownBlock, match="missing trie node"):
        node.call(bytes(20), token, held, number=oldest - 1)
    first = node.entry(5)
    assert first is not None
    assert node.receipt(first.block["transactions"][0]["hash"]) == first.receipts[0]
    assert len(node._chain.chaindb.db.wrapped_db) < 5000
    assert node.code(token)
    assert data(token) == market.deployment.base.address.lower()
