"""A fill's fee, of each form that Hummingbot has."""

from __future__ import annotations

from typing import Any

import pytest

from deskwatch.sources.hummingbot.fee import UNKNOWN, Fee, fee_of

PRICE, QUANTITY = 100.0, 2.0


def fee(percent: object = "0", *flat: tuple[str, object], token: str | None = None) -> Fee:
    told: dict[str, Any] = {"fee_type": "AddedToCost", "percent": percent, "percent_token": token}
    told["flat_fees"] = [{"token": one, "amount": amount} for one, amount in flat]
    return fee_of(told, "BTC-USDT", PRICE, QUANTITY)


def about(amount: float, asset: str) -> Any:
    """A fee of about this amount."""
    return (pytest.approx(amount), asset)


def test_a_percentage_is_of_what_the_fill_is_worth_in_the_quote_asset() -> None:
    """Also where a third token pays it: Hummingbot counts it so, too."""
    assert fee("0.001") == about(0.2, "USDT")
    assert fee(0.001) == about(0.2, "USDT")
    assert fee("0.001", token="BNB") == about(0.2, "USDT")


def test_flat_fees_in_base_and_quote_are_one_amount() -> None:
    assert fee("0", ("USDT", "0.1"), ("BTC", "0.001")) == about(0.2, "USDT")


def test_a_fee_in_another_token_is_told_in_that_token() -> None:
    assert fee("0", ("BNB", "0.01"), ("BNB", 0.02)) == about(0.03, "BNB")


def test_a_fee_in_several_tokens_is_unknown() -> None:
    """A part of it would read as the whole."""
    assert fee("0.001", ("BNB", "0.01")) == UNKNOWN
    assert fee("0", ("BNB", "0.01"), ("HYPE", "1")) == UNKNOWN


def test_a_rebate_is_a_fee_below_0() -> None:
    assert fee("-0.0001") == about(-0.02, "USDT")


def test_none_paid_is_known_and_none_told_is_not() -> None:
    assert fee("0") == Fee(0.0, "USDT")
    assert fee_of(None, "BTC-USDT", PRICE, QUANTITY) == UNKNOWN
    assert fee("0", ("BNB", "much")) == UNKNOWN
