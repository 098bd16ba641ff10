"""What freqtrade answers over HTTP, and what is made of it: a value, or one of the package's errors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from deskwatch.scrub import scrub
from deskwatch.sources.freqtrade.errors import FreqtradeError, Refused, Unreachable
from deskwatch.sources.peer_json import NotJson, decode

MAX_WORDS = 300
"""Characters of freqtrade's own words that are told on."""
MAX_RETRY_SECONDS = 300.0
"""A `Retry-After` counts up to this."""


class Answer(NamedTuple):
    """One, whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def value_of(answer: Answer, path: str) -> Any:  # Any: whatever JSON holds
    """What it says.

    Raises:
        Refused: freqtrade said no.
        Unreachable: It is not freqtrade that answered, or it asks to be left alone.
    """
    if 200 <= answer.status < 300:
        try:
            return decode(answer.body)
        except NotJson as error:
            raise Unreachable("garbage", f"expected JSON from {path}, but: {error}; is this freqtrade's url?") from None
    raise problem_of(answer, path)


def problem_of(answer: Answer, path: str) -> FreqtradeError:
    """The error that an answer of another status than 2xx stands for."""
    if 300 <= answer.status < 400:
        to = _words(answer.headers.get("location", "nowhere"))
        return Unreachable(
            "redirect", f"expected freqtrade's API, was sent on to {to}; give the address behind it as url"
        )
    retry = retry_after(answer)
    if answer.status == 429 or (answer.status == 503 and retry):
        return Unreachable("busy", f"told to wait by {path} ({answer.status})", retry_seconds=retry)
    message = _message(answer.body)
    if message is None and answer.status in (502, 503, 504):
        return Unreachable("gateway", f"a proxy answered {answer.status} in freqtrade's place", retry_seconds=retry)
    return Refused(answer.status, message or _words(answer.body[:MAX_WORDS].decode(errors="replace")) or "no words")


def retry_after(answer: Answer) -> float:
    """Seconds that a server asks to be left alone; 0 where it names none (a date counts as none)."""
    try:
        return min(max(float(answer.headers.get("retry-after", "0")), 0.0), MAX_RETRY_SECONDS)
    except ValueError:
        return 0.0


def _message(body: bytes) -> str | None:
    """The peer's own words: `error` of what its trader declines, `detail` of what FastAPI does."""
    try:
        told = decode(body)
    except NotJson:
        return None
    found = told.get("error", told.get("detail")) if isinstance(told, dict) else None
    if found is None:
        return None
    return _words(found if isinstance(found, str) else json.dumps(found))


def _words(text: str) -> str:
    """Hostile until looked at: one line, bounded, without secrets."""
    return scrub(" ".join("".join(each if each.isprintable() else " " for each in text[: 4 * MAX_WORDS]).split()))[
        :MAX_WORDS
    ]
