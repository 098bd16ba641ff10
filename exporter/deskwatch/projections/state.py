"""Live state: what each bot is, has and does now, as the page and `/snapshot` show it.

Times are Unix seconds; ages are for whoever shows them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import msgspec

from deskwatch import events as ev
from deskwatch.journal import Record
from deskwatch.journal.names import CONTROL, MAIN, SIDECAR
from deskwatch.projections import watch
from deskwatch.projections.asked import Asked, ModeState
from deskwatch.projections.counts import Counts
from deskwatch.projections.life import CommandState

CURVE_POINTS = 240
"""Points of the equity curve that are kept; every second one is dropped when there are more."""
MAX_POSITIONS = 200
MAX_OFFERS = 50
"""Commands of its own that are kept of a bot."""
MAX_OFFER_BYTES = 10_000
"""Longest line that tells of one."""
MAX_NAMED = 100
"""Most prices, balances, connections and alerts that are kept by name."""


class BotState(msgspec.Struct, kw_only=True):
    """One bot. Money is by asset: nothing is summed over assets."""

    bot: str
    supervised: bool = False
    """Whether the sidecar runs it. Said where a state is served: no journal knows it."""
    mode: ModeState = msgspec.field(default_factory=ModeState)
    running: bool = False
    writer: str | None = None
    """The writer that speaks for the bot's process: `main`, once it was started."""
    strategy: str | None = None
    version: str | None = None
    pid: int | None = None
    host: str | None = None
    started: float | None = None
    last_event: float | None = None
    last_heartbeat: float | None = None
    idle_seconds: float | None = None
    counts: Counts = msgspec.field(default_factory=Counts)
    equity: dict[str, float] = {}
    realized_pnl: dict[str, float] = {}
    gas_spent: dict[str, float] = {}
    balances: dict[str, dict[str, Any]] = {}
    prices: dict[str, dict[str, Any]] = {}
    positions: dict[str, dict[str, Any]] = {}
    connections: dict[str, dict[str, Any]] = {}
    alerts: dict[str, dict[str, Any]] = {}
    commands: list[CommandState] = []
    """Its unfinished and latest commands, newest first."""
    open_orders: int = 0
    """Orders submitted whose end was not told yet."""
    watchlist: list[str] | None = None
    """Instruments; null where the bot never told."""
    offers: list[dict[str, Any]] = []
    """Commands of its own: `type`, `description`, `schema`."""
    watches: dict[str, watch.Watch] = {}
    """By writer: the source that watches the bot and writes for it."""
    gas_price_wei: str | None = None
    head_block: int | None = None
    last_decision: dict[str, Any] | None = None
    last_prediction: dict[str, Any] | None = None
    last_error: dict[str, Any] | None = None
    equity_curve: list[tuple[float, float]] = []
    curve_stride: int = 1
    curve_skipped: int = 0


class State:
    """The projection: `apply` records, read `bots`."""

    def __init__(self) -> None:
        self.bots: dict[str, BotState] = {}
        self._asked: dict[str, Asked] = {}
        self.changed: set[str] = set()
        """Bots whose state changed since someone emptied this set."""

    def apply(self, record: Record) -> None:
        """Fold one record in."""
        if record.bot == SIDECAR:
            return
        state = self.bots.get(record.bot)
        if state is None:
            state = self.bots[record.bot] = BotState(bot=record.bot)
        state.counts.events += 1
        if record.writer != CONTROL and not watch.is_onlooker(state.watches, record, state.writer):
            state.last_event = max(record.seconds, state.last_event or 0.0)
        fold = _FOLDS.get(type(record.event))
        if fold is not None:
            fold(state, record, record.event)
        if type(record.event) in _ON_MODE:
            asked = self._asked.setdefault(record.bot, Asked())
            asked.apply(record)
            asked.show(state.mode)
        self.changed.add(record.bot)

    def dump(self) -> Any:
        """The state as JSON-able values, for the checkpoint."""
        return {"bots": msgspec.to_builtins(self.bots), "asked": msgspec.to_builtins(self._asked)}

    def load(self, state: Any) -> None:
        """Take the state back from a checkpoint."""
        self.bots = msgspec.convert(state["bots"], dict[str, BotState])
        self._asked = msgspec.convert(state["asked"], dict[str, Asked])


def _put(named: dict[str, dict[str, Any]], name: str, value: dict[str, Any] | None) -> None:
    if value is None:
        named.pop(name, None)
    elif name in named or len(named) < MAX_NAMED:
        named[name] = value


