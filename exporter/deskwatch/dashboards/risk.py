"""Positions, funding and risk: what is at stake, how near it is to being lost, and what holding it costs."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.models.common import BigValueTextMode

from deskwatch.dashboards import account, funding, variables
from deskwatch.dashboards.counts import counts
from deskwatch.dashboards.expressions import BAD_FROM_ONE, DISTANCE_STEPS, DRAWDOWN_STEPS, RESULT_STEPS
from deskwatch.dashboards.frame import frame
from deskwatch.dashboards.layout import Line, section
from deskwatch.dashboards.lines import activity, said
from deskwatch.dashboards.panels import course, figure, states
from deskwatch.dashboards.position_table import position_table
from deskwatch.dashboards.promql import grown, limit, series
from deskwatch.dashboards.variables import BOT, STRATEGY, SYMBOL, VENUE, matching

_HELD = matching(BOT, STRATEGY, VENUE, SYMBOL)
_JUDGED = matching(BOT, STRATEGY)
_ALERTS = matching(BOT, SYMBOL)
_PLACE = "{{bot}} {{venue}} {{symbol}} {{side}}"
_KEY = "bot, venue, symbol, side"
_DAY_LOSS = f"max by (bot, asset) ({series('bot:tradebot_pnl_lost_per_equity:ratio1d')})"
"""What BotDailyLoss looks at."""

_STREAK_STEPS = ((None, "green"), (5, "orange"), (10, "red"))
_SHORT_GAP = 30_000
"""Milliseconds without a position that do not break its line."""
_RAISED = {0: ("holds", "green"), 1: ("crossed", "red")}


def risk() -> Dashboard:
    """The dashboard."""
    dashboard = frame(
        "risk",
        "Positions, funding and risk",
        "For whoever answers for the money: what is open now, how near to liquidation, how deep in loss, and what "
        "holding it brings or costs.",
        variables.strategy(),
        variables.venue(),
        variables.symbol(),
        since="now-6h",
    )
    section(dashboard, 100, "Now", _now())
    section(dashboard, 200, "Positions", [position_table(11, _HELD)], *_positions())
    section(dashboard, 300, "Losses and limits", *_losses())
    section(dashboard, 400, "Funding", *funding.lines())
    section(dashboard, 500, "Exposure", account.exposure())
    section(dashboard, 600, "Account", account.account())
    section(dashboard, 700, "What happened", _happened())
    return dashboard


def _now() -> Line:
    return [
        figure(
            1,
            "To liquidation",
            "How far the price of the position nearest to it is from liquidation, as a part of the price. Below 10 % "
            "BotNearLiquidation warns, below 5 % it pages: add margin or reduce; one bad minute can cross it.",
            (f"min({series('tradebot_position_liquidation_distance_ratio', _HELD)})", "distance"),
            unit="percentunit",
            steps=DISTANCE_STEPS,
            no_value="no leverage",
        ),
        figure(
            2,
            "Worst drawdown",
            "The largest loss from the highest equity. 10 % warns, 20 % pages, if the thresholds file says nothing "
            "else for the bot. Put it in standby while you look.",
            (f"max({series('tradebot_drawdown_ratio', _JUDGED)})", "drawdown"),
            unit="percentunit",
            steps=DRAWDOWN_STEPS,
            no_value="no equity told",
        ),
        figure(
            3,
            "Loss of 24 hours",
            "What was lost in 24 hours, realized and open, as a part of the equity, for the bot and asset with most; 0 "
            "where all won. BotDailyLoss warns from 5 % on, pages from 10 % on, unless the thresholds file says "
            "otherwise.",
            (f"max({_DAY_LOSS})", "of equity"),
            unit="percentunit",
            steps=((None, "text"), (0, "green"), (0.05, "orange"), (0.10, "red")),
            no_value="not known yet",
        ),
        figure(
            4,
            "Losing streak",
            "Trades lost in a row, by the strategy with most. A strategy that lost ten times is in a market that it "
            "was not made for.",
            (f"max({series('tradebot_losing_streak', _JUDGED)})", "lost"),
            unit="none",
            steps=_STREAK_STEPS,
            no_value="no trades",
        ),
        figure(
            5,
            "Limits crossed",
            "Risk alerts that bots themselves raised and have not cleared. Which they are is told below.",
            (f"sum({series('tradebot_risk_alert', _ALERTS)}) or vector(0)", "crossed"),
            unit="none",
            steps=BAD_FROM_ONE,
        ),
        figure(
            6,
            "Unrealized",
            "What closing everything at the current prices would bring, before costs, in each asset.",
            (f"sum by (asset) ({series('tradebot_unrealized_pnl', _HELD)})", "{{asset}}"),
            unit="short",
            steps=RESULT_STEPS,
            no_value="nothing open",
        ).text_mode(BigValueTextMode.VALUE_AND_NAME),
        figure(
            7,
            "At stake",
            "Worth of all open positions at their current prices, in each asset; long and short both count.",
            (f"sum by (asset) ({series('tradebot_exposure_gross', _JUDGED)})", "{{asset}}"),
            unit="short",
            no_value="nothing open",
        ).text_mode(BigValueTextMode.VALUE_AND_NAME),
        figure(
            8,
            "Open positions",
            "Positions that are open now. More than the strategy should ever hold: it does not see its own fills.",
            (f"sum({series('tradebot_positions_open', _HELD)}) or vector(0)", "open"),
            unit="none",
        ),
    ]


def _positions() -> list[Line]:
    return [
        [
            course(
                12,
                "Distance to liquidation",
                "How far each position's price is from liquidation, as a part of it; 0 is liquidation. Below the "
                "dashed lines BotNearLiquidation warns, then pages: add margin or reduce.",
                [
                    (
                        f"min by ({_KEY}) ({series('tradebot_position_liquidation_distance_ratio', _HELD)})",
                        _PLACE,
                    ),
                ],
                limits=[
                    limit("liquidation_distance_ratio", "warns", tightest="max"),
                    limit("liquidation_distance_critical_ratio", "pages", tightest="max"),
                ],
                unit="percentunit",
                least=0,
            ).span_nulls(_SHORT_GAP),
            course(
                13,
                "Divergence of the legs",
                "How much dearer (above 0) or cheaper the hedging leg is than this one. It is what closing both would "
                "cost or bring; a divergence that widens is a hedge that fails.",
                [
                    (f"max by ({_KEY}) ({series('tradebot_position_divergence_ratio', _HELD)})", _PLACE),
                ],
                limits=[
                    limit("divergence_ratio", "warns"),
                ],
                unit="percentunit",
            ).span_nulls(_SHORT_GAP),
            course(
                14,
                "Erosion",
                "The share of what a position earned or was to earn that fees, gas and price moves have eaten. At 100 "
                "% nothing is left to wait for: close it.",
                [
                    (f"max by ({_KEY}) ({series('tradebot_position_erosion_ratio', _HELD)})", _PLACE),
                ],
                limits=[
                    limit("erosion_ratio", "warns"),
                ],
                unit="percentunit",
                least=0,
            ).span_nulls(_SHORT_GAP),
        ],
        [
            course(
                15,
                "Unrealized profit and loss",
                "What each position would bring at the current price, before the costs of closing, in the asset named.",
                [(f"sum by ({_KEY}, asset) ({series('tradebot_unrealized_pnl', _HELD)})", f"{_PLACE} {{{{asset}}}}")],
                unit="short",
            ).span_nulls(_SHORT_GAP),
            course(
                16,
                "Leverage",
                "Worth over margin, of the position with the highest. It rises by itself while a position loses.",
                [(f"max by ({_KEY}) ({series('tradebot_position_leverage', _HELD)})", _PLACE)],
                unit="none",
                least=0,
            ).span_nulls(_SHORT_GAP),
            course(
                17,
                "Margin",
                "What is bound as margin, in the asset named. It can't cover other losses.",
                [(f"sum by ({_KEY}, asset) ({series('tradebot_position_margin', _HELD)})", f"{_PLACE} {{{{asset}}}}")],
                unit="short",
                least=0,
            ).span_nulls(_SHORT_GAP),
        ],
    ]


def _losses() -> list[Line]:
    return [
        [
            course(
                21,
                "Drawdown",
                "Loss from the highest equity; deposits and withdrawals move that peak. The flat lines are where "
                "BotDrawdown warns and pages, as the thresholds file has it for each bot.",
                [
                    (
                        f"max by (bot, strategy, asset) ({series('tradebot_drawdown_ratio', _JUDGED)})",
                        "{{bot}} {{strategy}} {{asset}}",
                    ),
                ],
                limits=[
                    limit("drawdown_warning_ratio", "warns"),
                    limit("drawdown_critical_ratio", "pages"),
                ],
                unit="percentunit",
                least=0,
            ),
            course(
                22,
                "Loss of 24 hours, of equity",
                "What was lost in the 24 hours before, realized and open, as a part of the equity; 0 where it won. The "
                "flat lines are where BotDailyLoss warns and pages.",
                [
                    (_DAY_LOSS, "{{bot}} {{asset}}"),
                ],
                limits=[
                    limit("daily_loss_warning_ratio", "warns"),
                    limit("daily_loss_critical_ratio", "pages"),
                ],
                unit="percentunit",
                least=0,
            ),
            course(
                23,
                "Losing streak",
                "Trades lost since the last one that was not. At the flat line BotLosingStreak warns.",
                [
                    (
                        f"max by (bot, strategy) ({series('tradebot_losing_streak', _JUDGED)})",
                        "{{bot}} {{strategy}}",
                    ),
                ],
                limits=[
                    limit("losing_streak_trades", "warns"),
                ],
                unit="none",
                least=0,
            ),
        ],
        [
            states(
                24,
                "Limits that the bots watch",
                "Each limit that a bot ever saw crossed: when it was, and when it held again. These are the bot's own; "
                "those of Prometheus are on the overview.",
                [
                    (
                        f"max by (bot, kind, symbol) ({series('tradebot_risk_alert', _ALERTS)})",
                        "{{bot}} {{kind}} {{symbol}}",
                    )
                ],
                names=_RAISED,
                span=16,
                height=8,
            ),
            counts(
                25,
                "Risk alerts raised",
                "How often a limit was crossed in each interval. Many times in a row is a limit without hysteresis.",
                [
                    (
                        grown("tradebot_risk_alerts_raised_total", "kind", where=_ALERTS),
                        "{{kind}}",
                    )
                ],
            ),
        ],
    ]


def _happened() -> Line:
    return [
        activity(
            61,
            "Positions, funding and limits",
            "Openings, closings, funding and limits crossed, as journaled. A click opens a line's fields.",
            said(
                f'{{service_name="deskwatch", {BOT}, kind=~"positions|risk|account"}} '
                '| type !~ `position_updated|.+_observed` | symbol =~ "$symbol"'
            ),
        )
    ]
