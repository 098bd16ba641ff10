"""How right predictions were: scores, calibration, and how far predicted values were off."""

from __future__ import annotations

from deskwatch.dashboards.calibration import calibration
from deskwatch.dashboards.layout import Line
from deskwatch.dashboards.panels import course
from deskwatch.dashboards.promql import increase, quantile, rate, series
from deskwatch.dashboards.variables import BOT, PROVIDER, STRATEGY, matching

OURS = matching(BOT, STRATEGY, PROVIDER)
RESOLVED = "tradebot_predictions_resolved_total"
ERROR = "tradebot_prediction_squared_error_total"
BASE_ERROR = "tradebot_prediction_base_squared_error_total"
COIN = 0.25
"""Brier score of whoever says 0.5 to everything."""


def lines() -> list[Line]:
    """Yes-or-no predictions against what happened."""
    by = ("bot", "provider", "kind")
    said = increase("tradebot_prediction_resolved_probability_ratio_sum", *by, where=OURS, window="1h")
    resolved = increase(RESOLVED, *by, where=OURS, window="1h")
    return [
        [
            calibration(11, OURS),
            course(
                12,
                "Brier score, over an hour",
                "0 is perfect; the dashed line at 0.25 is a coin. A line that climbs means that the market is no more "
                "what the model learned: train it anew, or turn it off.",
                [
                    (
                        f"{increase(ERROR, *by, where=OURS, window='1h')} / ({resolved} > 0)",
                        "{{bot}} {{provider}} {{kind}}",
                    ),
                ],
                unit="none",
                steps=((None, "green"), (COIN, "red")),
                least=0,
            ),
            course(
                13,
                "Skill against the base rate, over an hour",
                "Above 0 the provider beats the rate at which the target had happened before; below 0 it loses "
                "against it. BotPredictionsMiscalibrated warns of the latter when it lasts.",
                [
                    (
                        (
                            f"1 - {increase(ERROR, *by, where=OURS, window='1h')} / "
                            f"({increase(BASE_ERROR, *by, where=OURS, window='1h')} > 0)"
                        ),
                        "{{bot}} {{provider}} {{kind}}",
                    ),
                ],
                unit="percentunit",
                steps=((None, "red"), (0, "green")),
            ),
        ],
        [
            course(
                14,
                "Said and happened, over an hour",
                "Mean probability that was given, and the part that came true. Where the first is above the second, "
                "the provider is too sure of itself: discount what it says.",
                [
                    (
                        f"{said} / ({resolved} > 0)",
                        "{{bot}} {{provider}} {{kind}} said",
                    ),
                    (
                        (
                            f"{increase('tradebot_predictions_occurred_total', *by, where=OURS, window='1h')}"
                            f" / ({resolved} > 0)"
                        ),
                        "{{bot}} {{provider}} {{kind}} happened",
                    ),
                ],
                unit="percentunit",
                least=0,
            ),
            course(
                15,
                "Predictions per minute",
                "Made, and resolved. If fewer are resolved than made for long, the bot does not find out how they "
                "ended, and the scores above are of a part only.",
                [
                    (
                        f"{rate('tradebot_predictions_total', *by, where=OURS)} * 60",
                        "{{bot}} {{provider}} {{kind}} made",
                    ),
                    (f"{rate(RESOLVED, *by, where=OURS)} * 60", "{{bot}} {{provider}} {{kind}} resolved"),
                ],
                unit="short",
                least=0,
            ),
            course(
                16,
                "Time to predict",
                "From asking to having a prediction: the median, and what 95 of 100 stay below. A service that slows "
                "down is often one that is about to fail.",
                [
                    (
                        quantile(0.5, "tradebot_prediction_latency_seconds", "bot", "provider", where=OURS),
                        "{{bot}} {{provider}} median",
                    ),
                    (
                        quantile(0.95, "tradebot_prediction_latency_seconds", "bot", "provider", where=OURS),
                        "{{bot}} {{provider}} p95",
                    ),
                ],
                unit="s",
                least=0,
            ),
        ],
    ]


def values() -> Line:
    """Signals, and predictions of numbers."""
    error = "tradebot_prediction_error_ratio"
    return [
        course(
            51,
            "Signals per minute",
            "Signals that strategies or feeds raised, by name and side.",
            [
                (
                    f"{rate('tradebot_signals_total', 'bot', 'provider', 'kind', 'side', where=OURS)} * 60",
                    "{{bot}} {{provider}} {{kind}} {{side}}",
                )
            ],
            unit="short",
            least=0,
        ),
        course(
            52,
            "Strength of the newest signal",
            "0 to 1, as the one who raised it said.",
            [
                (
                    f"max by (bot, provider, kind, side) ({series('tradebot_signal_strength_ratio', OURS)})",
                    "{{bot}} {{provider}} {{kind}} {{side}}",
                )
            ],
            unit="percentunit",
            least=0,
        ),
        course(
            53,
            "Error of predicted values",
            "How far predicted numbers (prices, say) were from those that came, as a part of these: the median, and "
            "what 95 of 100 stay below. An error above the spread that is traded makes the prediction useless.",
            [
                (quantile(0.5, error, "bot", "provider", "kind", where=OURS), "{{bot}} {{provider}} {{kind}} median"),
                (quantile(0.95, error, "bot", "provider", "kind", where=OURS), "{{bot}} {{provider}} {{kind}} p95"),
            ],
            unit="percentunit",
            least=0,
        ),
    ]
