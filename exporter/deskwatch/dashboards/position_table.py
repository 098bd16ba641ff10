"""The table of open positions: one row for each, with what it is worth and how near it is to being lost."""

from __future__ import annotations

from grafana_foundation_sdk.builders import table

from deskwatch.dashboards.expressions import DISTANCE_STEPS, RESULT_STEPS
from deskwatch.dashboards.links import OF_CELL, to_dashboard
from deskwatch.dashboards.promql import series
from deskwatch.dashboards.tables import Column, Label, joined

_BY = "bot, strategy, venue, symbol, side"
_EROSION_STEPS = ((None, "text"), (0, "green"), (0.8, "orange"), (1.0, "red"))


def position_table(panel_id: int, where: str) -> table.Panel:
    """The panel, for the positions that `where` matches."""
    is_open = f"(sum by ({_BY}) ({series('tradebot_positions_open', where)}) > 0)"

    def of(figure: str, how: str = "sum") -> str:
        """A figure of the positions that are open: what is told of closed ones is of no interest here."""
        return f"{how} by ({_BY}) ({series(figure, where)}) and {is_open}"

    return joined(
        panel_id,
        "Open positions",
        "One row for each bot, strategy, venue, symbol and side that has something open. Prices and profit are in the "
        "symbol's quote asset, size in its base asset. The largest loss first. Below 10 % to liquidation: add margin "
        "or reduce, whatever it earns.",
        {
            "bot": Label(title="Bot", link=to_dashboard("bot", "This bot", bot=OF_CELL), width=100),
            "strategy": Label(title="Strategy", width=110),
            "venue": Label(title="Venue", width=90),
            "symbol": Label(title="Symbol", width=115),
            "side": Label(title="Side", width=70),
        },
        [
            Column(
                title="To liquidation",
                width=110,
                expr=of("tradebot_position_liquidation_distance_ratio", "min"),
                unit="percentunit",
                decimals=1,
                steps=DISTANCE_STEPS,
            ),
            Column(title="Open", expr=is_open, decimals=0, width=70),
            Column(title="Size", width=100, expr=of("tradebot_position_quantity"), unit="short"),
            Column(
                title="Entry", width=100, expr=of("tradebot_position_entry_price", "max"), unit="locale", decimals=2
            ),
            Column(title="Price", width=100, expr=of("tradebot_position_mark_price", "max"), unit="locale", decimals=2),
            Column(
                title="Unrealized",
                width=100,
                expr=of("tradebot_unrealized_pnl"),
                unit="short",
                decimals=2,
                steps=RESULT_STEPS,
            ),
            Column(title="Leverage", width=100, expr=of("tradebot_position_leverage", "max"), decimals=1),
            Column(title="Margin", width=100, expr=of("tradebot_position_margin"), unit="short", decimals=2),
            Column(
                title="Divergence",
                width=100,
                expr=of("tradebot_position_divergence_ratio", "max"),
                unit="percentunit",
                decimals=2,
            ),
            Column(
                title="Erosion",
                width=100,
                expr=of("tradebot_position_erosion_ratio", "max"),
                unit="percentunit",
                decimals=0,
                steps=_EROSION_STEPS,
            ),
        ],
        sort_by="Unrealized",
        falling=False,
        no_value="-",
    )
