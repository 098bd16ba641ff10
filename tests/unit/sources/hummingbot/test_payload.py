"""What payloads hold is read with care."""

from __future__ import annotations

import pytest

from deskwatch.sources.hummingbot import payload


@pytest.mark.parametrize("told", [1_795_289_066, 1_795_289_066_000, 1_795_289_066_000_000, "1795289066000000000"])
def test_a_moment_is_told_in_any_of_four_units(told: object) -> None:
    assert payload.moment(told) == pytest.approx(1_795_289_066)


@pytest.mark.parametrize("told", ["-1", -1, 0, None, True, "soon", [], {}, 10**400, float("nan"), 10**25])
def test_what_is_no_moment_is_none(told: object) -> None:
    """A notice's `timestamp` is -1, which Hummingbot writes as a text."""
    assert payload.moment(told) is None


@pytest.mark.parametrize(("told", "found"), [("0.5", 0.5), (2, 2.0), ("1e3", 1000.0)])
def test_a_figure_may_be_a_text(told: object, found: float) -> None:
    assert payload.number(told) == found


@pytest.mark.parametrize("told", ["", "x", None, True, "nan", "inf", 10**400, [1]])
def test_what_is_no_finite_figure_is_none(told: object) -> None:
    assert payload.number(told) is None


def test_a_label_has_no_control_characters_and_a_bounded_length() -> None:
    assert payload.name(" BTC\x1b[31m-\nUSDT ") == "BTC[31m-USDT"
    assert len(payload.name("x" * 10_000)) == 64
    assert payload.identifier(12345) == "12345"
    assert payload.text(10**5000) == ""


def test_an_enum_is_its_last_word() -> None:
    assert payload.word("OrderType.LIMIT_MAKER") == "limit_maker"
    assert payload.word("BUY") == "buy"


DEEP = b'{"a":' + b"[" * 300 + b"]" * 300 + b"}"
"""A decoder would take it. Deeper ones end a process in which a library raised the limit of recursion."""


@pytest.mark.parametrize(
    "sent", [b"[]", b"null", b"{", b"\xff", b"[" * 100_000, DEEP, '{"a": 1}', None, b'{"a": 1}' + b" " * 2**21]
)
def test_what_is_no_json_object_is_none(sent: object) -> None:
    assert payload.decode(sent) is None


def test_a_figure_that_is_not_finite_is_read_as_none() -> None:
    assert payload.decode(b'{"price": NaN, "amount": -Infinity}') == {"price": None, "amount": None}


@pytest.mark.parametrize(("pair", "quote"), [("BTC-USDT", "USDT"), ("BTC", None), ("A-B-C", None), ("-B", None)])
def test_the_quote_asset_is_that_of_a_pair(pair: str, quote: str | None) -> None:
    assert payload.quote_of(pair) == quote
