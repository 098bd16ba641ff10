"""What can be asked of a bot: the bodies of `POST /bots/{bot}/commands` and `PUT /bots/{bot}/mode`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator
from pydantic.json_schema import SkipJsonSchema

from deskwatch.events import Mode

CLOSING_SECONDS = 30
"""What closes or cancels lives no longer: later, the market is another one."""
CUSTOM = "custom"

Reason = Annotated[str | None, Field(max_length=500)]
Expires = Annotated[int | None, Field(ge=1, le=3600, description="Seconds within which the bot must begin it.")]
ExpiresSoon = Annotated[
    int | None, Field(ge=1, le=CLOSING_SECONDS, description="Seconds within which the bot must begin it.")
]
Symbol = Annotated[str, Field(min_length=1, max_length=100)]
Missing: TypeAlias = SkipJsonSchema[None]
"""May be left out, and is not null where it is given."""


class Body(BaseModel):
    """What every body shares: no field that is not known."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class ModeRequest(Body):
    """The mode that a bot shall be in."""

    mode: Mode
    reason: Reason = None


class Asking(Body):
    """What every command has."""

    reason: Reason = None
    expires_seconds: Expires = None


class Closing(Body):
    """The same of what closes or cancels: it must not begin long after it was asked for."""

    reason: Reason = None
    expires_seconds: ExpiresSoon = None


class NoParams(Body):
    """A command that needs nothing."""


class ModeParams(Body):
    """Parameters of `set_mode`."""

    mode: Mode


class ClosePositionParams(Body):
    """Which position to close: by id, or all of a symbol; and how much of it, else all."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [{"required": ["position_id"]}, {"required": ["symbol"]}],
            "not": {"required": ["quantity", "ratio"]},
        }
    )
    position_id: Annotated[str, Field(min_length=1, max_length=200)] | Missing = None
    symbol: Symbol | Missing = None
    quantity: Annotated[float, Field(gt=0, description="In the base asset.")] | Missing = None
    ratio: Annotated[float, Field(gt=0, le=1, description="Share of what is open.")] | Missing = None

    @model_validator(mode="after")
    def names_one(self) -> ClosePositionParams:
        """Exactly one of the first two, at most one of the others, and none of them null."""
        given = self.model_fields_set
        if len(given & {"position_id", "symbol"}) != 1:
            raise ValueError("expected either position_id or symbol")
        if {"quantity", "ratio"} <= given:
            raise ValueError("expected quantity or ratio, not both")
        if any(getattr(self, name) is None for name in given):
            raise ValueError("expected no null; leave out what is not wanted")
        return self


class CancelOrdersParams(Body):
    """Which orders to cancel: those of a symbol, else all."""

    symbol: Symbol | Missing = None

    @model_validator(mode="after")
    def is_not_null(self) -> CancelOrdersParams:
        """A symbol that is null might be meant as none, and is not: all orders would go."""
        if self.symbol is None and self.model_fields_set:
            raise ValueError("expected a symbol, was null; leave it out to cancel all")
        return self


class WatchlistParams(Body):
    """What to watch."""

    symbols: Annotated[list[Symbol], Field(max_length=200)]


class Ping(Asking):
    """Asks whether the bot's own code runs."""

    type: Literal["ping"]
    params: NoParams = NoParams()


class SetMode(Asking):
    """Asks for a mode. `closing` closes, so that it lives no longer than what else does."""

    model_config = ConfigDict(
        json_schema_extra={
            "not": {
                "required": ["expires_seconds"],
                "properties": {
                    "params": {"properties": {"mode": {"const": "closing"}}},
                    "expires_seconds": {"type": "integer", "exclusiveMinimum": CLOSING_SECONDS},
                },
            }
        }
    )
    type: Literal["set_mode"]
    params: ModeParams

    @model_validator(mode="after")
    def closes_soon(self) -> SetMode:
        """A bot must not begin to close long after that was asked for."""
        if self.params.mode is Mode.CLOSING and (self.expires_seconds or 0) > CLOSING_SECONDS:
            raise ValueError(f"expected expires_seconds of at most {CLOSING_SECONDS} for closing")
        return self


class ClosePosition(Closing):
    """Asks to close a position, or a part of it."""

    type: Literal["close_position"]
    params: ClosePositionParams


class CloseAll(Closing):
    """Asks to close everything the bot holds."""

    type: Literal["close_all"]
    params: NoParams = NoParams()


class CancelOrders(Closing):
    """Asks to cancel open orders."""

    type: Literal["cancel_orders"]
    params: CancelOrdersParams = CancelOrdersParams()


class SetWatchlist(Asking):
    """Asks to watch these instruments and no others."""

    type: Literal["set_watchlist"]
    params: WatchlistParams


class ReloadConfig(Asking):
    """Asks to read the configuration again."""

    type: Literal["reload_config"]
    params: NoParams = NoParams()


_BUILT_IN = (Ping, SetMode, ClosePosition, CloseAll, CancelOrders, SetWatchlist, ReloadConfig)
BUILT_IN: tuple[str, ...] = tuple(one.model_fields["type"].annotation.__args__[0] for one in _BUILT_IN)  # type: ignore[union-attr]  # a Literal
"""Types of commands that every bot may be asked."""


class Custom(Asking):
    """Asks for what the bot itself offers; `offers` in its state has the parameters' schema."""

    type: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$", json_schema_extra={"not": {"enum": [*BUILT_IN]}})]
    params: dict[str, Any] = {}


def _which(body: Any) -> str:  # Any: whatever JSON holds
    kind = body.get("type") if isinstance(body, Mapping) else getattr(body, "type", None)
    return kind if isinstance(kind, str) and kind in BUILT_IN else CUSTOM


CommandRequest = Annotated[
    Annotated[Ping, Tag("ping")]
    | Annotated[SetMode, Tag("set_mode")]
    | Annotated[ClosePosition, Tag("close_position")]
    | Annotated[CloseAll, Tag("close_all")]
    | Annotated[CancelOrders, Tag("cancel_orders")]
    | Annotated[SetWatchlist, Tag("set_watchlist")]
    | Annotated[ReloadConfig, Tag("reload_config")]
    | Annotated[Custom, Tag(CUSTOM)],
    Discriminator(_which),
]
