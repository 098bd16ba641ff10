"""What traders and those who run bots ask, and the PromQL that answers: ratios are left to PromQL on purpose."""

from __future__ import annotations

from typing import NamedTuple


class Question(NamedTuple):
    """A question, and its answer."""

    asks: str
    promql: str


_CONFIRMED = "sum by (bot) (increase(tradebot_transactions_confirmed_total[1h]))"
_REVERTED = "sum by (bot) (increase(tradebot_transactions_reverted_total[1h]))"
QUESTIONS = (
    Question(
        "Which part of its trades did a bot win this week?",
        "sum by (bot) (increase(tradebot_trades_won_total[7d]))"
        " / sum by (bot) (increase(tradebot_trades_closed_total[7d]))",
    ),
    Question(
        "What is its profit factor (profit over loss; above 1 it earns)?",
        "sum by (bot, asset) (increase(tradebot_profit_total[7d]))"
        " / sum by (bot, asset) (increase(tradebot_loss_total[7d]))",
    ),
    Question(
        "What did it earn today, in each asset?",
        "sum by (bot, asset) (increase(tradebot_profit_total[1d]))"
        " - sum by (bot, asset) (increase(tradebot_loss_total[1d]))",
    ),
    Question(
        "What does an average trade bring?",
        "(sum by (bot, asset) (increase(tradebot_profit_total[7d]))"
        " - sum by (bot, asset) (increase(tradebot_loss_total[7d])))"
        " / on (bot) group_left () sum by (bot) (increase(tradebot_trades_closed_total[7d]))",
    ),
    Question("How deep is it below its peak?", "max by (bot, asset) (tradebot_drawdown_ratio)"),
    Question(
        "Which part of its orders is filled?",
        "sum by (bot) (rate(tradebot_orders_filled_total[1h]))"
        " / sum by (bot) (rate(tradebot_orders_submitted_total[1h]))",
    ),
    Question("Why do orders fail?", "sum by (bot, reason) (increase(tradebot_orders_failed_total[1h])) > 0"),
    Question(
        "From submitting to filling, which time do 99 of 100 orders keep?",
        "histogram_quantile(0.99, sum by (le, bot) (rate(tradebot_order_latency_seconds_bucket[1h])))",
    ),
    Question(
        "Which part of the orders is filled within half a second?",
        'sum by (bot) (rate(tradebot_order_latency_seconds_bucket{le="0.5"}[1h]))'
        " / sum by (bot) (rate(tradebot_order_latency_seconds_count[1h]))",
    ),
    Question(
        "What do slippage and fees cost, as a part of what is traded? (Fees in another asset are not in it.)",
        "(sum by (bot, asset) (increase(tradebot_slippage_lost_total[1d]))"
        " - sum by (bot, asset) (increase(tradebot_slippage_gained_total[1d]))"
        " + (sum by (bot, asset) (increase(tradebot_fees_total[1d]))"
        " or sum by (bot, asset) (increase(tradebot_volume_total[1d])) * 0))"
        " / sum by (bot, asset) (increase(tradebot_volume_total[1d]))",
    ),
    Question(
        "Which part of the opportunities does it take?",
        "sum by (bot) (increase(tradebot_opportunities_taken_total[1d]))"
        " / sum by (bot) (increase(tradebot_opportunities_found_total[1d]))",
    ),
    Question(
        "Brier score of each provider's predictions (0 is perfect, 0.25 a coin)?",
        "sum by (provider) (increase(tradebot_prediction_squared_error_total[7d]))"
        " / sum by (provider) (increase(tradebot_predictions_resolved_total[7d]))",
    ),
    Question(
        "Is a provider better than the base rate (Brier skill score; above 0 it is)?"
        " (It holds where all its resolved predictions have a `base_rate`.)",
        "1 - sum by (provider) (increase(tradebot_prediction_squared_error_total[7d]))"
        " / sum by (provider) (increase(tradebot_prediction_base_squared_error_total[7d]))",
    ),
    Question(
        "Is it calibrated: of what was given at most 0.2, which part came true? (Likewise for other bounds.)",
        'sum by (provider) (increase(tradebot_prediction_occurred_probability_ratio_bucket{le="0.2"}[7d]))'
        ' / sum by (provider) (increase(tradebot_prediction_resolved_probability_ratio_bucket{le="0.2"}[7d]))',
    ),
    Question(
        "What does a decision cost?",
        "sum by (provider, asset) (increase(tradebot_decision_cost_total[1d]))"
        " / on (provider) group_left () sum by (provider) (increase(tradebot_decisions_total[1d]))",
    ),
    Question(
        "What did positions get from funding, less what they paid?",
        "sum by (bot, asset) (increase(tradebot_funding_received_total[1d]))"
        " - sum by (bot, asset) (increase(tradebot_funding_paid_total[1d]))",
    ),
    Question(
        "What would a year of the present funding rates bring, as a part of what is held?",
        "tradebot_funding_rate_ratio * (365 * 24 * 3600 / tradebot_funding_interval_seconds)",
    ),
    Question(
        "Which part of the transactions is reverted?",
        f"({_REVERTED} or {_CONFIRMED} * 0) / ({_CONFIRMED} + ({_REVERTED} or {_CONFIRMED} * 0))",
    ),
    Question(
        "What does gas cost for each closed trade?",
        "sum by (bot, asset) (increase(tradebot_gas_spent_total[1d]))"
        " / on (bot) group_left () sum by (bot) (increase(tradebot_trades_closed_total[1d]))",
    ),
    Question(
        "Which part of the requests to a venue fails?",
        "sum by (bot, venue) (rate(tradebot_request_failures_total[5m]))"
        " / sum by (bot, venue) (rate(tradebot_requests_total[5m]))",
    ),
    Question(
        "How often does a cache have what is asked of it?",
        "rate(tradebot_resource_hits_total[5m])"
        " / (rate(tradebot_resource_hits_total[5m]) + rate(tradebot_resource_misses_total[5m]))",
    ),
    Question("Is the bot silent?", "time() - tradebot_last_event_timestamp_seconds > 30"),
    Question("Is what it knows of prices old?", "time() - max by (bot, venue) (tradebot_price_timestamp_seconds) > 60"),
    Question(
        "Does the sidecar not keep up?",
        'deskwatch_backlog_bytes{kind="feed"} > 0 and deriv(deskwatch_backlog_bytes{kind="feed"}[5m]) > 0',
    ),
)
