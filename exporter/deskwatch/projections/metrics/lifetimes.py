"""How long a figure that is no longer fed is shown: a dead value must never look alive.

What an alert needs after a bot's death has no lifetime: it stays, beside its age.
"""

from __future__ import annotations

MARKET_SECONDS = 300.0
"""Prices, books, pools and gas: whoever watches them sees a new one within minutes."""
CONTRACT_SECONDS = 3600.0
"""What a contract said: some are read once in many minutes."""
FUNDING_SECONDS = 9 * 3600.0
"""Funding rates: they come with their intervals, of which eight hours is the longest that is usual."""
AGE_SECONDS = 24 * 3600.0
"""The time of a figure's newest value outlives the figure, so that "the price is old" can be said for a day."""
