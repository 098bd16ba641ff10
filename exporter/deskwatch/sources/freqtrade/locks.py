"""What `/locks` says: pairs, or all of them, that freqtrade may not enter for a while.

Two kinds are left out, as they are routine: a pair is locked until the next candle after each exit (`Auto lock`), and
by the protection `CooldownPeriod`. What other protections lock, and what the strategy or a person does, is an alert.
"""

from __future__ import annotations

from collections.abc import Iterator

from deskwatch.events import RiskAlertCleared, RiskAlertRaised
from deskwatch.sources.freqtrade.memory import FreqtradeMemory
from deskwatch.sources.freqtrade.reading import Raw, listed, mapping, seconds, text
from deskwatch.sources.lateness import late

PAIR_LOCKED = "pair_locked"
TRADING_LOCKED = "trading_locked"
ROUTINE = ("Auto lock", "Cooldown period")
"""How the reasons of locks begin that are no alert."""
ALL = "*"
MOST_LOCKS = 500
"""That are read."""


def alerts(raw: Raw, memory: FreqtradeMemory, now: float) -> Iterator[RiskAlertRaised | RiskAlertCleared]:
    """The locks that are others than was told.

    Raises:
        Unreadable: It is no answer of `/locks`.
    """
    held: dict[str, dict[str, Raw]] = {}
    for each in listed(mapping(raw, "locks").get("locks"), "locks")[:MOST_LOCKS]:
        if not isinstance(each, dict) or each.get("active") is False:
            continue
        pair, reason = text(each.get("pair")), text(each.get("reason")) or ""
        if pair is not None and not reason.startswith(ROUTINE):
            held.setdefault(pair, each)
    for pair in [each for each in memory.locks if each not in held]:
        yield RiskAlertCleared(alert=_name(pair), symbol=None if pair == ALL else pair)
    for pair, lock in held.items():
        if pair not in memory.locks:
            side = text(lock.get("side")) or ALL
            what = "" if side == ALL else f"{side}s only: "
            yield RiskAlertRaised(
                alert=_name(pair),
                severity="warning" if pair == ALL else "info",
                message=what + (text(lock.get("reason")) or "no reason given"),
                symbol=None if pair == ALL else pair,
                happened_timestamp_seconds=late(seconds(lock.get("lock_timestamp")), now),
            )


def _name(pair: str) -> str:
    return TRADING_LOCKED if pair == ALL else PAIR_LOCKED
