"""What a fill cost, of Hummingbot's `trade_fee`.

It has two forms: `{"fee_type", "percent": "0.001", "percent_token", "flat_fees": [{"token", "amount": "0.1"}]}` in
fills and in history, and the same with numbers and without `fee_type` in events of liquidity. `percent` is a share
(0.001 is 0.1 %) of what the fill is worth in the quote asset, whichever token it is taken in
(`core/data_type/trade_fee.py`: `fee_amount_in_token`).
"""

from __future__ import annotations

from typing import NamedTuple

from deskwatch.sources.hummingbot.payload import fields, name, number, quote_of, rows


class Fee(NamedTuple):
    """An amount; both are None where none is known."""

    amount: float | None
    asset: str | None


UNKNOWN = Fee(None, None)


def fee_of(trade_fee: object, pair: str, price: float, quantity: float) -> Fee:
    """The fee in the quote asset as Hummingbot counts it, or in the one token that it was taken in.

    A fee in several tokens of which one is neither the base nor the quote asset has no one amount: it is unknown, as
    a part of it would read as the whole.
    """
    told = fields(trade_fee)
    if not told:
        return UNKNOWN
    quote = quote_of(pair)
    base = pair.partition("-")[0]
    worth = price * quantity * (number(told.get("percent")) or 0.0)
    others: dict[str, float] = {}
    for flat in rows(told.get("flat_fees")):
        token, amount = name(flat.get("token")), number(flat.get("amount"))
        if amount is None or not token:
            return UNKNOWN
        if token == quote:
            worth += amount
        elif token == base:
            worth += amount * price
        else:
            others[token] = others.get(token, 0.0) + amount
    others = {token: amount for token, amount in others.items() if amount}
    if not others:
        return Fee(worth, quote)
    if len(others) == 1 and not worth:
        token, amount = others.popitem()
        return Fee(amount, token)
    return UNKNOWN
