"""Events of every type with figures that a bot could mean, made from their fields, so that every metric is fed."""

from __future__ import annotations

import enum
import os
import random
import types
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from deskwatch.events import EVENTS, Event
from tests.lines import writer_of

_WORDS: dict[str, tuple[str, ...]] = {
    "side": ("buy", "sell"),
    "symbol": ("WETH/USDC", "WBTC/USDC"),
    "venue": ("amber", "basalt"),
    "asset": ("USDC", "ETH"),
    "host": (os.uname().nodename,),
    "severity": ("warning", "critical"),
}
"""Values of text fields by name; any other holds one of two of its own."""


def events(count: int, *, seed: int = 1) -> Iterator[Event]:
    """`count` events of each type, of both sides of the journal; the same for the same seed."""
    dice = random.Random(seed)
    for number in range(count):
        for tag in sorted(EVENTS):
            yield one(EVENTS[tag], number, dice)


def one(cls: type[Event], number: int, dice: random.Random) -> Event:
    """An event of a class, with all of its fields."""
    hints = get_type_hints(cls, include_extras=True)
    values = {field.name: _value(field.name, hints[field.name], number, dice) for field in msgspec.structs.fields(cls)}
    trace = f"{dice.getrandbits(128):032x}"
    return cls(**{**values, "trace": trace, "cause": None})


def of_bot(found: Iterator[Event]) -> list[Event]:
    """Those that a bot writes."""
    return [event for event in found if writer_of(event) != "control"]


def _value(name: str, hint: Any, number: int, dice: random.Random) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _value(name, arguments[0], number, dice)
    if origin in (Union, types.UnionType):
        return _value(name, arguments[0], number, dice)
    if origin is Literal:
        return arguments[number % len(arguments)]
    if origin in (dict, list):
        return origin()
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return list(hint)[number % len(hint)]
    if name == "pid":
        return os.getpid()
    if name.endswith("_wei"):
        return str(dice.randrange(10**9, 10**12))
    if name.endswith("_id"):
        return f"{name}-{number}"
    if hint is bool:
        return bool(number % 2)
    if hint is int:
        return dice.randrange(1, 1000)
    if hint is float:
        return dice.random()
    if hint is str:
        words = _WORDS.get(name, (f"{name}-0", f"{name}-1"))
        return words[number % len(words)]
    return None
