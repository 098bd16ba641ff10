"""The account: what is at stake of it, what it is worth, and what came in and went out."""

from __future__ import annotations

from deskwatch.dashboards.layout import Line
from deskwatch.dashboards.panels import course
from deskwatch.dashboards.promql import SHOWN, grown, limit, series
from deskwatch.dashboards.tables import Column, Label, joined
from deskwatch.dashboards.variables import BOT, STRATEGY, VENUE, matching

_JUDGED = matching(BOT, STRATEGY)
_HELD_AT = matching(BOT, VENUE)
_LEVERAGE = f"{series('bot:tradebot_exposure_gross:sum')} / ({series('bot:tradebot_equity:sum')} > 0)"


def exposure() -> Line:
    """What is at stake in all positions together."""
    gross = f"sum by (bot, asset) ({series('tradebot_exposure_gross', _JUDGED)})"
    return [
        course(
            41,
            "Gross exposure",
            "Worth of all open positions, in the asset named.",
            [(gross, "{{bot}} {{asset}}")],
            unit="short",
            least=0,
        ),
        course(
            42,
            "Net exposure",
            "Long less short. Near 0 is hedged; what is left moves with the market.",
            [(f"sum by (bot, asset) ({series('tradebot_exposure_net', _JUDGED)})", "{{bot}} {{asset}}")],
            unit="short",
        ),
        course(
            43,
            "Exposure of equity",
            "Gross exposure over the equity in the same asset, of all strategies: the bot's leverage over all. 1 is "
            "all of its money at work; what is above is borrowed. Above the dashed line BotExposureHigh warns.",
            [(f"max by (bot, asset) ({_LEVERAGE})", "{{bot}} {{asset}}")],
            unit="none",
            limits=[limit("exposure_per_equity_multiple", "warns")],
            least=0,
        ),
    ]


def account() -> Line:
    """Equity, balances and transfers."""
    return [
        course(
            51,
            "Equity",
            "Worth of all holdings, and its peak, which transfers move along. Each in its own asset, named in the "
            "legend; assets are never added up.",
            [
                (
                    f"max by (bot, strategy, asset) ({series('tradebot_equity', _JUDGED)})",
                    "{{bot}} {{strategy}} {{asset}}",
                ),
                (
                    f"max by (bot, strategy, asset) ({series('tradebot_equity_peak', _JUDGED)})",
                    "{{bot}} {{strategy}} {{asset}} peak",
                ),
            ],
            unit="short",
            span=12,
        ),
        joined(
            52,
            "Balances",
            "All of an asset at a venue as it was told last, what of it is free, and what came in and went out in "
            "the time shown. Transfers move the peak of the equity, so that none is a drawdown. One that nobody "
            "ordered: withdraw the key.",
            {name: Label(title=name.capitalize(), width=100) for name in ("bot", "venue", "asset")},
            [
                Column(title="All", expr=_balance("tradebot_balance"), unit="short", width=95),
                Column(title="Free", expr=_balance("tradebot_balance_free"), unit="short", width=95),
                Column(title="Deposited", expr=_moved("tradebot_deposited_total"), unit="short", width=95),
                Column(title="Withdrawn", expr=_moved("tradebot_withdrawn_total"), unit="short", width=95),
            ],
            sort_by="Bot",
            falling=False,
            span=12,
            no_value="-",
        ),
    ]


def _balance(gauge: str) -> str:
    return f"max by (bot, venue, asset) ({series(gauge, _HELD_AT)})"


def _moved(counter: str) -> str:
    return grown(counter, "bot", "venue", "asset", where=_HELD_AT, window=SHOWN)
