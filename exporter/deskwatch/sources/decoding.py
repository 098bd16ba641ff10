"""A peer's JSON, decoded without trust."""

from __future__ import annotations

from typing import Any

import msgspec

from deskwatch.sources.nesting import is_too_deep


class Undecodable(ValueError):
    """It is no JSON, or none that any peer means."""


def decode(text: bytes | str) -> Any:  # Any: whatever JSON holds
    """What it says.

    Raises:
        Undecodable: Nothing that can be read.
    """
    body = text.encode(errors="replace") if isinstance(text, str) else text
    if is_too_deep(body):
        raise Undecodable("it is nested too deep")
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Undecodable(str(error)) from None
