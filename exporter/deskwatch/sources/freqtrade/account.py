"""What `/balance` says: what lies at the exchange, and what the bot is worth.

Equity is, in the stake currency, the worth of all that freqtrade manages: all of the stake currency, as much of a
traded coin as freqtrade bought, and each futures position's collateral with its profit. It is neither of its sums.
`total` has all coins of the account, `total_bot` leaves out what `tradable_balance_ratio` holds back and what waits in
an order for an entry: it falls with each such order, which would be a drawdown that never was. Where several bots share
an account by `available_capital`, though, only `total_bot` is this bot's part, and is taken, with what waits in an
order for a first entry: as the trade's stake it is taken off there (`Wallets.get_available_stake_amount`).

What a coin is worth is `est_stake`, of all of it that lies there, and `est_stake_bot`, of the trade's amount. They
differ by what somebody holds beside (coins to pay fees with): that is no equity, lest it come and go with each trade.

A dry run on a spot market counts what waits in an order that adds to a position twice (`Wallets._update_dry`): as free,
and as used. That is taken off, lest each such order be a peak that every later figure is a drawdown from. A live bot's
stake currency on a futures market counts by what is free (`RPC.__balance_get_est_stake`), so that what waits in an
order for an entry is nowhere: that is added.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from deskwatch.events import BalanceObserved, EquityObserved, TransferRecorded
from deskwatch.sources.freqtrade.memory import SMALL, FreqtradeMemory
from deskwatch.sources.freqtrade.reading import Raw, listed, mapping, number, text

MOST_ASSETS = 50
"""Of an account that are told: the worthiest. An exchange's wallet may hold hundreds of leftovers."""


def balances(raw: Raw, memory: FreqtradeMemory, venue: str, *, all_of_them: bool) -> Iterator[BalanceObserved]:
    """The balances that are others than was told.

    Args:
        raw: The answer of `/balance`.
        memory: What was told.
        venue: The exchange.
        all_of_them: Tell the others too, so that they don't look old.

    Raises:
        Unreadable: It is no such answer.
    """
    found: dict[str, tuple[float, float | None]] = {}
    for each in sorted(_held(raw), key=lambda one: -(number(one.get("est_stake")) or 0.0))[:MOST_ASSETS]:
        asset, total = text(each.get("currency")), number(each.get("balance"))
        if asset is not None and total is not None:
            found[asset] = total, number(each.get("free"))
    if memory.balances_venue != venue:  # its configuration names another exchange now
        for asset in list(memory.balances):
            yield BalanceObserved(venue=memory.balances_venue, asset=asset, total=0.0, free=0.0)
    for asset, (total, free) in found.items():
        if all_of_them or memory.balances.get(asset) != [total, free]:
            yield BalanceObserved(venue=venue, asset=asset, total=total, free=free)
    for asset in [each for each in memory.balances if each not in found]:
        yield BalanceObserved(venue=venue, asset=asset, total=0.0, free=0.0)


def is_waiting(raw: Raw) -> bool:
    """Whether some of the stake currency waits in orders.

    Raises:
        Unreadable: It is no answer of `/balance`.
    """
    found = mapping(raw, "balance")
    stake = text(found.get("stake"))
    return any(each.get("currency") == stake and number(each.get("used")) for each in _held(found))


def equity(
    raw: Raw, *, is_shared: bool, more: float = 0.0, filling: Mapping[str, float] | None = None
) -> EquityObserved | None:
    """The bot's worth; None where freqtrade could not value all of it, or nobody can tell what of a coin it bought.

    Args:
        raw: The answer of `/balance`.
        is_shared: Whether the bot has but a part of the account (`available_capital`).
        more: What is missing there, in the stake currency; below 0: what is counted twice.
        filling: Coin → what open entry orders filled of it, for the coins of which an order is filled in part; None on
            a futures market, where no coins are bought.

    Raises:
        Unreadable: It is no such answer.
    """
    found = mapping(raw, "balance")
    asset = text(found.get("stake"))
    if asset is None:
        return None
    managed = [each for each in _entries(found) if each.get("is_bot_managed", True) or each.get("is_position")]
    has_price = all(number(each.get("est_stake")) or not _amount(each) for each in managed)
    if not has_price:
        return None  # freqtrade counts what it has no price of as nothing
    if is_shared:
        part = number(found.get("total_bot"))
        worth = None if part is None else part + more
    else:
        worths = [_worth(each, asset, filling) for each in managed]
        worth = None if None in worths else sum(each or 0.0 for each in worths) + more
    return None if worth is None else EquityObserved(equity=worth, asset=asset)


def moved(worth: EquityObserved, memory: FreqtradeMemory, venue: str) -> TransferRecorded | None:
    """What makes of a new account's equity no drawdown of the old one's; None where there is none.

    Another database is another account: a dry run that went live, or was begun again. The loss from the peak stays the
    same part of it.
    """
    newest, peak = memory.equity.get(worth.asset, (0.0, 0.0))
    if not memory.is_other_account or newest <= 0 or peak <= 0 or worth.equity is None:
        return None
    return TransferRecorded(venue=venue, asset=worth.asset, amount=peak * (worth.equity / newest - 1))


def _worth(entry: dict[str, Raw], stake: str, filling: Mapping[str, float] | None) -> float | None:
    """Of what the bot holds; None where it can't be told from what somebody else holds.

    An order that is filled in part is in the balance, but not in the trade's amount.
    """
    coin, there, bought = (
        text(entry.get("currency")),
        number(entry.get("est_stake")),
        number(entry.get("est_stake_bot")),
    )
    if there is None or bought is None or bought >= there or coin == stake or filling is None:
        return there or 0.0
    if coin is None or coin not in filling:
        return bought
    owned = (number(entry.get("bot_owned")) or 0.0) + filling[coin]
    return there if _amount(entry) <= owned * (1 + SMALL) else None


def _amount(entry: dict[str, Raw]) -> float:
    return (number(entry.get("balance")) or 0.0) or (number(entry.get("position")) or 0.0)


def _held(raw: Raw) -> list[dict[str, Raw]]:
    """The assets: positions of futures are in the same list, as assets of their own."""
    return [each for each in _entries(mapping(raw, "balance")) if each.get("is_position") is not True]


def _entries(found: dict[str, Raw]) -> list[dict[str, Raw]]:
    return [each for each in listed(found.get("currencies"), "currencies") if isinstance(each, dict)]
