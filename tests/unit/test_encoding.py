"""Events as JSON."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deskwatch import encoding
from deskwatch.errors import EventError
from deskwatch.events import (
    DecisionMade,
    EquityObserved,
    ErrorOccurred,
    Event,
    LogRecorded,
    OrderRejected,
)
from deskwatch.journal import read
from deskwatch.journal.line import MAX_LINE_BYTES, frame
from tests import strategies


def equity(value: Any) -> EquityObserved:
    return EquityObserved(equity=value, asset="USDT")


def reread(event: Event) -> Any:
    """The event as a reader of its line gets it."""
    return read(frame(encoding.encode(event), ts=2**62, seq=2**62, run=b"f" * 16)[:-1], "b", "main").event


@given(event=strategies.any_event)
def test_every_event_starts_with_its_type_and_passes_strict_mode(event: Event) -> None:
    body = encoding.encode(event)
    assert body.startswith(b'{"type":"%b"' % str(event.__struct_config__.tag).encode())
    encoding.check(event, body)
    assert encoding.count_nulls(event, body) == 0


@pytest.mark.parametrize(
    ("text", "read_text"),
    [
        ("cut \ud83d", "cut \ufffd"),
        ("\udc80name", "\ufffdname"),
        ("\ud83d\ude00", "\U0001f600"),
        ("\ude00\ud83d", "\ufffd\ufffd"),
    ],
)
def test_a_text_that_utf_8_can_not_hold_is_mended_and_its_event_kept(text: str, read_text: str) -> None:
    event = DecisionMade(
        decision_id="d", action="buy", provider="p", reasoning=text, inputs={text: [text, Decimal("1E+400")]}
    )
    kept = reread(event)
    assert (kept.reasoning, kept.inputs) == (read_text, {read_text: [read_text, None]})


@pytest.mark.parametrize(
    ("given_value", "read_value"),
    [
        (7, 7.0),
        (2**70, float(2**70)),
        (0.1, 0.1),
        (Decimal("1.10"), 1.1),
        (Decimal("1E+3"), 1000.0),
        (np.float64(2.5), 2.5),
        (np.float32(2.5), 2.5),
        (np.float16(2.5), 2.5),
        (np.longdouble(2.5), 2.5),
        (np.int64(-3), -3.0),
        (np.uint8(3), 3.0),
        (np.array([4.0]), 4.0),
    ],
    ids=lambda value: f"{type(value).__name__} {value}",
)
def test_figures_of_all_kinds_are_taken(given_value: Any, read_value: float) -> None:
    event = equity(given_value)
    encoding.check(event, encoding.encode(event))
    assert reread(event).equity == read_value


NOT_FINITE = [
    math.nan,
    math.inf,
    -math.inf,
    np.float64("nan"),
    np.float32("inf"),
    np.longdouble("nan"),
    Decimal("NaN"),
    Decimal("sNaN"),
    Decimal("-Infinity"),
    Decimal("1E+400"),
]


@pytest.mark.parametrize("value", NOT_FINITE, ids=lambda value: f"{type(value).__name__} {value}")
def test_figures_that_no_float_holds_become_null_and_are_counted(value: Any) -> None:
    event = equity(value)
    body = encoding.encode(event)
    assert reread(event).equity is None
    assert encoding.count_nulls(event, body) == 1
    with pytest.raises(EventError, match="finite"):
        encoding.check(event, body)


def test_figures_within_free_form_fields_are_counted_too() -> None:
    event = DecisionMade(
        decision_id="d",
        action="buy",
        provider="rules",
        confidence=math.nan,
        inputs={"a": math.inf, "b": [Decimal("NaN"), 1, None, True], "c": {"d": np.float32("nan")}, "e": "NaN"},
    )
    assert encoding.count_nulls(event, encoding.encode(event)) == 4
    assert reread(event).inputs == {"a": None, "b": [None, 1, None, True], "c": {"d": None}, "e": "NaN"}


def test_a_text_that_only_looks_like_a_figure_stays_as_it_is() -> None:
    event = LogRecorded(message="NaN Infinity 1E+400 null", levelname="INFO", name="n")
    body = encoding.encode(event)
    assert encoding.count_nulls(event, body) == 0
    assert reread(event) == event


@pytest.mark.parametrize("value", ["1.5", True, [1.0], {"a": 1}], ids=repr)
def test_strict_mode_refuses_a_figure_of_the_wrong_type(value: Any) -> None:
    event = equity(value)
    with pytest.raises(EventError, match=r"EquityObserved: .*equity"):
        encoding.check(event, encoding.encode(event))


def test_strict_mode_refuses_events_outside_the_vocabulary() -> None:
    class CoinFlipped(Event, frozen=True, kw_only=True):
        heads: bool

    with pytest.raises(EventError, match="CoinFlipped"):
        encoding.check(CoinFlipped(heads=True), encoding.encode(CoinFlipped(heads=True)))


@pytest.mark.parametrize("value", [object(), {1, 2}.__iter__(), lambda: None], ids=["object", "iterator", "function"])
def test_what_is_neither_json_nor_a_number_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        encoding.encode(equity(value))


@pytest.mark.parametrize("value", [None, "text", {"type": "bot_stopped"}, []], ids=repr)
def test_what_is_no_event_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="expected an event"):
        encoding.encode(value)


def test_a_missing_optional_field_is_left_out_of_the_line() -> None:
    assert encoding.encode(equity(1.0)) == b'{"type":"equity_observed","equity":1.0,"asset":"USDT"}'


alphabets = st.sampled_from(("a", "é", "\U0001f680", "\x00", '"', "\\", "<"))


@given(character=alphabets, length=st.integers(60_000, 200_000), other=st.integers(0, 90_000))
def test_long_text_is_cut_to_fit_a_line_and_said_so(character: str, length: int, other: int) -> None:
    event = ErrorOccurred(component="c", kind="k", message=character * length, exc_info="x" * other)
    line = frame(encoding.encode(event), ts=2**62, seq=2**62, run=b"f" * 16)
    assert len(line) <= MAX_LINE_BYTES
    fields = msgspec.json.decode(line)
    seen = read(line[:-1], "b", "main").event
    assert isinstance(seen, ErrorOccurred)
    for name in ("message", "exc_info"):
        shown, whole = getattr(seen, name) or "", getattr(event, name)
        if name in fields.get("cut", []):
            assert shown.endswith(encoding.CUT_MARK)
            assert whole.startswith(shown.removesuffix(encoding.CUT_MARK))
        else:
            assert shown == whole
    assert "cut" in fields or len(encoding.encode(event)) <= encoding.MAX_BODY_BYTES


def test_most_of_a_text_that_is_a_little_too_long_is_kept() -> None:
    event = LogRecorded(message="m" * 70_000, levelname="INFO", name="n")
    assert len(reread(event).message) > 60_000


@pytest.mark.parametrize(
    "event",
    [
        DecisionMade(decision_id="d", action="a", provider="p", inputs={"prompt": "p" * 100_000}),
        LogRecorded(message="m", levelname="INFO", name="n", extra={str(n): "é" * 50 for n in range(2000)}),
        OrderRejected(order_id="i" * 70_000, venue="v" * 70_000, symbol="s" * 70_000, reason="r"),
    ],
    ids=["one long input", "many short extras", "long ids"],
)
def test_any_field_can_be_cut_and_the_line_stays_an_event(event: Event) -> None:
    body = encoding.encode(event)
    assert len(body) <= encoding.MAX_BODY_BYTES
    encoding.check(event, body)
    assert type(reread(event)) is type(event)
    assert msgspec.json.decode(body)["cut"]


def test_a_number_too_long_for_a_line_is_kept_as_a_float() -> None:
    body = encoding.encode(equity(Decimal((0, (1,) * 70_000, -70_000))))
    assert msgspec.json.decode(body)["equity"] == pytest.approx(0.1111111111)
    assert "cut" not in msgspec.json.decode(body)


@given(
    extra=st.dictionaries(st.text(max_size=10), st.text(alphabet='"\\\x01aé', max_size=50), min_size=1),
    times=st.integers(1200, 3000),
)
@settings(max_examples=30, deadline=None)
def test_large_containers_are_cut_at_once(extra: dict[str, str], times: int) -> None:
    """Whatever they hold, escapes of escapes included, the line fits after few rounds."""
    many = {f"{number} {key}": [value] * 3 for number in range(times) for key, value in extra.items()}
    body = encoding.encode(LogRecorded(message="m", levelname="INFO", name="n", extra=many))
    assert len(body) <= encoding.MAX_BODY_BYTES
    assert isinstance(msgspec.json.decode(body).get("extra"), dict)
