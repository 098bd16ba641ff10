"""Decisions and predictions: who decides, how surely, how fast, at what price, and how right they were."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.models.common import BigValueTextMode

from deskwatch.dashboards import predictions, variables
from deskwatch.dashboards.counts import total
from deskwatch.dashboards.frame import frame
from deskwatch.dashboards.layout import Line, section
from deskwatch.dashboards.lines import activity
from deskwatch.dashboards.panels import course, figure
from deskwatch.dashboards.predictions import BASE_ERROR, COIN, ERROR, OURS, RESOLVED
from deskwatch.dashboards.promql import SHOWN, increase, part, quantile, rate, series
from deskwatch.dashboards.variables import BOT, STRATEGY, matching

_TRADES = matching(BOT, STRATEGY)

_DECIDED = increase("tradebot_decisions_total", "bot", "strategy", where=OURS, window=SHOWN)
_ORDERED = increase("tradebot_order_decision_seconds_count", "bot", "strategy", where=_TRADES, window=SHOWN)
_BRIER_STEPS = ((None, "green"), (0.20, "orange"), (COIN, "red"))
_SKILL_STEPS = ((None, "text"), (-100, "red"), (0, "orange"), (0.05, "green"))


def decisions() -> Dashboard:
    """The dashboard."""
    dashboard = frame(
        "decisions",
        "Decisions and predictions",
        "For whoever picks models and rules: what each provider decides and predicts, what that costs, and whether it "
        "is right often enough to be worth it.",
        variables.strategy(),
        variables.provider(),
        since="now-6h",
    )
    section(dashboard, 100, "In the time shown", _figures())
    section(dashboard, 200, "How right predictions were", *predictions.lines())
    section(dashboard, 300, "What came of it", _outcome())
    section(dashboard, 400, "Decisions", *_decisions())
    section(dashboard, 500, "Price", _price())
    section(dashboard, 600, "Signals and values", predictions.values())
    section(dashboard, 700, "Last decisions", *_last())
    return dashboard


def _over(counter: str, *by: str, where: str = OURS) -> str:
    return increase(counter, *by, where=where, window=SHOWN)


def _figures() -> Line:
    return [
        total(
            1,
            "Brier score",
            "Mean squared error of the yes-or-no predictions resolved in the time shown: 0 is perfect, 0.25 is a coin. "
            "At a coin's level a prediction adds nothing: stop trading on it.",
            (f"{_over(ERROR)} / ({_over(RESOLVED)} > 0)", "Brier"),
            unit="none",
            steps=_BRIER_STEPS,
            no_value="none resolved",
        ),
        total(
            2,
            "Skill",
            "Against the base rate: 1 less the Brier score over that of saying the base rate each time. Below 0 the "
            "base rate alone would have been the better prediction. It holds where predictions tell their base rate.",
            (f"1 - {_over(ERROR)} / ({_over(BASE_ERROR)} > 0)", "skill"),
            unit="percentunit",
            steps=_SKILL_STEPS,
            no_value="no base rate",
        ),
        total(
            3,
            "Resolved",
            "Yes-or-no predictions whose outcome became known in the time shown. Below some 50 the scores beside are "
            "mostly chance: choose a longer time.",
            (f"{_over(RESOLVED)} or vector(0)", "resolved"),
            unit="short",
        ),
        total(
            4,
            "Decisions",
            "Decisions of the time shown, to do nothing among them. None at all from a running bot is a model or "
            "service that does not answer.",
            (f"{_over('tradebot_decisions_total')} or vector(0)", "decisions"),
            unit="short",
        ),
        total(
            5,
            "Became orders",
            "Orders that name a decision as their cause, of all decisions in the time shown. Far below what is usual: "
            "decisions are dropped between the model and the venue.",
            (
                part(f"sum({_ORDERED} and on (bot, strategy) {_DECIDED})", f"sum({_DECIDED})"),
                "of decisions",
            ),
            unit="percentunit",
            no_value="no decisions",
        ),
        total(
            6,
            "Decided in, p95",
            "How long 95 of 100 decisions of the time shown took from asking to having them. Beyond what an "
            "opportunity lasts, a faster model earns more than a better one.",
            (quantile(0.95, "tradebot_decision_latency_seconds", where=OURS, window=SHOWN), "p95"),
            unit="s",
            no_value="not told",
        ),
        total(
            7,
            "Cost of decisions",
            "Paid for decisions in the time shown, in each asset. Compare it with the profit of the same time below.",
            (_over("tradebot_decision_cost_total", "asset"), "{{asset}}"),
            unit="short",
            no_value="not told",
        ).text_mode(BigValueTextMode.VALUE_AND_NAME),
        figure(
            8,
            "Least sure now",
            "Confidence of the newest decision of the provider that is least sure. A model that is never sure was fed "
            "something that it does not know.",
            (f"min({series('tradebot_decision_confidence_ratio', OURS)})", "confidence"),
            unit="percentunit",
            no_value="not told",
        ),
    ]


def _outcome() -> Line:
    won = increase("tradebot_trades_won_total", "bot", "strategy", where=_TRADES, window="1h")
    closed = increase("tradebot_trades_closed_total", "bot", "strategy", where=_TRADES, window="1h")
    return [
        course(
            21,
            "Realized profit and loss",
            "What the decisions of each strategy have made, in the asset named. In the end only this counts: a good "
            "score with a falling line means that costs eat what is predicted rightly.",
            [
                (
                    f"sum by (bot, strategy, asset) ({series('tradebot_realized_pnl', _TRADES)})",
                    "{{bot}} {{strategy}} {{asset}}",
                )
            ],
            unit="short",
        ),
        course(
            22,
            "Trades won, over an hour",
            "Trades closed with a profit, of all closed in the hour before. Nothing where none was closed.",
            [(part(won, closed), "{{bot}} {{strategy}}")],
            unit="percentunit",
            least=0,
        ),
        course(
            23,
            "Opportunities taken, over an hour",
            "Those that an order came of, of all found. A fall at an equal number of decisions means that the model "
            "has become more careful, or slower.",
            [
                (
                    part(
                        increase("tradebot_opportunities_taken_total", "bot", "strategy", where=_TRADES, window="1h"),
                        increase("tradebot_opportunities_found_total", "bot", "strategy", where=_TRADES, window="1h"),
                    ),
                    "{{bot}} {{strategy}}",
                )
            ],
            unit="percentunit",
            least=0,
        ),
    ]


def _decisions() -> list[Line]:
    return [
        [
            course(
                31,
                "Decisions per minute, by what was decided",
                "Each provider's choices. A provider that suddenly decides one thing only is broken or fed with old "
                "figures; one whose line ends does not answer.",
                [
                    (
                        f"{rate('tradebot_decisions_total', 'bot', 'provider', 'kind', where=OURS)} * 60",
                        "{{bot}} {{provider}} {{kind}}",
                    )
                ],
                unit="short",
                least=0,
            ),
            course(
                32,
                "Confidence",
                "Of the newest decision and the newest prediction, where the provider states one. It says how sure "
                "the provider is; whether it is right to be is told above.",
                [
                    (
                        f"max by (bot, provider) ({series('tradebot_decision_confidence_ratio', OURS)})",
                        "{{bot}} {{provider}} decision",
                    ),
                    (
                        f"max by (bot, provider, kind) ({series('tradebot_prediction_confidence_ratio', OURS)})",
                        "{{bot}} {{provider}} {{kind}}",
                    ),
                ],
                unit="percentunit",
                least=0,
            ),
            course(
                33,
                "Time to decide",
                "From asking to having a decision: the median, and what 95 of 100 stay below, for each provider.",
                [
                    (
                        quantile(0.5, "tradebot_decision_latency_seconds", "bot", "provider", where=OURS),
                        "{{bot}} {{provider}} median",
                    ),
                    (
                        quantile(0.95, "tradebot_decision_latency_seconds", "bot", "provider", where=OURS),
                        "{{bot}} {{provider}} p95",
                    ),
                ],
                unit="s",
                least=0,
            ),
        ],
    ]


def _price() -> Line:
    paid = increase("tradebot_decision_cost_total", "bot", "provider", "asset", where=OURS, window="1h")
    decided = increase("tradebot_decisions_total", "bot", "provider", where=OURS, window="1h")
    return [
        course(
            41,
            "Tokens per minute",
            "Sent to and received from language models. A step up is a prompt that grew: it costs at each decision.",
            [
                (
                    f"{rate('tradebot_decision_tokens_total', 'bot', 'provider', 'kind', where=OURS)} * 60",
                    "{{bot}} {{provider}} {{kind}}",
                )
            ],
            unit="short",
            least=0,
        ),
        course(
            42,
            "Cost per hour",
            "Paid for decisions at the pace of each interval, in the asset named.",
            [
                (
                    f"{rate('tradebot_decision_cost_total', 'bot', 'provider', 'asset', where=OURS)} * 3600",
                    "{{bot}} {{provider}} {{asset}}",
                )
            ],
            unit="short",
            least=0,
        ),
        course(
            43,
            "Cost of one decision, over an hour",
            "Mean price of a decision. Set it against what an average trade brings.",
            [
                (
                    f"{paid} / on (bot, provider) group_left () ({decided} > 0)",
                    "{{bot}} {{provider}} {{asset}}",
                )
            ],
            unit="short",
            least=0,
        ),
    ]


def _last() -> list[Line]:
    return [
        [
            activity(
                61,
                "Last decisions",
                "What was decided, how surely, and why in the provider's own words, which are text from outside: "
                "believe them as much as you believe the provider. A click opens the figures it was decided on.",
                f'{{service_name="deskwatch", {BOT}, kind="decisions"}} | type = "decision_made" '
                '| strategy =~ "$strategy" | provider =~ "$provider" '
                "| json action, confidence, reasoning, model "
                "| line_format `{{.bot}}  {{.action}} {{.symbol}}  by {{.provider}} {{.model}} "
                '{{if .confidence}}({{printf "%.2f" (float64 .confidence)}}){{end}}  {{.reasoning}}`',
            )
        ]
    ]
