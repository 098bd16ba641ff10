"""What a faulty or hostile bot writes: lines that are none, and events whose figures and words are absurd."""

from __future__ import annotations

import json
import math
import random
import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from deskwatch.events import EVENTS, Event

WORDS = (
    *("", " ", "buy", "__other__", "\x1b[31mred\x07", "new\nline", 'quo"te\\', "\u202eevil", "\x00", "é" * 300),
    *("<script>alert(1)</script>", "{bot=~'.*'}", "a" * 40_000, "0x" + "f" * 64, "NaN", "\ud83d\ude00", "# EOF\n"),
)
FIGURES = (0.0, -0.0, 1.0, -1.0, 1e308, -1e308, 5e-324, 2.0**63, 1e18, 0.1, -1e-9, float("nan"), float("inf"))
TIMES = (0, 1, -1, 2**62, 2**63 - 1, 10**15, 1_700_000_000_000_000_000)
RAW = (
    *(
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"\xff\xfe\x00",
        b"{}" * 1000,
        b"[" * 5000,
        b'{"type":1}',
        b'{"type":"x","ts":"y"}',
    ),
    *(b'{"type":"order_filled"}', b'{"type":"price_observed","ts":1,"venue":"v","symbol":"s","price":1e400}'),
    *(b'{"type":"order_filled","ts":NaN}', b'{"type":"mode_changed","ts":5,"mode":"berserk"}', b"\x00" * 200),
)


def value_of(hint: Any, dice: random.Random) -> Any:
    """Some value of a field's type, and not the one that its author had in mind."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return dice.choice((0, 1, -1, 2**63 - 1, -(2**63))) if arguments[0] is int else value_of(arguments[0], dice)
    if origin in (Union, types.UnionType):
        return value_of(dice.choice(arguments), dice)
    if origin is Literal or (isinstance(hint, type) and issubclass(hint, str) and hint is not str):
        return dice.choice(arguments or tuple(hint))
    if hint is float:
        return dice.choice(FIGURES)
    if hint is str:
        return f"flood-{dice.randrange(10**9)}" if dice.random() < 0.3 else dice.choice(WORDS)
    if hint is bool:
        return dice.random() < 0.5
    if origin is dict:
        return {dice.choice(WORDS): dice.choice(WORDS[:12])}
    if origin is list:
        return [dice.choice(WORDS[:12])]
    return None


def event(dice: random.Random) -> Event:
    """An event of any type with absurd fields."""
    cls = EVENTS[dice.choice(sorted(EVENTS))]
    hints = get_type_hints(cls, include_extras=True)
    fields = [field for field in msgspec.structs.fields(cls) if field.required or dice.random() < 0.7]
    return cls(**{field.name: value_of(hints[field.name], dice) for field in fields})


def line(dice: random.Random) -> bytes:
    """A line as a bot in another language may write it: no `seq`, a time of its own, figures that JSON can hold."""
    if dice.random() < 0.3:
        return dice.choice(RAW)
    absurd = event(dice)
    body = {key: _plain(one) for key, one in msgspec.to_builtins(absurd).items()}
    body["ts"] = dice.choice(TIMES)
    if dice.random() < 0.2:
        body[dice.choice(sorted(body))] = dice.choice((None, [], {}, -7, 10**400, "text", True))
    return json.dumps(body).encode("utf-8", "surrogatepass")


def _plain(one: Any) -> Any:
    """NaN and infinities as numbers that are too large for a float."""
    if isinstance(one, float) and not math.isfinite(one):
        return 10**400
    return one