def _add(totals: dict[str, float], asset: str, amount: float) -> None:
    total = totals.get(asset, 0.0) + amount
    if math.isfinite(total) and (asset in totals or len(totals) < MAX_NAMED):  # a checkpoint holds no infinity
        totals[asset] = total


def _fields(record: Record) -> dict[str, Any]:
    """The event's own fields and its time, without its type."""
    fields: dict[str, Any] = msgspec.to_builtins(record.event)
    del fields["type"]
    fields["at"] = record.seconds
    return fields


def _bot_started(state: BotState, record: Record, event: ev.BotStarted) -> None:
    watch.is_over(state.watches, record)
    if record.writer != MAIN and state.writer == MAIN:
        return  # a helper's process; the bot's own is known
    state.running = True
    state.writer = record.writer
    state.pid, state.host = event.pid, event.host
    state.version, state.strategy = event.version, event.strategy
    state.started = record.seconds
    state.idle_seconds = None
    state.offers = []  # each run says which it knows


def _bot_stopped(state: BotState, record: Record, event: ev.BotStopped) -> None:
    if state.writer in (None, record.writer):
        state.running = False


def _watch_started(state: BotState, record: Record, event: ev.WatchStarted) -> None:
    watch.began(state.watches, record, event)


def _watch_stopped(state: BotState, record: Record, event: ev.WatchStopped) -> None:
    watch.ended(state.watches, record)


def _heartbeat(state: BotState, record: Record, event: ev.HeartbeatSent) -> None:
    state.last_heartbeat = record.seconds
    state.idle_seconds = event.idle_seconds
    mode = state.mode
    if event.mode is not None and event.mode != mode.actual and (mode.actual is None or record.writer == MAIN):
        mode.actual = event.mode.value  # its ModeChanged may be gone by retention
        mode.since = mode.reason = mode.actor = None


def _mode_changed(state: BotState, record: Record, event: ev.ModeChanged) -> None:
    if record.writer != MAIN and state.writer == MAIN:
        return  # a helper's process: a mode that it starts in, say, is not what the bot trades by
    mode = state.mode
    mode.actual = event.mode.value
    if event.previous is not None or mode.since is None:
        mode.since, mode.reason, mode.actor = record.seconds, event.reason, event.actor


def _offered(state: BotState, record: Record, event: ev.CommandOffered) -> None:
    others = [offer for offer in state.offers if offer["type"] != event.command]
    offer = {"type": event.command, "description": event.description, "schema": event.schema}
    if len(others) < MAX_OFFERS and len(record.raw) <= MAX_OFFER_BYTES:
        state.offers = [*others, offer]


def _watchlist(state: BotState, record: Record, event: ev.WatchlistChanged) -> None:
    state.watchlist = event.symbols


def _order_submitted(state: BotState, record: Record, event: ev.OrderSubmitted) -> None:
    state.counts.orders_submitted += 1


def _order_filled(state: BotState, record: Record, event: ev.OrderFilled) -> None:
    state.counts.orders_filled += event.final


def _order_rejected(state: BotState, record: Record, event: ev.OrderRejected) -> None:
    state.counts.orders_failed += 1


def _position_opened(state: BotState, record: Record, event: ev.PositionOpened) -> None:
    if len(state.positions) < MAX_POSITIONS:
        state.positions[event.position_id] = _fields(record)


def _position_updated(state: BotState, record: Record, event: ev.PositionUpdated) -> None:
    if event.position_id in state.positions:
        state.positions[event.position_id].update(_fields(record))


def _position_closed(state: BotState, record: Record, event: ev.PositionClosed) -> None:
    state.positions.pop(event.position_id, None)
    state.counts.trades_closed += 1
    pnl = event.realized_pnl or 0.0
    state.counts.trades_won += pnl > 0
    _add(state.realized_pnl, event.asset, pnl)


def _balance(state: BotState, record: Record, event: ev.BalanceObserved) -> None:
    _put(state.balances, f"{event.venue} {event.asset}", _fields(record))


def _equity(state: BotState, record: Record, event: ev.EquityObserved) -> None:
    if event.equity is None:
        return
    if event.asset in state.equity or len(state.equity) < MAX_NAMED:
        state.equity[event.asset] = event.equity
    state.curve_skipped += 1
    if state.curve_skipped >= state.curve_stride or len(state.equity_curve) < 2:
        state.curve_skipped = 0
        state.equity_curve.append((record.seconds, event.equity))
        if len(state.equity_curve) > CURVE_POINTS:
            state.equity_curve = state.equity_curve[::2]
            state.curve_stride *= 2


