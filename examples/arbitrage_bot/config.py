"""What the bot is told: the command line, and the figures it trades by."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The figures the bot trades by. Money is in whole units of the quote token."""

    max_size: float = 20_000.0
    """Most that is put into one arbitrage."""
    min_profit: float = 2.0
    """Expected profit after fees and gas below which a spread is left alone."""
    min_probability: float = 0.5
    """What the model must give the spread, once it is trusted."""
    warm_up: int = 25
    """Resolved predictions before the model decides; until then a rule does."""
    buy_tolerance_ratio: float = 0.002
    """How much less than quoted the first leg may bring before it reverts."""
    sell_tolerance_ratio: float = 0.003
    """The same for the second leg; each further attempt allows as much again."""
    patience_blocks: int = 4
    """How long a position at a loss is held in the hope of a better price."""
    tip_gwei: float = 0.3
    """For the miner, per unit of gas."""
    swap_gas: int = 160_000
    """Gas offered for a swap. Given outright: a swap that would fail is mined and told, not refused by an estimate."""
    deadline_seconds: int = 30
    """After which a swap that was not mined reverts."""
    poll_seconds: float = 0.2
    """Pause between looks at the chain."""
    stop_seconds: float = 10.0
    """How long a stop waits for transactions on their way."""
    min_native: float = 0.5
    """Native coin below which an alert is raised: gas is running out."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """The command line."""

    bot: str
    rpc: str | None
    deployment: Path
    home: Path | None
    state: Path
    rules_file: Path
    rules: Rules


def options(given: list[str] | None = None) -> Options:
    """Parse the command line; each option may also come from the environment (`ARBITRAGE_BOT_RPC` …)."""
    parser = argparse.ArgumentParser(prog="python -m arbitrage_bot", description="Arbitrage between two pools.")

    def add(name: str, meaning: str, *, kind: type = str, default: object = None) -> None:
        value = os.environ.get(f"ARBITRAGE_BOT_{name.upper().replace('-', '_')}", default)
        parser.add_argument(f"--{name}", type=kind, default=value, help=meaning)

    add("bot", "name in the journal (default: %(default)s)", default="arb-1")
    add("rpc", "JSON-RPC endpoint (default: the deployment's own)")
    add("deployment", "the chain's ready file (default: %(default)s)", kind=Path, default="deployment.json")
    add("home", "folder of the journals (default: DESKWATCH_HOME, else .deskwatch)", kind=Path)
    add("state", "where open positions and transactions are kept (default: beside the deployment)", kind=Path)
    add("rules", "JSON file of figures that may change while it runs (default: beside the deployment)", kind=Path)
    add("max-size", "most USDC in one arbitrage (default: %(default)s)", kind=float, default=Rules.max_size)
    add("min-profit", "least expected profit in USDC (default: %(default)s)", kind=float, default=Rules.min_profit)
    parsed = parser.parse_args(given)
    return Options(
        bot=parsed.bot,
        rpc=parsed.rpc,
        deployment=parsed.deployment,
        home=parsed.home,
        state=parsed.state or parsed.deployment.with_name(f"{parsed.bot}.state.json"),
        rules_file=parsed.rules or parsed.deployment.with_name(f"{parsed.bot}.rules.json"),
        rules=Rules(max_size=parsed.max_size, min_profit=parsed.min_profit),
    )
