"""Making text from outside harmless before a terminal sees it.

A terminal obeys what it prints: escape codes move the cursor, rename the window or answer as if typed; bidi overrides
and zero-width characters make a text read as another. All of them come out as escapes that can be seen, of the kind
that Python and JSON use.
"""

from __future__ import annotations

import json
import re
from typing import Any

_UNSAFE = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # C0, DEL, C1
    "\xad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0"  # drawn as nothing
    "\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2"  # format characters of Arabic and Syriac
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f"  # zero width, line separators, bidi
    "\ud800-\udfff\ufe00-\ufe0f\ufeff\ufff0-\ufffb\ufffe\uffff"  # lone surrogates, variation selectors, byte order mark
    "\U000110bd\U000110cd\U00013430-\U0001345f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"  # tags
    "]"
)
_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def harmless(text: str | bytes) -> str:
    """The text with whatever a terminal would obey, or not show, as a visible escape. Bytes that are no UTF-8 too."""
    if isinstance(text, bytes):
        text = text.decode(errors="backslashreplace")
    return text if text.isascii() and text.isprintable() else _UNSAFE.sub(_visible, text)


def harmless_json(text: str) -> str:
    """A JSON text that says the same, with the same characters as JSON escapes. It stays one line."""
    return text if text.isascii() and text.isprintable() else _UNSAFE.sub(_as_json_escape, text)


def as_json(value: Any) -> str:  # Any: whatever JSON holds
    """A value as one line of strict JSON that a terminal may be shown."""
    return harmless_json(json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")))


def _visible(match: re.Match[str]) -> str:
    character = match[0]
    number = ord(character)
    if character in _SHORT:
        return _SHORT[character]
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _as_json_escape(match: re.Match[str]) -> str:
    number = ord(match[0])
    if number < 0x10000:
        return f"\\u{number:04x}"
    number -= 0x10000
    return f"\\u{0xD800 | number >> 10:04x}\\u{0xDC00 | number & 0x3FF:04x}"
