"""The vocabulary: every event that a bot, a source or the sidecar can journal, a file per family.

`AnyEvent` is the tagged union of them all, `EVENTS` maps a `type` on the wire to its class, and `KINDS` to its family.
"""

from __future__ import annotations

from typing import TypeAlias

from deskwatch.events.account import BalanceObserved, EquityObserved, TransferRecorded
from deskwatch.events.base import Event, Integer, Json, Number, Unknown
from deskwatch.events.chain import (
    BlockObserved,
    ContractObserved,
    GasPriceObserved,
    ReorgObserved,
    TransactionConfirmed,
    TransactionDropped,
    TransactionReverted,
    TransactionSent,
    WalletObserved,
)
from deskwatch.events.connectivity import ConnectionChanged, RequestCompleted
from deskwatch.events.control import (
    CommandAccepted,
    CommandExpired,
    CommandFailed,
    CommandOffered,
    CommandRefused,
    CommandStarted,
    CommandSucceeded,
    CommandUnconfirmed,
    ProcessActed,
    SignInRefused,
    TokenMade,
    TokenRevoked,
)
from deskwatch.events.decisions import (
    DecisionMade,
    OpportunityFound,
    OpportunityMissed,
    PredictionMade,
    PredictionResolved,
    SignalRaised,
)
from deskwatch.events.lifecycle import (
    BotStarted,
    BotStopped,
    ConfigReloaded,
    EventsLost,
    HeartbeatSent,
    Mode,
    ModeChanged,
    WatchlistChanged,
    WatchStarted,
    WatchStopped,
)
from deskwatch.events.logs import ErrorOccurred, LogRecorded
from deskwatch.events.market import BookObserved, FundingRateObserved, PoolObserved, PriceObserved
from deskwatch.events.orders import (
    OrderAcknowledged,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderSubmitted,
)
from deskwatch.events.positions import FundingPaid, PositionClosed, PositionOpened, PositionUpdated
from deskwatch.events.resources import PoolUsageObserved
from deskwatch.events.risk import RiskAlertCleared, RiskAlertRaised

AnyEvent: TypeAlias = (
    BotStarted
    | BotStopped
    | HeartbeatSent
    | EventsLost
    | ModeChanged
    | WatchlistChanged
    | ConfigReloaded
    | WatchStarted
    | WatchStopped
    | PriceObserved
    | BookObserved
    | PoolObserved
    | FundingRateObserved
    | DecisionMade
    | PredictionMade
    | PredictionResolved
    | SignalRaised
    | OpportunityFound
    | OpportunityMissed
    | OrderSubmitted
    | OrderAcknowledged
    | OrderFilled
    | OrderRejected
    | OrderCanceled
    | OrderExpired
    | PositionOpened
    | PositionUpdated
    | PositionClosed
    | FundingPaid
    | BalanceObserved
    | EquityObserved
    | TransferRecorded
    | TransactionSent
    | TransactionConfirmed
    | TransactionReverted
    | TransactionDropped
    | WalletObserved
    | GasPriceObserved
    | BlockObserved
    | ReorgObserved
    | ContractObserved
    | RiskAlertRaised
    | RiskAlertCleared
    | ConnectionChanged
    | RequestCompleted
    | PoolUsageObserved
    | LogRecorded
    | ErrorOccurred
    | CommandAccepted
    | CommandStarted
    | CommandSucceeded
    | CommandFailed
    | CommandRefused
    | CommandExpired
    | CommandUnconfirmed
    | CommandOffered
    | SignInRefused
    | TokenMade
    | TokenRevoked
    | ProcessActed
)

EVENTS: dict[str, type[Event]] = {cls.__struct_config__.tag: cls for cls in AnyEvent.__args__}
"""`type` on the wire → class."""

KINDS: dict[str, str] = {tag: cls.__module__.rpartition(".")[2] for tag, cls in EVENTS.items()}
"""`type` on the wire → family, which is the activity's and Loki's `kind`."""

UNKNOWN_KIND = "other"
"""The kind of events whose type this version does not know."""

__all__ = [
    "EVENTS",
    "KINDS",
    "UNKNOWN_KIND",
    "AnyEvent",
    "BalanceObserved",
    "BlockObserved",
    "BookObserved",
    "BotStarted",
    "BotStopped",
    "CommandAccepted",
    "CommandExpired",
    "CommandFailed",
    "CommandOffered",
    "CommandRefused",
    "CommandStarted",
    "CommandSucceeded",
    "CommandUnconfirmed",
    "ConfigReloaded",
    "ConnectionChanged",
    "ContractObserved",
    "DecisionMade",
    "EquityObserved",
    "ErrorOccurred",
    "Event",
    "EventsLost",
    "FundingPaid",
    "FundingRateObserved",
    "GasPriceObserved",
    "HeartbeatSent",
    "Integer",
    "Json",
    "LogRecorded",
    "Mode",
    "ModeChanged",
    "Number",
    "OpportunityFound",
    "OpportunityMissed",
    "OrderAcknowledged",
    "OrderCanceled",
    "OrderExpired",
    "OrderFilled",
    "OrderRejected",
    "OrderSubmitted",
    "PoolObserved",
    "PoolUsageObserved",
    "PositionClosed",
    "PositionOpened",
    "PositionUpdated",
    "PredictionMade",
    "PredictionResolved",
    "PriceObserved",
    "ProcessActed",
    "ReorgObserved",
    "RequestCompleted",
    "RiskAlertCleared",
    "RiskAlertRaised",
    "SignInRefused",
    "SignalRaised",
    "TokenMade",
    "TokenRevoked",
    "TransactionConfirmed",
    "TransactionDropped",
    "TransactionReverted",
    "TransactionSent",
    "TransferRecorded",
    "Unknown",
    "WalletObserved",
    "WatchStarted",
    "WatchStopped",
    "WatchlistChanged",
]
