"""What a chain does with the bots' transactions, and whether they see its newest block."""

from __future__ import annotations

from deskwatch.dashboards.counts import counts
from deskwatch.dashboards.layout import Line
from deskwatch.dashboards.lines import activity
from deskwatch.dashboards.panels import course
from deskwatch.dashboards.promql import grown, increase, limit, or_none, or_zero, quantile, rate, series
from deskwatch.dashboards.variables import BOT

_CONFIRMED = increase("tradebot_transactions_confirmed_total", "bot", "chain", window="1h")
REVERTED = increase("tradebot_transactions_reverted_total", "bot", "chain", window="1h")
MINED = f"({_CONFIRMED} + {or_zero(REVERTED, _CONFIRMED)})"
REVERT_RATIO = (
    f"max by (bot, chain) ({series('bot_chain:tradebot_transactions_reverted_per_mined:ratio_increase30m')})"
    f" or max by (bot, chain) ({series('tradebot_transactions_pending')}) * 0"
)
_HEADS = f"max by (bot, chain) ({series('tradebot_head_block')})"
HEAD_AGE = f"(time() - {series('tradebot_head_block_seen_timestamp_seconds')})"


def lines() -> list[Line]:
    """What becomes of transactions."""
    sent = rate("tradebot_transactions_sent_total", "bot", "chain")
    return [
        [
            course(
                21,
                "Sent, confirmed, reverted per minute",
                "Sent runs ahead of the other two by what is pending. If it stays ahead, transactions are not mined: "
                "look at the fee offered and at the node.",
                [
                    (f"{sent} * 60", "{{bot}} {{chain}} sent"),
                    (
                        f"{rate('tradebot_transactions_confirmed_total', 'bot', 'chain')} * 60",
                        "{{bot}} {{chain}} confirmed",
                    ),
                    (
                        f"{or_zero(rate('tradebot_transactions_reverted_total', 'bot', 'chain'), sent)} * 60",
                        "{{bot}} {{chain}} reverted",
                    ),
                ],
                unit="short",
                least=0,
            ),
            course(
                22,
                "Reverted of mined, over 30 minutes",
                "Above the dashed line BotTransactionsReverting warns. Many reverts with the same reason are a "
                "wrong setting (slippage, deadline) or a rival that is faster.",
                [(REVERT_RATIO, "{{bot}} {{chain}}")],
                limits=[limit("revert_ratio", "warns")],
                unit="percentunit",
                least=0,
            ),
            counts(
                23,
                "Reverts by reason",
                "Transactions of the bots chosen that were mined and failed in each interval, by the reason that the "
                "bot made out.",
                [
                    (
                        or_none(
                            grown("tradebot_transactions_reverted_total", "reason"),
                            series("tradebot_transactions_pending"),
                            "reason",
                        ),
                        "{{reason}}",
                    )
                ],
            ),
        ],
        [
            course(
                24,
                "Inclusion time",
                "From sending to being mined: the median, and what 95 of 100 stay below. Steps of the block time are "
                "normal; several blocks are too low a fee.",
                [
                    (
                        quantile(0.5, "tradebot_transaction_inclusion_seconds", "bot", "chain"),
                        "{{bot}} {{chain}} median",
                    ),
                    (quantile(0.95, "tradebot_transaction_inclusion_seconds", "bot", "chain"), "{{bot}} {{chain}} p95"),
                ],
                unit="s",
                least=0,
            ),
            counts(
                25,
                "Pending",
                "Sent, and neither mined nor replaced. A line that never comes back to 0 is a stuck nonce: replace the "
                "oldest transaction by one with a higher fee.",
                [(f"max by (bot, chain) ({series('tradebot_transactions_pending')})", "{{bot}} {{chain}}")],
            ),
            course(
                26,
                "Sent per minute, by purpose",
                "Which kinds of transactions the bot sends. Approvals in a loop are a fault in the bot.",
                [
                    (
                        f"{rate('tradebot_transactions_sent_total', 'bot', 'kind')} * 60",
                        "{{bot}} {{kind}}",
                    )
                ],
                unit="short",
                least=0,
            ),
        ],
        [
            activity(
                27,
                "Transactions",
                "Each transaction as journaled: sent, confirmed, reverted, with hash, block and cost. A click opens "
                "its fields; the hash leads on in a block explorer.",
                f'{{service_name="deskwatch", {BOT}, kind="chain"}} | type =~ "transaction_.+" '
                "| json | line_format `{{.bot}}  {{.type}}  {{.purpose}} {{.reason}} {{.message}} {{.gas_cost}} "
                "{{.asset}}  {{if .block}}block {{.block}}{{end}}  {{trunc 12 .transaction}}`",
            ),
        ],
    ]


def head() -> Line:
    """The newest block, as the bots see it."""
    return [
        course(
            31,
            "Age of the head",
            "Time since the bot saw its newest block. It saws up to the block time; a ramp is a node or a subscription "
            "that hangs.",
            [(f"max by (bot, chain) ({HEAD_AGE})", "{{bot}} {{chain}}")],
            unit="s",
            span=6,
            least=0,
        ),
        course(
            32,
            "Block seen after its own time",
            "How much later than its own timestamp the bot saw the newest block. Seconds are the node's lag or a clock "
            "that is wrong.",
            [
                (
                    (
                        f"max by (bot, chain) ({series('tradebot_head_block_seen_timestamp_seconds')}"
                        f" - {series('tradebot_head_block_timestamp_seconds')})"
                    ),
                    "{{bot}} {{chain}}",
                )
            ],
            unit="s",
            span=6,
            least=0,
        ),
        course(
            33,
            "Fullness of the newest block",
            "Gas used of the gas allowed. Blocks that stay above one half make the base fee rise, by up to 12.5 % "
            "each.",
            [(f"max by (bot, chain) ({series('tradebot_head_block_fullness_ratio')})", "{{bot}} {{chain}}")],
            unit="percentunit",
            span=6,
            steps=((None, "green"), (0.5, "orange")),
            least=0,
        ),
        counts(
            34,
            "Blocks left in reorgs",
            "Blocks in each interval that the chain left for others. What was mined in them may be gone: a bot that "
            "acts on the newest block waits for more of them where this is not 0.",
            [(or_zero(grown("tradebot_chain_left_blocks_total", "bot", "chain"), _HEADS), "{{bot}} {{chain}}")],
            span=6,
        ),
    ]
