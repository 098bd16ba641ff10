"""Label values from an event's text, which may be anything."""

from __future__ import annotations

import functools

Labels = tuple[str, ...]
"""Label values, in the order of the family's label names. An empty one means that the label is absent."""

OTHER = "__other__"
"""The value of labels whose family is full."""
MAX_LABEL_LENGTH = 128
MAX_REMEMBERED = 8192
"""Texts whose label is remembered: there are few, and they come again and again."""


def label(text: str | None) -> str:
    """A label's value: nothing for None, without control characters and surrogates, and cut to a bounded length."""
    return "" if text is None else _clean(text[:MAX_LABEL_LENGTH])


@functools.lru_cache(MAX_REMEMBERED)
def _clean(text: str) -> str:
    text = text.strip()
    if text == OTHER:
        return "other"
    return text if text.isprintable() else "".join(one if one.isprintable() else "\ufffd" for one in text)
