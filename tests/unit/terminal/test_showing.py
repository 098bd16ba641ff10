"""What `deskwatch top` shows of a bot, an event, a curve: harmless, short, and never surer than it is."""

from __future__ import annotations

import json
import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskwatch.control.figures import age, amount, amounts, compact, mode_words
from deskwatch.live import Access, BotState, Counts, Entry, Live, ModeState, Watch
from deskwatch.terminal.details import details
from deskwatch.terminal.feed import line
from deskwatch.terminal.fleet import Watched
from deskwatch.terminal.rows import COLUMNS, heading, row
from deskwatch.terminal.sparkline import sparkline
from deskwatch.terminal.wanted import Wanted

HOSTILE = "\x1b[2J\u202e[red]x[/red]\n<b>"
BOT = BotState(
    bot="arbitrage-one",
    mode=ModeState(actual="active", desired="standby", since=100.0),
    running=True,
    last_event=1000.0,
    realized_pnl={"USDC": -1234567.891},
    equity={"USDC": 123456789.0, "ETH": 2.0},
    positions={str(at): {"symbol": HOSTILE, "quantity": 1.5, "side": "long"} for at in range(5)},
    connections={"a b": {"up": True}, "c d": {"up": False}},
    alerts={HOSTILE: {}},
    counts=Counts(trades_closed=3, trades_won=2),
    open_orders=12,
    last_error={"kind": HOSTILE, "message": HOSTILE, "at": 1.0},
    equity_curve=[(float(at), float(at)) for at in range(240)],
)


def test_a_row_of_usual_length_fits_80_columns() -> None:
    cells = row(BOT, 1001.0, 0.1)
    assert sum(max(len(heading(name)), len(cell)) for name, cell in zip(COLUMNS, cells, strict=True)) <= 79
    assert cells[0].plain == "arbi…ge-one "
    assert row(BOT, 1001.0, 0.1, wide=True)[0].plain == "arbitrage-one "


def test_a_mode_that_is_old_or_not_yet_in_force_is_shown_as_that() -> None:
    assert row(BOT, 1001.0, 0.1)[1].plain == "active→standby "
    assert row(BOT, 1001.0, 99.0)[1].plain == "active→standby? "
    assert row(BOT, 1001.0, math.inf)[1].style == "dim"
    stopped = msgspec.structs.replace(BOT, running=False)
    assert "off" in row(stopped, 1001.0, 0.1)[1].plain
    assert mode_words({"mode": {"actual": "active", "desired": "standby"}}) == "active → standby"


def test_what_nobody_can_steer_or_nobody_watches_is_shown_as_that_and_not_as_a_bot_that_does_not_run() -> None:
    watch = Watch(source="evm", peer=HOSTILE, since=1.0)
    wallet = BotState(bot="wallet", watches={"main": watch}, last_event=1000.0)
    gone = msgspec.structs.replace(BOT, watches={"main": msgspec.structs.replace(watch, until=2.0)})
    assert row(wallet, 1001.0, 0.1)[1].plain == "watched "
    assert row(gone, 1001.0, 0.1)[1].plain == "unwatched "
    shown = {
        one.bot: details(Watched(key="0/a", state=one, link=Live(Access(url="http://desk"))), 200).plain
        for one in (wallet, gone)
    }
    assert "does not run" not in shown["wallet"]
    assert "watched: evm" in shown["wallet"]
    assert "nobody watches it any more" in shown[gone.bot]
    assert "\x1b" not in shown["wallet"]
    assert mode_words(msgspec.to_builtins(wallet)) == "watched"
    assert mode_words(msgspec.to_builtins(gone)) == "active → standby (watched no more)"


def test_details_are_six_lines_within_the_width_and_hold_no_escape_code() -> None:
    shown = details(Watched(key="0/a", state=BOT, link=Live(Access(url="http://desk"))), 76)
    lines = shown.plain.split("\n")
    assert len(lines) == 6
    assert max(map(len, lines)) <= 76
    assert "\x1b" not in shown.plain
    assert "\u202e" not in shown.plain
    assert "asked for: standby" in lines[0]
    assert r"\x1b[2J" in lines[3]


def test_an_event_is_one_harmless_line() -> None:
    raw = msgspec.Raw(json.dumps({"type": "x", "order_id": "1", "message": HOSTILE, "price": 1.23456789}).encode())
    shown = line(Entry(bot=HOSTILE, kind="orders", type=HOSTILE, ts=10**18, raw=raw)).plain
    assert "\n" not in shown
    assert "\x1b" not in shown
    assert shown.endswith("price 1.23457, order_id 1")


@given(st.lists(st.floats(), max_size=300), st.integers(0, 120))
def test_a_sparkline_has_a_block_for_each_column_that_it_can_fill(values: list[float], width: int) -> None:
    shown = sparkline(values, width)
    assert len(shown) == min(width, sum(map(math.isfinite, values)))
    assert set(shown) <= set("▁▂▃▄▅▆▇█")


def test_a_sparkline_rises_with_its_values() -> None:
    assert sparkline([1, 2, 3, 4, 5, 6, 7, 8], 8) == "▁▂▃▄▅▆▇█"
    assert sparkline([5.0] * 4, 8) == "▄▄▄▄"
    assert sparkline([-1.7e308, 1.7e308, math.nan], 8) == "▁█"


@given(st.floats())
def test_a_compact_number_is_short(value: float) -> None:
    assert len(compact(value)) <= 11


@pytest.mark.parametrize(
    ("value", "shown"),
    [(1234.5, "1,234.50"), (-0.00012345, "-0.0001234"), (0, "0.00"), (math.nan, "-"), (None, "-"), (1e15, "1.000e+15")],
)
def test_amounts_tell_thousands_and_few_digits(value: float | None, shown: str) -> None:
    assert amount(value) == shown


def test_ages_and_amounts_are_short() -> None:
    assert [age(at, 100_000.0) for at in (99_996.0, 99_000.0, 90_000.0, 0.0, None)] == ["4s", "16m", "2h", "1d", "-"]
    assert amounts({"USDC": 1.0, "ETH": 0.25, "BTC": 1.0}) == "1.00 USDC, 0.25 ETH +1"
    assert compact(-123456.0) == "-123.5k"


@pytest.mark.parametrize(
    ("text", "accepted"),
    [
        ("", True),
        ("kind:orders", True),
        ("KIND:Orders bot:arb-1", True),
        ("kind:market", False),
        ("level:warning", True),
        ("level:error", False),
        ("uniswap", True),
        ("uniswap nowhere", False),
        ("symbol:eth/usdc provider:", False),
        ("symbol:eth/usdc", True),
    ],
)
def test_the_filter_takes_fields_a_level_and_words(text: str, accepted: bool) -> None:
    raw = msgspec.Raw(b'{"venue":"Uniswap"}')
    entry = Entry(bot="arb-1", kind="orders", type="order_filled", level="warning", symbol="ETH/USDC", raw=raw)
    assert Wanted.parse(text).accepts(entry) is accepted
