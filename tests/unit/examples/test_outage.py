"""The bot outlives its chain's absence, its own death, and another chain in its chain's place."""

from __future__ import annotations

import threading
from collections import Counter

import pytest

from arbitrage_bot.chain.genesis import prepare
from arbitrage_bot.chain.rpc import Rpc
from deskwatch import Mode
from tests.unit.examples.world import World


def settled_once(world: World) -> bool:
    """Whether each transaction that was sent was settled, once, and the account's nonce agrees."""
    sent = Counter(e["transaction"] for e in world.events("transaction_sent"))
    settled = Counter(e["transaction"] for e in world.events("transaction_confirmed", "transaction_reverted"))
    trader = world.trader
    nonce = world.market.node.nonce(bytes.fromhex(trader.wallet.address[2:]))
    return sent == settled and set(sent.values()) == {1} and nonce == len(sent)


def flat(world: World) -> None:
    """No new trades; blocks until nothing is open or on its way."""
    world.recorder.set_mode(Mode.STANDBY)
    trader = world.trader
    world.run_until(lambda: not trader.busy and not trader.wallet.pending)


def test_an_outage_is_no_error_and_what_was_on_its_way_is_settled_after_it(world: World):
    world.run_until(lambda: bool(world.events("order_submitted")) and bool(world.trader.wallet.pending))
    world.provider.cut = True
    world.market.node.mine()
    assert world.bot.step() is False
    assert world.bot.step() is False
    world.provider.cut = False
    assert world.bot.step() is True
    flat(world)
    assert settled_once(world)
    assert world.events("error_occurred") == []


def test_a_transaction_whose_sending_was_not_answered_is_followed_and_sent_once(world: World, monkeypatch):
    """The node took it, the answer was lost: it counts as sent, and its receipt settles it."""
    world.run_until(lambda: world.bot.trader is not None and world.trader._approvals.complete)
    desk = world.trader._desk
    send = desk.send

    def deaf_send(*args, **kwargs):
        world.provider.deaf = True
        try:
            return send(*args, **kwargs)
        finally:
            world.provider.deaf = False

    monkeypatch.setattr(desk, "send", deaf_send)
    before = len(world.events("order_submitted"))
    world.run_until(lambda: len(world.events("order_submitted")) > before)
    monkeypatch.undo()
    flat(world)
    assert settled_once(world)


def test_a_transaction_that_never_arrived_is_sent_again_as_it_was_signed(world: World, monkeypatch):
    world.run_until(lambda: world.bot.trader is not None and world.trader._approvals.complete)
    desk = world.trader._desk
    send = desk.send

    def cut_send(*args, **kwargs):
        world.provider.cut = True
        try:
            return send(*args, **kwargs)
        finally:
            world.provider.cut = False

    monkeypatch.setattr(desk, "send", cut_send)
    before = len(world.events("order_submitted"))
    world.run_until(lambda: len(world.events("order_submitted")) > before)
    monkeypatch.undo()
    assert world.trader.wallet.pending
    flat(world)
    assert settled_once(world)


def test_a_bot_that_dies_with_an_order_on_its_way_settles_it_when_it_is_back(world: World):
    world.run_until(lambda: bool(world.events("order_submitted")) and bool(world.trader.wallet.pending))
    world.restart()
    world.market.node.mine()
    world.bot.step()
    flat(world)
    assert settled_once(world)
    assert {e["position_id"] for e in world.events("position_opened")} == {
        e["position_id"] for e in world.events("position_closed")
    }


def test_a_bot_that_dies_between_signing_and_sending_gives_the_order_up(world: World, monkeypatch):
    """Nothing reached the node: the nonce is used again, and the order is journaled as never sent."""
    world.run_until(lambda: world.bot.trader is not None and world.trader._approvals.complete)
    desk = world.trader._desk

    def die(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(desk, "send", die)
    with pytest.raises(KeyboardInterrupt):
        world.run_until(lambda: False)
    assert not world.trader.wallet.pending
    world.restart()
    world.block()
    flat(world)
    assert settled_once(world)
    assert [e["reason"] for e in world.events("order_rejected")].count("never_sent") == 1


def test_a_position_survives_a_restart(world: World):
    world.run_until(lambda: world.open_position is not None)
    held = world.open_position
    world.restart()
    world.bot.step()
    assert world.open_position == held
    flat(world)
    assert world.events("position_closed")[-1]["position_id"] == held


def test_another_chain_in_its_place_is_begun_anew(world: World):
    """The chain was restarted: what was known of the old one is void, and nothing breaks."""
    world.run_until(lambda: world.open_position is not None)
    fresh = prepare(seed=3, traders=4)
    fresh.node.mine()
    world.provider._rpc = Rpc(fresh.node)
    assert world.bot.step() is False
    assert world.bot.step() is True
    assert world.trader.wallet.pending == {}
    assert world.trader.accounts.position is None
    assert world.events("position_closed")[-1]["reason"] == "chain_replaced"


def test_another_chain_that_is_longer_is_noticed_after_an_outage(world: World):
    world.block()
    fresh = prepare(seed=3, traders=4)
    while fresh.node.height < world.market.node.height + 5:
        fresh.node.mine()
    world.provider.cut = True
    assert world.bot.step() is False
    world.provider.cut = False
    world.provider._rpc = Rpc(fresh.node)
    before = world.trader
    assert world.bot.step() is False
    assert world.bot.step() is True
    assert world.trader is not before


def test_an_unexpected_fault_is_told_in_the_log_and_the_bot_goes_on(world: World, caplog, monkeypatch):
    world.block()
    monkeypatch.setattr(world.trader.market, "look", lambda _number: 1 / 0)
    world.market.node.mine()
    assert world.bot.step() is False
    assert "a tick failed" in caplog.text
    monkeypatch.undo()
    assert world.bot.step() is True


def test_a_stop_waits_for_what_is_on_its_way(world: World):
    world.run_until(lambda: bool(world.events("order_submitted")) and bool(world.trader.wallet.pending))
    world.market.node.mine()
    stop = threading.Event()
    stop.set()
    world.bot.run(stop)
    assert world.trader.wallet.pending == {}
    assert settled_once(world)


def test_a_stop_does_not_wait_for_ever(world: World):
    """No block comes: the stop gives up after its bound, and the next start settles it."""
    world.run_until(lambda: bool(world.events("order_submitted")) and bool(world.trader.wallet.pending))
    world.bot.finish()
    assert world.trader.wallet.pending
    world.restart()
    world.block()
    flat(world)
    assert settled_once(world)
