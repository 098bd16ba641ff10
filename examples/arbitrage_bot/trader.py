"""One look at the chain and what follows from it: settle what was mined, then close, open or wait."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from web3 import Web3

from arbitrage_bot.accounting import Accounts, Position
from arbitrage_bot.approval import Approvals
from arbitrage_bot.closing import Closings
from arbitrage_bot.config import Rules
from arbitrage_bot.decision import decide
from arbitrage_bot.deployment import Deployment
from arbitrage_bot.forecast import Forecast, Forecaster
from arbitrage_bot.market import Market, View
from arbitrage_bot.opportunity import Opportunities, Opportunity
from arbitrage_bot.orders import Desk, Fill, Order
from arbitrage_bot.state import State
from arbitrage_bot.strategy import Spread, amount_in, find_spread
from arbitrage_bot.wallet import WEI, Landed, Wallet
from deskwatch import Mode, Recorder

logger = logging.getLogger(__name__)

TYPICAL_SWAP_GAS = 80_000
"""What a swap on our pools uses: measured 74,000 to 77,000."""
MAX_TOLERANCE_RATIO = 0.03
"""How much worse than quoted a sale may be, at most."""


class ChainReplaced(Exception):
    """The chain is another one, or went back: everything known of it is void."""


@dataclass
class Trade:
    """What belongs to the order that is on its way, beyond the order itself."""

    opportunity: Opportunity | None = None
    forecast: Forecast | None = None
    exit_reason: str = "arbitrage"


class Trader:
    """Trades one pair on one chain with one account. `open` first, then `tick` again and again."""

    def __init__(
        self,
        w3: Web3,
        deployment: Deployment,
        recorder: Recorder,
        rules: Rules,
        forecaster: Forecaster,
        keep: Callable[[State], None],
    ) -> None:
        self._recorder = recorder
        self._rules = rules
        self._deployment = deployment
        self._keep = keep
        self.market = Market(w3, deployment, recorder)
        self.wallet = Wallet(w3, deployment, recorder, int(rules.tip_gwei * 1e9))
        self.accounts = Accounts(w3, self.wallet, deployment, recorder, rules)
        self.forecaster = forecaster
        self.closings = Closings()
        self._desk = Desk(self.market.venues, self.wallet, deployment, recorder, rules)
        self._approvals = Approvals(w3, self.wallet, deployment, self.market.venues)
        self._opportunities = Opportunities(self.market.venues, deployment, recorder)
        self._order: Order | None = None
        self._trade = Trade()
        self._view: View | None = None
        self.genesis = ""

    def open(self, genesis: str, kept: State | None) -> None:
        """Go on where an earlier run ended, unless that was on another chain.

        Args:
            genesis: Hash of this chain's first block.
            kept: What the earlier run kept.
        """
        self.genesis = genesis
        if kept is not None and kept.genesis != genesis:
            if kept.order is not None:
                self._desk.void(kept.order)
            if kept.position is not None:
                self.accounts.void(kept.position)
        state = kept if kept is not None and kept.genesis == genesis else State(genesis=genesis)
        self.market.open()
        self.wallet.open(state.pending)
        self._order, self.accounts.position = state.order, state.position
        transaction = state.order.transaction if state.order else None
        if state.order is not None and transaction is not None and transaction.hash not in self.wallet.pending:
            self._order = state.order if self._desk.resume(state.order) else None
            self._remember()

    @property
    def is_sending(self) -> bool:
        """Whether an order is on its way: a transaction that nothing can take back."""
        return self._order is not None

    def use(self, rules: Rules) -> None:
        """Trade by other figures from the next look at the chain on."""
        self._rules = rules

    @property
    def busy(self) -> bool:
        """Whether an order is on its way or a position is open."""
        return self._order is not None or self.accounts.position is not None

    def tick(self) -> None:
        """Look at the chain once.

        Raises:
            Unreachable: The node did not answer; the next tick goes on where this one stopped.
            ChainReplaced: The chain went back.
        """
        head = self.market.head()
        seen = -1 if self._view is None else self._view.block
        if head < seen:
            raise ChainReplaced(f"the newest block was {seen}, now it is {head}")
        if head == seen:
            return
        landed = self.settle()
        view = self.market.look(head)
        self.forecaster.watch(view)
        held = self.accounts.observe(view, changed=bool(landed))
        self._view = view
        self._act(view, held.quote)

    def settle(self) -> list[Landed]:
        """Take in what was mined."""
        landed = self.wallet.poll()
        for each in landed:
            order = self._order
            if order is not None and order.transaction is not None and each.pending.hash == order.transaction.hash:
                self._order = None
                fill = self._desk.settle(order, each)
                if order.side == "buy":
                    self._bought(order, fill)
                else:
                    self._sold(order, fill, each)
        if landed:
            self._remember()
        return landed

    def _act(self, view: View, quote: int) -> None:
        mode = self._recorder.mode
        if mode is Mode.HALTED:
            self.closings.fail("the bot is halted: it sends nothing")
            return
        if self._order is not None or self.wallet.pending:
            return
        position = self.accounts.position
        if position is not None:
            self._consider_exit(position, view, mode)
            return
        if mode is Mode.CLOSING:
            mode = self._recorder.set_mode(Mode.STANDBY, reason="flat")
        self._consider_entry(view, mode, quote)

    def _consider_entry(self, view: View, mode: Mode, quote: int) -> None:
        unit = 10**self._deployment.quote.decimals
        spread = find_spread(*view.pools, min(int(self._rules.max_size * unit), quote))
        gas = 2 * self._swap_gas_quote(view)
        if spread is not None and spread.profit <= gas:
            spread = None
        expected = (spread.profit - gas) / unit if spread else 0.0
        opportunity = self._opportunities.see(view.block, spread, expected)
        if spread is None or opportunity is None:
            return
        least = self._least_bought(view, spread, gas)
        forecast = self.forecaster.predict(view, spread, least, gas, opportunity)
        if mode is not Mode.ACTIVE:
            opportunity.skipped = mode.value
            return
        if not self._approvals.complete:
            self._approvals.ask(view)
            opportunity.skipped = "approving"
            if not self._approvals.complete:
                return
        decision = decide(
            self._recorder,
            self._rules,
            symbol=self._deployment.symbol,
            opportunity=opportunity,
            forecast=forecast,
            trusted=self.forecaster.model.seen >= self._rules.warm_up,
            expected_profit=expected,
        )
        if not decision.take:
            opportunity.skipped = decision.reason
            return
        order = self._desk.draft("buy", spread.cheap, spread.size, spread.bought, least, opportunity.trace)
        if self._submit(order, view, cause=decision.decision_id, decided_at=decision.decided_at):
            forecast.taken = True
            self._trade = Trade(opportunity, forecast)
            self._opportunities.taken()
        else:
            opportunity.skipped = "refused"

    def _consider_exit(self, position: Position, view: View, mode: Mode) -> None:
        quotes = [pool.sell(position.base) for pool in view.pools]
        venue = quotes.index(max(quotes))
        expected = quotes[venue]
        gas_so_far = int(position.gas_wei * self._quote_per_wei())
        break_even = position.cost + gas_so_far + self._swap_gas_quote(view)
        tolerance = min(self._rules.sell_tolerance_ratio * (position.attempts + 1), MAX_TOLERANCE_RATIO)
        least = int(expected * (1 - tolerance))
        command = self.closings.first
        if command is not None:
            reason, cause = command.type, command.id
        elif mode is Mode.CLOSING:
            reason, cause = "closing", position.position_id
        elif expected > break_even:
            reason, cause = "arbitrage", position.position_id
            least = max(least, break_even)
        elif view.block - position.opened_block >= self._rules.patience_blocks:
            reason, cause = "patience", position.position_id
        else:
            return
        order = self._desk.draft("sell", venue, position.base, expected, least, position.trace)
        self._trade.exit_reason = reason
        if not self._submit(order, view, cause=cause):
            self.closings.failed_attempt("the node refused the sale")

    def _submit(self, order: Order, view: View, *, cause: str, decided_at: float | None = None) -> bool:
        """Sign, remember and send an order, if the mode still allows it at the last moment."""
        transaction = self._desk.sign(order, view)
        self._order = order
        self._remember()
        allowed = (Mode.ACTIVE,) if order.side == "buy" else (Mode.ACTIVE, Mode.STANDBY, Mode.CLOSING)
        if self._recorder.mode in allowed and self._desk.send(order, transaction, cause=cause, decided_at=decided_at):
            self._remember()
            return True
        self._order = None
        self._remember()
        return False

    def _bought(self, order: Order, fill: Fill | None) -> None:
        forecast, opportunity = self._trade.forecast, self._trade.opportunity
        if forecast is not None:
            forecast.bought = fill.base if fill else 0
        if fill is not None:
            self.accounts.opened(order, fill, self.market.venues[order.venue].name)
        else:
            if opportunity is not None:
                self._opportunities.missed(opportunity, "gone")
            self.closings.succeed(None)

    def _sold(self, order: Order, fill: Fill | None, landed: Landed) -> None:
        position = self.accounts.position
        if position is None:
            raise RuntimeError("expected an open position for a sale")
        if fill is None:
            position.gas_wei += landed.gas_wei
            position.attempts += 1
            self.closings.failed_attempt(landed.message or landed.reason or "reverted")
            return
        realized = self.accounts.sold(
            position, order, fill, self.market.venues[order.venue].name, self._trade.exit_reason
        )
        if self._trade.forecast is not None:
            self.forecaster.resolve(self._trade.forecast, occurred=realized > 0)
        self._trade = Trade()
        self.closings.succeed(position.position_id, realized)

    def _least_bought(self, view: View, spread: Spread, gas: int) -> int:
        """What the first leg must bring: within its tolerance, and enough for the second to pay at today's reserves."""
        dear = view.pools[spread.dear]
        break_even = amount_in(spread.size + gas, dear.base, dear.quote)
        return max(int(spread.bought * (1 - self._rules.buy_tolerance_ratio)), min(break_even, spread.bought))

    def _swap_gas_quote(self, view: View) -> int:
        """What a swap costs in gas now, in the quote token's smallest units."""
        price = view.base_fee_wei + int(self._rules.tip_gwei * 1e9)
        return int(TYPICAL_SWAP_GAS * price * self._quote_per_wei())

    def _quote_per_wei(self) -> float:
        """The quote token's smallest units for a wei, at cost."""
        return float(self._deployment.native_cost * 10**self._deployment.quote.decimals / WEI)

    def _remember(self) -> None:
        pending = list(self.wallet.pending.values())
        self._keep(State(genesis=self.genesis, pending=pending, order=self._order, position=self.accounts.position))
