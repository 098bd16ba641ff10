"""What was told is remembered, in little space."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from deskwatch import events as ev
from deskwatch.sources.freqtrade.memory import GONE, OURS, FreqtradeMemory

ids = st.integers(1, 30)


@given(steps=st.lists(st.tuples(st.booleans(), ids)))
def test_closed_trades_are_a_set_kept_as_ranges(steps: list[tuple[bool, int]]) -> None:
    memory, expected = FreqtradeMemory(), set[int]()
    for is_closed, number in steps:
        if is_closed:
            memory.close(str(number))
            expected.add(number)
        else:
            memory.forget(str(number))
            expected.discard(number)
    assert [number for first, last in memory.closed for number in range(first, last + 1)] == sorted(expected)
    assert memory.closed_count == len(expected)
    assert {number for number in range(32) if memory.is_closed(str(number))} == expected
    assert all(one[1] + 1 < other[0] for one, other in zip(memory.closed, memory.closed[1:], strict=False))


def test_ten_thousand_closed_trades_take_no_space():
    memory = FreqtradeMemory()
    for number in range(1, 10_001):
        memory.fold(
            ev.PositionClosed(position_id=str(number), venue="binance", symbol="A/B", realized_pnl=0.5, asset="B")
        )
    assert (memory.closed, memory.closed_count, memory.profit) == ([[1, 10_000]], 10_000, 5000.0)
    assert len(msgspec.json.encode(memory)) < 500


def test_it_is_the_same_after_a_checkpoint():
    memory = FreqtradeMemory()
    memory.fold(ev.OrderSubmitted(order_id="a", venue="x", symbol="A/B", side="buy", quantity=1.0, cause="3"))
    memory.fold(ev.LogRecorded(message="m", levelname="WARNING", name="n", happened_timestamp_seconds=5.25))
    assert msgspec.json.decode(msgspec.json.encode(memory), type=FreqtradeMemory) == memory


def test_another_database_begins_with_no_closed_trades():
    memory = FreqtradeMemory()
    for boot, count in (("1.5", 1), ("1.9", 2), ("2.10", 1)):
        memory.fold(ev.BotStarted(pid=0, host="h", mode=ev.Mode.ACTIVE, boot=boot))
        memory.fold(ev.PositionClosed(position_id=str(count), venue="x", symbol="A/B", realized_pnl=1.0, asset="B"))
        assert memory.closed_count == count


def test_deleted_trades_are_forgotten_by_our_own_word_alone():
    memory = FreqtradeMemory()
    memory.close("4")
    for name, is_known in (("freqtrade.worker", True), (OURS, False)):
        memory.fold(ev.LogRecorded(message="", levelname="WARNING", name=name, extra={GONE: ["4"]}))
        assert memory.is_closed("4") is is_known


def test_a_position_of_another_writer_with_an_id_of_its_own_kind_is_no_trade():
    memory = FreqtradeMemory()
    memory.fold(ev.PositionClosed(position_id="hedge-²", venue="x", symbol="A/B", realized_pnl=1.0, asset="B"))
    assert memory.closed == []
