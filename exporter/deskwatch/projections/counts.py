"""What a bot has done so far, as its live state counts it."""

from __future__ import annotations

import msgspec


class Counts(msgspec.Struct, kw_only=True):
    """Totals over all that the journal holds."""

    events: int = 0
    orders_submitted: int = 0
    orders_filled: int = 0
    orders_failed: int = 0
    trades_closed: int = 0
    trades_won: int = 0
    transactions_sent: int = 0
    transactions_reverted: int = 0
    opportunities_found: int = 0
    errors: int = 0
