"""Gas and chain: what gas costs and eats, what becomes of transactions, and whether the wallet can pay for more."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from deskwatch.dashboards import transactions, wallets
from deskwatch.dashboards.counts import total
from deskwatch.dashboards.frame import frame
from deskwatch.dashboards.layout import Line, section
from deskwatch.dashboards.panels import course, figure
from deskwatch.dashboards.promql import increase, limit, quantile, rate, series
from deskwatch.dashboards.tables import Column, Label, joined
from deskwatch.dashboards.transactions import HEAD_AGE, MINED, REVERT_RATIO

_GWEI = 1e-9
_USUAL = series("bot_chain:tradebot_gas_price_wei:median6h")
_NOW = series("bot_chain:tradebot_gas_price_wei:avg5m")
_GAS_OF_PROFIT = (
    f"{series('bot_asset:tradebot_gas_spent_quote:increase6h')}"
    f" / ({series('bot_asset:tradebot_gross_profit:increase6h')} > 0)"
)
_GAS = rate("tradebot_gas_spent_quote_total", "bot", "asset")

_USUAL_STEPS = ((None, "green"), (2, "orange"), (3, "red"))
_REVERT_STEPS = ((None, "green"), (0.05, "orange"), (0.20, "red"))
_PROFIT_STEPS = ((None, "green"), (0.25, "orange"), (0.50, "red"))
_EMPTY_STEPS = ((None, "text"), (0, "red"), (86_400, "orange"), (3 * 86_400, "green"))
_HEAD_STEPS = ((None, "green"), (30, "orange"), (120, "red"))


def chain() -> Dashboard:
    """The dashboard."""
    dashboard = frame(
        "chain",
        "Gas and chain",
        "For whoever runs bots on a chain: what gas costs and eats, why transactions fail, whether the node is up to "
        "date, and how long the wallet lasts.",
    )
    section(dashboard, 100, "Now", _now())
    section(dashboard, 200, "Gas", *_gas())
    section(dashboard, 300, "Transactions", *transactions.lines())
    section(dashboard, 400, "Wallets", *wallets.lines())
    section(dashboard, 500, "Head of the chain", transactions.head())
    section(dashboard, 600, "Contracts", _contracts())
    return dashboard


def _now() -> Line:
    return [
        figure(
            1,
            "Gas, of usual",
            "What a unit of gas costs over 5 minutes, as a part of the median of 6 hours; 100 % is usual. From three "
            "times on, trades with a thin margin lose money: see that the bot counts gas before it trades.",
            (f"max({_NOW} / {_USUAL})", "of usual"),
            unit="percentunit",
            steps=_USUAL_STEPS,
        ),
        figure(
            2,
            "Gas of profit",
            "What gas took of the gross profit of the last 6 hours, for the bot that it takes most from. Above half, "
            "raise the least profit that the bot trades for.",
            (f"max({_GAS_OF_PROFIT})", "of profit"),
            unit="percentunit",
            steps=_PROFIT_STEPS,
            no_value="no profit",
        ),
        figure(
            3,
            "Reverted",
            "Transactions that were mined and failed, of all mined in the last 30 minutes, for the bot with most. "
            "Each paid gas for nothing; the reasons are below.",
            (f"max({REVERT_RATIO})", "reverted"),
            unit="percentunit",
            steps=_REVERT_STEPS,
            no_value="none mined",
        ),
        figure(
            4,
            "Wallet empty in",
            "How long the native balance lasts at the pace of gas of the last 6 hours, for the wallet that is empty "
            "first. Refill it before a day is left: without gas the bot can't even close.",
            (f"min({wallets.SECONDS_LEFT})", "left"),
            unit="s",
            steps=_EMPTY_STEPS,
            no_value="no gas spent",
        ),
        figure(
            5,
            "Pending",
            "Transactions that were sent and are neither mined nor replaced. If it only grows, the fee offered is too "
            "low, or a nonce is stuck.",
            (f"sum({series('tradebot_transactions_pending')}) or vector(0)", "pending"),
            unit="none",
        ),
        figure(
            6,
            "Head seen",
            "Age of the newest block that the bot saw, on the chain that is furthest behind. An old head means a node "
            "that hangs: the bot then acts on prices of the past.",
            (f"max({HEAD_AGE})", "age"),
            unit="s",
            steps=_HEAD_STEPS,
        ),
        total(
            7,
            "Included in, p95",
            "How long 95 of 100 transactions of the last hour took from being sent to being mined. If it is longer "
            "than opportunities last, offer a higher tip.",
            (quantile(0.95, "tradebot_transaction_inclusion_seconds", window="1h"), "p95"),
            unit="s",
            no_value="none mined",
        ),
        total(
            8,
            "Mined, an hour",
            "Transactions that were mined in the last hour, those that reverted among them.",
            (f"sum({MINED}) or vector(0)", "mined"),
            unit="none",
        ),
    ]


def _gas() -> list[Line]:
    return [
        [
            course(
                11,
                "Gas price against its usual level (gwei)",
                "Over 5 minutes, against the median of 6 hours and the multiple of it that BotGasPriceHigh warns from. "
                "A short peak passes; a new level asks for another setting of the bot.",
                [
                    (f"max by (bot, chain) ({_NOW}) * {_GWEI}", "{{bot}} {{chain}} now"),
                    (f"max by (bot, chain) ({_USUAL}) * {_GWEI}", "{{bot}} {{chain}} usual"),
                ],
                limits=[
                    (
                        (
                            f"max by (bot, chain) ({_USUAL}) * {_GWEI} * on (bot) group_left () "
                            f"max by (bot) ({series('bot:gas_price_multiple:threshold')})"
                        ),
                        "{{bot}} {{chain}} warns",
                    ),
                ],
                unit="short",
            ),
            course(
                12,
                "Base fee, tip and price paid (gwei)",
                "What the newest block asks, the tip that is usual, and what the newest mined transaction paid. Paying "
                "far above base fee and tip buys nothing: lower the tip that the bot offers.",
                [
                    (
                        f"max by (bot, chain) ({series('tradebot_base_fee_wei')}) * {_GWEI}",
                        "{{bot}} {{chain}} base fee",
                    ),
                    (f"max by (bot, chain) ({series('tradebot_priority_fee_wei')}) * {_GWEI}", "{{bot}} {{chain}} tip"),
                    (
                        f"max by (bot, chain) ({series('tradebot_gas_price_paid_wei')}) * {_GWEI}",
                        "{{bot}} {{chain}} paid",
                    ),
                ],
                unit="short",
            ),
            course(
                13,
                "Gas of profit, over 6 hours",
                "What gas took of the gross profit of 6 hours, where gas is told in the asset of the profit. "
                "At the dashed line BotGasEatsProfit warns. Nothing where there was no profit.",
                [(_GAS_OF_PROFIT, "{{bot}} {{asset}}")],
                limits=[limit("gas_per_profit_ratio", "warns")],
                unit="percentunit",
                least=0,
            ),
        ],
        [
            course(
                14,
                "Gas spent per hour",
                "Paid for gas at the pace of each interval, in the chain's native asset. Reverted transactions pay "
                "too.",
                [
                    (
                        f"{rate('tradebot_gas_spent_total', 'bot', 'chain', 'asset')} * 3600",
                        "{{bot}} {{chain}} {{asset}}",
                    )
                ],
                unit="short",
                least=0,
            ),
            course(
                15,
                "Gas and profit per hour",
                "In the asset that the bot is judged in, where it tells what gas cost in it. Gas above profit is work "
                "for the validators.",
                [
                    (
                        f"{_GAS} * 3600",
                        "{{bot}} gas {{asset}}",
                    ),
                    (
                        f"{rate('tradebot_profit_total', 'bot', 'asset')} * 3600 and on (bot, asset) {_GAS}",
                        "{{bot}} profit {{asset}}",
                    ),
                ],
                unit="short",
                least=0,
            ),
            course(
                16,
                "Units of gas per transaction",
                "Gas used for each mined transaction, on average over an hour. A step up after a deployment is a "
                "contract that does more than before, or reverts late.",
                [
                    (
                        (f"{increase('tradebot_gas_used_total', 'bot', 'chain', window='1h')} / ({MINED} > 0)"),
                        "{{bot}} {{chain}}",
                    )
                ],
                unit="short",
                least=0,
            ),
        ],
    ]


def _contracts() -> Line:
    return [
        course(
            51,
            "Contract readings",
            "What view calls answered, where it is a number. Each has a scale of its own: pick one in the legend.",
            [(f"max by (bot, chain, kind) ({series('tradebot_contract_value')})", "{{bot}} {{chain}} {{kind}}")],
            unit="short",
            span=12,
        ),
        joined(
            52,
            "Contract readings, newest",
            "The newest answer of each view call and how long ago it came. An old one is a call that fails: see the "
            "bot's errors.",
            {"bot": Label(title="Bot"), "chain": Label(title="Chain"), "kind": Label(title="What is read")},
            [
                Column(
                    title="Value",
                    expr=f"max by (bot, chain, kind) ({series('tradebot_contract_value')})",
                    unit="short",
                ),
                Column(
                    title="Age",
                    expr=f"time() - max by (bot, chain, kind) ({series('tradebot_contract_timestamp_seconds')})",
                    unit="s",
                    steps=((None, "green"), (60, "orange"), (600, "red")),
                ),
            ],
            sort_by="Age",
            span=12,
        ),
    ]
