"""Accounts on a chain: how long what they hold pays for gas, and what waits of theirs."""

from __future__ import annotations

from deskwatch.dashboards.counts import counts
from deskwatch.dashboards.layout import Line
from deskwatch.dashboards.panels import course
from deskwatch.dashboards.promql import increase, limit, series
from deskwatch.dashboards.tables import Column, Label, joined

_BURNT = increase("tradebot_gas_spent_total", "bot", "asset", window="6h")
_HELD = f"max by (bot, asset) ({series('bot_asset:tradebot_wallet_balance:sum')})"
_BY_WALLET = "max by (bot, chain, venue)"

_NATIVE = f"{_HELD} and {_BURNT}"
SECONDS_LEFT = f"{_HELD} / ({_BURNT} / (6 * 3600) > 0)"


def lines() -> list[Line]:
    """What the wallets hold, for how long it lasts, and whether their transactions get through."""
    return [
        [
            course(
                41,
                "Native balance",
                "What the wallet holds of the assets that gas was paid with in the last 6 hours. What lies at an "
                "exchange pays no gas, and is not in it.",
                [(_NATIVE, "{{bot}} {{asset}}")],
                unit="short",
                span=12,
                least=0,
            ),
            course(
                42,
                "Time until the wallet is empty",
                "The native balance over the pace of gas of the last 6 hours, 30 days at most. Below the dashed line "
                "BotWalletRunningDry warns. Nothing where no gas was spent.",
                [(f"clamp_max({SECONDS_LEFT}, 30 * 86400)", "{{bot}} {{asset}}")],
                limits=[limit("wallet_empty_seconds", "warns", tightest="max")],
                unit="s",
                span=12,
                least=0,
            ),
        ],
        [
            joined(
                43,
                "Wallets, newest",
                "Accounts that deskwatch watches on a chain, or that a bot tells of. `Pays for` counts transactions as "
                "the wallet's usual ones. What waits for long is a fee too low, or a nonce that nobody sent.",
                {"bot": Label(title="Bot"), "chain": Label(title="Chain"), "venue": Label(title="Wallet")},
                [
                    Column(title="Mined", expr=f"{_BY_WALLET} ({series('tradebot_wallet_nonce')})", unit="none"),
                    Column(
                        title="Waiting",
                        expr=f"{_BY_WALLET} ({series('tradebot_wallet_pending_transactions')})",
                        unit="none",
                        steps=((None, "green"), (1, "text"), (5, "orange")),
                    ),
                    Column(
                        title="Pays for",
                        expr=f"{_BY_WALLET} ({series('tradebot_wallet_transactions_left')})",
                        unit="short",
                        steps=((None, "red"), (20, "orange"), (100, "green")),
                    ),
                    Column(
                        title="Seen",
                        expr=f"time() - {_BY_WALLET} ({series('tradebot_wallet_timestamp_seconds')})",
                        unit="s",
                        steps=((None, "green"), (180, "orange"), (600, "red")),
                    ),
                ],
                sort_by="Pays for",
                falling=False,
                span=12,
            ),
            counts(
                44,
                "Waiting transactions of wallets",
                "As the node counts them, those that others sent from the same account among them. A line that never "
                "comes back to 0 is a stuck nonce: replace the oldest by one with a higher fee.",
                [(f"{_BY_WALLET} ({series('tradebot_wallet_pending_transactions')})", "{{bot}} {{chain}} {{venue}}")],
                span=12,
            ).height(8),
        ],
    ]
