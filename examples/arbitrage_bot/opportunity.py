"""Opportunities: a spread that would pay, from the block it is first seen in to the block it is taken or gone."""

from __future__ import annotations

from dataclasses import dataclass

from arbitrage_bot.deployment import Deployment
from arbitrage_bot.identity import new_id, new_trace
from arbitrage_bot.market import Venue
from arbitrage_bot.orders import STRATEGY
from arbitrage_bot.strategy import Spread
from deskwatch import OpportunityFound, OpportunityMissed, Recorder


@dataclass
class Opportunity:
    """One spread in one direction, for as long as it lasts."""

    opportunity_id: str
    trace: str
    cheap: int
    first_block: int
    skipped: str = "gone"
    """Why it was last left alone."""


class Opportunities:
    """Follows the spread from block to block."""

    def __init__(self, venues: tuple[Venue, ...], deployment: Deployment, recorder: Recorder) -> None:
        self._venues = venues
        self._deployment = deployment
        self._recorder = recorder
        self._current: Opportunity | None = None

    def see(self, block: int, spread: Spread | None, expected_profit: float) -> Opportunity | None:
        """Take in the spread after a block; returns the opportunity that it is part of.

        Args:
            block: Its number.
            spread: What would pay after gas, if anything would.
            expected_profit: After gas, in whole units of quote.
        """
        if self._current and (spread is None or spread.cheap != self._current.cheap):
            self.missed(self._current, self._current.skipped)
            self._current = None
        if spread is not None and self._current is None:
            self._current = Opportunity(new_id("opportunity"), new_trace(), spread.cheap, block)
            self._recorder.emit(
                OpportunityFound(
                    opportunity_id=self._current.opportunity_id,
                    strategy=STRATEGY,
                    symbol=self._deployment.symbol,
                    spread_ratio=spread.ratio,
                    expected_profit=expected_profit,
                    asset=self._deployment.quote.symbol,
                    venue=self._venues[spread.cheap].name,
                    other_venue=self._venues[spread.dear].name,
                    trace=self._current.trace,
                )
            )
        return self._current

    def taken(self) -> None:
        """The current opportunity is being traded: what follows is another one."""
        self._current = None

    def missed(self, opportunity: Opportunity, reason: str) -> None:
        """Journal that an opportunity was not taken, or was gone when taken."""
        self._recorder.emit(
            OpportunityMissed(
                opportunity_id=opportunity.opportunity_id,
                strategy=STRATEGY,
                symbol=self._deployment.symbol,
                reason=reason,
                trace=opportunity.trace,
                cause=opportunity.opportunity_id,
            )
        )
