"""What a bot may do, and how its mode survives a restart.

The order of risk: `active` > `standby` > `closing` > `halted`.
"""

from __future__ import annotations

from deskwatch.events import Mode

_RISK = {Mode.ACTIVE: 3, Mode.STANDBY: 2, Mode.CLOSING: 1, Mode.HALTED: 0}


def riskier(one: Mode, other: Mode) -> bool:
    """Whether a bot in mode `one` may do more than in mode `other`."""
    return _RISK[one] > _RISK[other]


def at_start(*, last: Mode | None, desired: Mode | None, initial: Mode) -> Mode:
    """The mode a bot starts in: never riskier than it last was, nor than what was last asked of it.

    Args:
        last: The mode its journal saw last; None for a bot never seen before.
        desired: The mode that an operator asked for last, None if nobody did.
        initial: What the bot's own code wants where its journal knows nothing.
    """
    start = initial if last is None else last
    if desired is not None and riskier(start, desired):
        return desired
    return start


def bot_may_change(current: Mode, wanted: Mode) -> bool:
    """Whether the bot's own code may change its mode so. Only a person leads a bot out of `halted`."""
    return current is not Mode.HALTED or wanted is Mode.HALTED


__all__ = ["Mode", "at_start", "bot_may_change", "riskier"]
