"""A bot's state as a sidecar tells it. Fields that this version does not know are passed over."""

from __future__ import annotations

from typing import Any

import msgspec

Fields = dict[str, Any]  # Any: an event's own fields, whatever JSON holds


class ModeState(msgspec.Struct, frozen=True, kw_only=True):
    """`actual` is what the bot acts by, `desired` what was last asked of it. Times are Unix seconds."""

    actual: str | None = None
    desired: str | None = None
    since: float | None = None
    reason: str | None = None
    actor: str | None = None
    etag: str | None = None
    """For If-Match: what a change of the mode stands on."""


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """Totals over all that the journal holds."""

    events: int = 0
    orders_submitted: int = 0
    orders_filled: int = 0
    orders_failed: int = 0
    trades_closed: int = 0
    trades_won: int = 0
    transactions_sent: int = 0
    transactions_reverted: int = 0
    opportunities_found: int = 0
    errors: int = 0


class CommandState(msgspec.Struct, frozen=True, kw_only=True):
    """A command's life so far: `accepted`, `running`, then `succeeded`, `failed`, `refused`, `expired` or `unknown`."""

    id: str
    type: str
    status: str
    bot: str | None = None
    actor: str | None = None
    reason: str | None = None
    error: str | None = None
    waiting_for: str | None = None
    """What must be seen in the journal before it counts as done."""
    accepted_at: float | None = None
    started_at: float | None = None
    finished_at: float | None = None
    expires_at: float | None = None


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A command that the bot itself registered, with the JSON Schema of its parameters."""

    type: str
    description: str | None = None
    schema: Fields | bool | None = None


class Watch(msgspec.Struct, frozen=True, kw_only=True):
    """A source that watches the bot, or did. Times are Unix seconds."""

    source: str
    peer: str
    since: float | None = None
    until: float | None = None
    """When it ceased in good order; None while it watches."""


class BotState(msgspec.Struct, frozen=True, kw_only=True):
    """One bot. Money is by asset: nothing is summed over assets."""

    bot: str
    mode: ModeState = ModeState()
    running: bool = False
    supervised: bool = False
    writer: str | None = None
    strategy: str | None = None
    version: str | None = None
    pid: int | None = None
    host: str | None = None
    started: float | None = None
    last_event: float | None = None
    last_heartbeat: float | None = None
    idle_seconds: float | None = None
    counts: Counts = Counts()
    equity: dict[str, float] = {}
    realized_pnl: dict[str, float] = {}
    gas_spent: dict[str, float] = {}
    balances: dict[str, Fields] = {}
    prices: dict[str, Fields] = {}
    positions: dict[str, Fields] = {}
    connections: dict[str, Fields] = {}
    alerts: dict[str, Fields] = {}
    open_orders: int | None = None
    watchlist: list[str] | None = None
    gas_price_wei: str | None = None
    head_block: int | None = None
    last_decision: Fields | None = None
    last_prediction: Fields | None = None
    last_error: Fields | None = None
    equity_curve: list[tuple[float, float]] = []
    """Unix seconds and equity, oldest first."""
    commands: list[CommandState] = []
    """Its unfinished and latest few, newest first."""
    offers: list[Offer] = []
    watches: dict[str, Watch] = {}
    """By writer: the source that watches the bot and writes for it."""

    @property
    def is_only_watched(self) -> bool:
        """Whether a source looks at it and knows of no start and no mode: a wallet, or a bot that never answered."""
        return bool(self.watches) and self.started is None and self.mode.actual is None

    @property
    def is_unwatched(self) -> bool:
        """Whether the source that wrote its journal has ceased, so that nothing is known of it any more."""
        watch = self.watches.get(self.writer or "main")
        return watch is not None and watch.until is not None

    @property
    def win_ratio(self) -> float | None:
        """Share of the closed trades that won, 0 to 1; None where none was closed."""
        return self.counts.trades_won / self.counts.trades_closed if self.counts.trades_closed else None