def _price(state: BotState, record: Record, event: ev.PriceObserved | ev.PoolObserved) -> None:
    name = f"{event.venue} {event.symbol}"
    if name not in state.prices and len(state.prices) >= MAX_NAMED:  # symbols come and go
        del state.prices[min(state.prices, key=lambda one: state.prices[one]["at"])]
    _put(
        state.prices,
        name,
        {
            "venue": event.venue,
            "symbol": event.symbol,
            "price": event.price,
            "at": record.seconds,
            "change_24h_ratio": getattr(event, "change_24h_ratio", None),
            "volume_24h": getattr(event, "volume_24h", None),
        },
    )


def _sent(state: BotState, record: Record, event: ev.TransactionSent) -> None:
    state.counts.transactions_sent += 1


def _mined(state: BotState, record: Record, event: ev.TransactionConfirmed | ev.TransactionReverted) -> None:
    _add(state.gas_spent, event.asset, 0.0 if event.again else event.gas_cost or 0.0)
    state.counts.transactions_reverted += isinstance(event, ev.TransactionReverted) and not event.again


def _gas_price(state: BotState, record: Record, event: ev.GasPriceObserved) -> None:
    state.gas_price_wei = event.gas_price_wei


def _block(state: BotState, record: Record, event: ev.BlockObserved) -> None:
    state.head_block = event.block


def _decision(state: BotState, record: Record, event: ev.DecisionMade) -> None:
    state.last_decision = _fields(record)


def _prediction(state: BotState, record: Record, event: ev.PredictionMade) -> None:
    state.last_prediction = _fields(record)


def _opportunity(state: BotState, record: Record, event: ev.OpportunityFound) -> None:
    state.counts.opportunities_found += 1


def _connection(state: BotState, record: Record, event: ev.ConnectionChanged) -> None:
    _put(state.connections, f"{event.venue} {event.connection}", None if event.gone else _fields(record))


def _error(state: BotState, record: Record, event: ev.ErrorOccurred) -> None:
    state.counts.errors += 1
    told = {"component": event.component, "kind": event.kind, "message": event.message}
    state.last_error = {**told, "at": record.seconds}


def _raised(state: BotState, record: Record, event: ev.RiskAlertRaised) -> None:
    _put(state.alerts, f"{event.alert} {event.symbol or ''}".strip(), _fields(record))


def _cleared(state: BotState, record: Record, event: ev.RiskAlertCleared) -> None:
    state.alerts.pop(f"{event.alert} {event.symbol or ''}".strip(), None)


_FOLDS: dict[type, Callable[[BotState, Record, Any], None]] = {
    ev.BotStarted: _bot_started,
    ev.BotStopped: _bot_stopped,
    ev.HeartbeatSent: _heartbeat,
    ev.WatchStarted: _watch_started,
    ev.WatchStopped: _watch_stopped,
    ev.ModeChanged: _mode_changed,
    ev.CommandOffered: _offered,
    ev.WatchlistChanged: _watchlist,
    ev.OrderSubmitted: _order_submitted,
    ev.OrderFilled: _order_filled,
    ev.OrderRejected: _order_rejected,
    ev.PositionOpened: _position_opened,
    ev.PositionUpdated: _position_updated,
    ev.PositionClosed: _position_closed,
    ev.BalanceObserved: _balance,
    ev.EquityObserved: _equity,
    ev.PriceObserved: _price,
    ev.PoolObserved: _price,
    ev.TransactionSent: _sent,
    ev.TransactionConfirmed: _mined,
    ev.TransactionReverted: _mined,
    ev.GasPriceObserved: _gas_price,
    ev.BlockObserved: _block,
    ev.DecisionMade: _decision,
    ev.PredictionMade: _prediction,
    ev.OpportunityFound: _opportunity,
    ev.ConnectionChanged: _connection,
    ev.ErrorOccurred: _error,
    ev.RiskAlertRaised: _raised,
    ev.RiskAlertCleared: _cleared,
}
_ON_MODE = frozenset(
    {
        ev.ModeChanged,
        ev.HeartbeatSent,
        ev.CommandAccepted,
        ev.CommandStarted,
        ev.CommandFailed,
        ev.CommandExpired,
    }
)
