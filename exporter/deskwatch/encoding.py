"""An event as the JSON that goes into its line: numbers of all kinds taken, long text cut, strictness checked."""

from __future__ import annotations

import functools
import math
from decimal import Decimal
from typing import Any

import msgspec

from deskwatch.errors import EventError
from deskwatch.events import EVENTS, Event
from deskwatch.events.base import making_decoder
from deskwatch.journal.line import MAX_LINE_BYTES

_ENVELOPE_BYTES = 256
MAX_BODY_BYTES = MAX_LINE_BYTES - _ENVELOPE_BYTES
"""What a line has room for beside its envelope."""
_PLUS, _N, _I = b"+NI"
_MARK_BYTES = 128
CUT_MARK = "…[cut]"


def _from_scalar(value: object) -> object:
    """Numpy scalars and their like: whatever has `item()` gives its Python number."""
    item = getattr(value, "item", None)
    if callable(item):
        plain = item()
        return float(value) if type(plain) is type(value) else plain  # type: ignore[arg-type]  # np.longdouble
    raise TypeError(f"expected a number, text, bool, list or dict, was {type(value).__name__}")


_encoder = msgspec.json.Encoder(decimal_format="number", enc_hook=_from_scalar)


@functools.cache
def _strict(tag: str) -> msgspec.json.Decoder[Event]:
    with making_decoder:
        return msgspec.json.Decoder(EVENTS[tag])


def encode(event: Event) -> bytes:
    """The event as one JSON object with its `type` first.

    Raises:
        TypeError: It is no event, or a field holds something that is neither JSON nor a number.
    """
    if not isinstance(event, Event):
        raise TypeError(f"expected an event, was {type(event).__name__}")
    try:
        body = _encoder.encode(event)
    except (
        UnicodeEncodeError
    ):  # a surrogate: from a file's name, or an answer that was cut in the middle of a character
        body = _encode_mended(event)
    # A Decimal may be spelt as JSON can't: `1E+400`, `NaN`, `Infinity`. False alarms only cost time. Each needle's
    # rarest byte is looked for first: that takes a tenth of the time on the way of every event.
    if (_PLUS in body and b"E+" in body) or (_N in body and b"NaN" in body) or (_I in body and b"Infinity" in body):
        body = _encode_mended(event)
    return body if len(body) <= MAX_BODY_BYTES else _cut(body)


def _encode_mended(event: Event) -> bytes:
    return _encoder.encode(_mended(msgspec.to_builtins(event, builtin_types=(Decimal,), enc_hook=_from_scalar)))


def check(event: Event, body: bytes) -> None:
    """Strict mode: refuse an event whose fields are not of their types, or hold NaN or infinity.

    Raises:
        EventError: What was expected and what was there.
    """
    name = type(event).__name__
    try:
        _strict(str(event.__struct_config__.tag)).decode(body)
    except KeyError:
        raise EventError(f"expected an event of deskwatch's vocabulary, was {name}") from None
    except msgspec.ValidationError as error:
        raise EventError(f"{name}: {error}") from None
    if count_nulls(event, body):
        raise EventError(f"{name}: expected finite figures, was {event!r}")


def count_nulls(event: Event, body: bytes) -> int:
    """How many figures of the event are NaN or infinite, and so were encoded as null."""
    if b"null" not in body:
        return 0
    return sum(_count(getattr(event, field)) for field in event.__struct_fields__)


def _count(value: object) -> int:
    """How many figures within a value are not finite."""
    match value:
        case float() | Decimal():
            return not _is_finite(value)
        case None | str() | int():
            return 0
        case dict():
            return sum(map(_count, value.values()))
        case list() | tuple():
            return sum(map(_count, value))
    return _count(_from_scalar(value)) if callable(getattr(value, "item", None)) else 0


def _is_finite(value: float | Decimal) -> bool:
    if isinstance(value, Decimal) and value.is_nan():
        return False  # asked first: a signalling NaN can't be made a float
    return math.isfinite(value)


def _mended(value: object) -> object:
    """A value as JSON in UTF-8 can hold it.

    A Decimal that is not finite is null. A pair of surrogates is its character, and a lone one is replaced.
    """
    if isinstance(value, Decimal):
        return value if _is_finite(value) else None
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_mended(key): _mended(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_mended(each) for each in value]
    return value


def _cut(body: bytes) -> bytes:
    """Shorten the longest texts of an event until its line fits, and say in `cut` which.

    A dict or list is made text once, and cut as text. Each round takes away what is too much or half of the longest,
    so that the rounds are few whatever the texts hold.
    """
    fields: dict[str, Any] = msgspec.json.decode(body)  # the fields' own types don't matter here
    body = _encoder.encode(fields)  # a Decimal of endless digits has become a float
    texts = {name: _text(value) for name, value in fields.items() if isinstance(value, str | dict | list)}
    cut: list[str] = []
    while len(body) > MAX_BODY_BYTES:
        name = max(texts, key=lambda one: len(texts[one]))
        text = texts[name]
        if not text:
            raise TypeError(f"expected a line of at most {MAX_BODY_BYTES} bytes, and nothing is left to be cut")
        excess = len(body) - MAX_BODY_BYTES + _MARK_BYTES
        texts[name] = text = text[: max(len(text) - excess, len(text) // 2)]
        if name not in cut:
            cut.append(name)
        marked = text + CUT_MARK
        kind = fields[name]
        fields[name] = marked if isinstance(kind, str) else {"cut": marked} if isinstance(kind, dict) else [marked]
        body = _encoder.encode({**fields, "cut": cut})
    return body


def _text(value: object) -> str:
    return value if isinstance(value, str) else _encoder.encode(value).decode()
