"""Orders: swaps on a pool, each one transaction, journaled from submission to fill or rejection."""

from __future__ import annotations

import time

import msgspec

from arbitrage_bot.config import Rules
from arbitrage_bot.deployment import Deployment
from arbitrage_bot.identity import new_id
from arbitrage_bot.market import Venue, View
from arbitrage_bot.strategy import FEE_RATIO
from arbitrage_bot.wallet import Landed, Pending, Refused, Wallet
from deskwatch import OrderAcknowledged, OrderFilled, OrderRejected, OrderSubmitted, Recorder

STRATEGY = "two_pool_arbitrage"


class Order(msgspec.Struct, kw_only=True):
    """A swap: sell exactly `amount_in` for at least `min_out`. Plain values only: it is kept across restarts."""

    order_id: str
    side: str
    """`buy` or `sell`, of the base token."""
    venue: int
    """Which pool: 0 or 1."""
    amount_in: int
    """Of the token given, in its smallest units."""
    expected_out: int
    """What the pool quoted."""
    min_out: int
    trace: str
    transaction: Pending | None = None
    """None until it is signed."""


class Fill(msgspec.Struct, frozen=True, kw_only=True):
    """What an order brought, by its receipt."""

    base: int
    """Base token bought or sold, in its smallest units."""
    quote: int
    """Quote token paid or received."""
    gas_wei: int
    block: int


class Desk:
    """Submits orders and tells what became of them."""

    def __init__(
        self, venues: tuple[Venue, ...], wallet: Wallet, deployment: Deployment, recorder: Recorder, rules: Rules
    ) -> None:
        self._venues = venues
        self._wallet = wallet
        self._deployment = deployment
        self._recorder = recorder
        self._rules = rules
        self._base_unit: int = 10**deployment.base.decimals
        self._quote_unit: int = 10**deployment.quote.decimals

    def draft(self, side: str, venue: int, amount_in: int, expected_out: int, min_out: int, trace: str) -> Order:
        """An order that is not yet sent."""
        return Order(
            order_id=new_id("order"),
            side=side,
            venue=venue,
            amount_in=amount_in,
            expected_out=expected_out,
            min_out=min_out,
            trace=trace,
        )

    def sign(self, order: Order, view: View) -> Pending:
        """Make the order's transaction, so that it can be kept before it is sent."""
        venue = self._venues[order.venue]
        given = self._deployment.quote if order.side == "buy" else self._deployment.base
        deadline = view.timestamp + self._rules.deadline_seconds
        order.transaction = self._wallet.prepare(
            venue.address,
            venue.contract.encode_abi(
                "swapExactIn", args=[given.address, order.amount_in, order.min_out, self._wallet.address, deadline]
            ),
            gas=self._rules.swap_gas,
            base_fee_wei=view.base_fee_wei,
            purpose="swap",
            trace=order.trace,
            cause=order.order_id,
        )
        return order.transaction

    def send(self, order: Order, transaction: Pending, *, cause: str | None, decided_at: float | None = None) -> bool:
        """Journal a signed order, then send it; False if the node refused it.

        Args:
            order: What to swap.
            transaction: As `sign` made it.
            cause: Id of the decision or command it follows from.
            decided_at: `time.perf_counter()` of the decision.
        """
        venue = self._venues[order.venue].name
        symbol = self._deployment.symbol
        base, quote = self._amounts(order, order.amount_in, order.expected_out)
        self._recorder.emit(
            OrderSubmitted(
                order_id=order.order_id,
                venue=venue,
                symbol=symbol,
                side=order.side,
                quantity=base,
                strategy=STRATEGY,
                order_type="swap",
                price=quote / base,
                asset=self._deployment.quote.symbol,
                decision_seconds=None if decided_at is None else time.perf_counter() - decided_at,
                trace=order.trace,
                cause=cause,
            )
        )
        try:
            self._wallet.send(transaction)
        except Refused as refusal:
            self._reject(order, refusal.reason, str(refusal))
            return False
        self._acknowledge(order, transaction)
        return True

    def resume(self, order: Order) -> bool:
        """Take up an order that an earlier run signed and perhaps sent; False, and rejected, if it was not sent."""
        if order.transaction is not None and self._wallet.resume(order.transaction):
            self._acknowledge(order, order.transaction)
            return True
        self._reject(order, "never_sent", "the bot stopped between signing and sending")
        return False

    def settle(self, order: Order, landed: Landed) -> Fill | None:
        """What a mined order brought; None if it reverted. Journaled either way."""
        if not landed.succeeded:
            self._reject(order, "reverted", landed.message)
            return None
        venue = self._venues[order.venue]
        swap = next(
            log
            for log in landed.receipt["logs"]
            if log["address"] == venue.address and bytes(log["topics"][0]) == venue.swap_topic
        )
        base_in, quote_in, base_out, quote_out = venue.swap_amounts(swap)
        fill = Fill(
            base=base_in or base_out,
            quote=quote_in or quote_out,
            gas_wei=landed.gas_wei,
            block=landed.receipt["blockNumber"],
        )
        fee_token = self._deployment.quote if order.side == "buy" else self._deployment.base
        quantity, paid = fill.base / self._base_unit, fill.quote / self._quote_unit
        got = fill.base if order.side == "buy" else fill.quote
        self._recorder.emit(
            OrderFilled(
                order_id=order.order_id,
                venue=venue.name,
                symbol=self._deployment.symbol,
                side=order.side,
                quantity=quantity,
                price=paid / quantity,
                final=True,
                strategy=STRATEGY,
                asset=self._deployment.quote.symbol,
                fee=order.amount_in * FEE_RATIO / 10**fee_token.decimals,
                fee_asset=fee_token.symbol,
                slippage_ratio=order.expected_out / got - 1,
                liquidity="taker",
                fill_id=f"{landed.pending.hash}:{swap['logIndex']}",
                trace=order.trace,
                cause=order.order_id,
            )
        )
        return fill

    def _amounts(self, order: Order, given: int, got: int) -> tuple[float, float]:
        """Base and quote of an order in whole units."""
        base, quote = (got, given) if order.side == "buy" else (given, got)
        return base / self._base_unit, quote / self._quote_unit

    def void(self, order: Order) -> None:
        """Give up an order on a chain that is no more."""
        self._reject(order, "chain_replaced", None)

    def _acknowledge(self, order: Order, transaction: Pending) -> None:
        self._recorder.emit(
            OrderAcknowledged(
                order_id=order.order_id,
                venue=self._venues[order.venue].name,
                symbol=self._deployment.symbol,
                venue_order_id=transaction.hash,
                strategy=STRATEGY,
                trace=order.trace,
                cause=order.order_id,
            )
        )

    def _reject(self, order: Order, reason: str, message: str | None) -> None:
        self._recorder.emit(
            OrderRejected(
                order_id=order.order_id,
                venue=self._venues[order.venue].name,
                symbol=self._deployment.symbol,
                reason=reason,
                strategy=STRATEGY,
                message=message,
                trace=order.trace,
                cause=order.order_id,
            )
        )
