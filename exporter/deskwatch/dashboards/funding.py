"""Funding of perpetual positions: its rates, what a year of them would bring, and what was exchanged."""

from __future__ import annotations

from deskwatch.dashboards.layout import Line
from deskwatch.dashboards.panels import course
from deskwatch.dashboards.promql import SHOWN, grown, or_zero, rate, series
from deskwatch.dashboards.tables import Column, Label, joined
from deskwatch.dashboards.variables import BOT, SYMBOL, VENUE, matching

_WHERE = matching(BOT, VENUE, SYMBOL)
_KEY = "bot, venue, symbol"
_RATE = f"max by ({_KEY}) ({series('tradebot_funding_rate_ratio', _WHERE)})"
_INTERVAL = f"max by ({_KEY}) ({series('tradebot_funding_interval_seconds', _WHERE)})"
_YEAR = f"{_RATE} * (365 * 86400 / {_INTERVAL})"
_NEXT = f"max by ({_KEY}) ({series('tradebot_next_funding_timestamp_seconds', _WHERE)}) - time()"

_RECEIVED = rate("tradebot_funding_received_total", "bot", "asset", where=_WHERE)
_PAID = rate("tradebot_funding_paid_total", "bot", "asset", where=_WHERE)
_NET = f"({or_zero(_RECEIVED, _PAID)} - {or_zero(_PAID, _RECEIVED)}) * 3600"


def lines() -> list[Line]:
    """The section's panels."""
    return [
        [
            joined(
                31,
                "Funding by instrument",
                "The rate of one interval (positive: longs pay shorts), what a year at it would make of what is held, "
                "when the next payment is due, and what was received and paid in the time shown. A position against "
                "the rate is paid for by holding it: be out before it is due, or be on the other side.",
                {"bot": Label(title="Bot"), "venue": Label(title="Venue"), "symbol": Label(title="Symbol")},
                [
                    Column(title="Rate", expr=_RATE, unit="percentunit", decimals=4),
                    Column(title="A year", expr=_YEAR, unit="percentunit", decimals=1),
                    Column(title="Next in", expr=_NEXT, unit="s", decimals=0),
                    Column(title="Interval", expr=_INTERVAL, unit="s", decimals=0),
                    Column(title="Received", expr=_exchanged("tradebot_funding_received_total"), unit="short"),
                    Column(title="Paid", expr=_exchanged("tradebot_funding_paid_total"), unit="short"),
                ],
                sort_by="A year",
                no_value="-",
            ),
        ],
        [
            course(
                33,
                "Funding rate of one interval",
                "Positive: longs pay. Intervals differ between venues; the panel beside makes them comparable.",
                [(_RATE, "{{bot}} {{venue}} {{symbol}}")],
                unit="percentunit",
            ),
            course(
                34,
                "Funding rate, a year",
                "What a year at the present rate would bring or cost, as a part of what is held. The gap between two "
                "venues is what a carry position earns; when it closes, so should the position.",
                [(_YEAR, "{{bot}} {{venue}} {{symbol}}")],
                unit="percentunit",
            ),
            course(
                35,
                "Funding received less paid, per hour",
                "At the pace of each interval, in the asset named. Below 0 the positions cost their holder.",
                [(_NET, "{{bot}} {{asset}}")],
                unit="short",
            ),
        ],
    ]


def _exchanged(counter: str) -> str:
    """Of each instrument in the time shown: one instrument is settled in one asset."""
    return grown(counter, "bot", "venue", "symbol", where=_WHERE, window=SHOWN)
