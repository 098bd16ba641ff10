"""Whoever may publish at the broker may publish anything: nothing of it ends the source."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deskwatch.sources.hummingbot import liquidity
from deskwatch.sources.hummingbot.fills import of_history
from deskwatch.sources.hummingbot.memory import HummingbotMemory
from deskwatch.sources.hummingbot.orders import Orders
from deskwatch.sources.hummingbot.performance import Performance
from deskwatch.sources.hummingbot.records import BURST, Records
from deskwatch.sources.watched import Watched
from tests.lines import events_in
from tests.unit.sources.hummingbot.conftest import BOT

_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["1e400", "-1", "BTC-USDT", "TradeType.BUY", "0.001", "\x1b[2J", "\ud800", 10**400])
)
_VALUES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)
_NAMES = """order_id trading_pair trade_type type price amount trade_fee exchange_trade_id exchange_order_id error_type
error_message base_asset_amount quote_asset_amount creation_timestamp market order_action msg level_no logger_name
timestamp performance positions_summary connector_name side breakeven_price unrealized_pnl_quote symbol quantity
trade_id trade_timestamp raw_json percent flat_fees token"""
_KINDS = """BuyOrderCreated SellOrderCreated BuyOrderCompleted OrderFilled OrderCancelled OrderExpired OrderFailure
FundingPaymentCompleted RangePositionLiquidityAdded RangePositionUpdateFailure Nonsense"""
_DATA = st.dictionaries(st.sampled_from(_NAMES.split()), _VALUES, max_size=12)
_EVENTS = st.lists(st.tuples(st.sampled_from(_KINDS.split()), _DATA), max_size=8)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_EVENTS)
async def test_no_payload_raises_and_what_is_journaled_can_be_read(
    watched: Watched, home: Path, told: list[tuple[str, dict[str, Any]]]
) -> None:
    memory = cast("HummingbotMemory", watched.memory)
    orders = Orders(watched, memory, venue=None, strategy=None, missed=lambda: None)
    performance, records = Performance(watched, memory, strategy=None), Records(watched)
    for kind, data in told:
        orders.take(kind, data, time.time())
        liquidity.take(watched, kind, data, None)
        performance.take({"c": {"performance": data}, "d": data})
        performance.take({"c": {"performance": {"positions_summary": [data]}}})
        records.log(data)
        records.notice(data)
        records.unknown(kind, data, None)
        fill = of_history(data)
        orders.recover([fill] if fill is not None else [])
    orders.settle()
    orders.abandon()
    assert orders.recover([]) == 0
    assert memory.orders == {}
    assert all(events_in(home, bot=BOT))


def test_a_flood_of_records_is_cut_and_counted(watched: Watched, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: clock)
    records = Records(watched)
    for number in range(1000):
        records.log({"msg": f"m{number}", "level_no": 30, "logger_name": "x"})
    clock += 1
    records.log({"msg": "later", "level_no": 30, "logger_name": "x"})
    messages = [event.message for event in events_in(home, bot=BOT) if hasattr(event, "levelname")]
    assert len(messages) == BURST + 2
    assert messages[-2:] == ["800 more records of Hummingbot came than are journaled", "later"]
