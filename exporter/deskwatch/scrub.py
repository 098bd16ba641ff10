"""Taking secrets out of free text before it reaches the journal.

What is recognised: private keys in PEM, and other 32-byte hex strings that are named as secrets, passwords in URLs,
bearer tokens, deskwatch's own tokens and JSON Web Tokens, `name=value` pairs whose name says secret, and seed phrases
of 12 or more words that are named as such. A transaction hash is 32 bytes too, so bare hex stays.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

REDACTED = "[redacted]"

_NAMES = (
    r"(?:password|passwd|passphrase|(?<![a-z])pass)|secret(?:[ _-]?key)?|signing[ _-]?key"
    r"|api[ _-]?key|access[ _-]?key|auth[ _-]?token|token"
    r"|private[ _-]?key|credentials?"
)
_PEM = r"[A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?"
_PATTERNS = (  # compiled by `re` when they are first used: at import that would cost each bot 2 ms
    (
        r"(?i)\b((?:mnemonic|seed)(?:[ _-]?phrase)?\W{1,4})(?:[a-z]{3,8}\s+){11,23}[a-z]{3,8}",
        rf"\1{REDACTED}",
    ),
    (r"(?i)\b([a-z][a-z0-9+.-]{0,30}://[^/\s:@]*):[^/\s?#]+@", rf"\1:{REDACTED}@"),
    (r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}", rf"\1 {REDACTED}"),
    (r"(?i)\b(\w*(?:" + _NAMES + r"))(['\"]?\s*[=:]\s*['\"]?)[^\s'\",;&}]{3,}", rf"\1\2{REDACTED}"),
    (r"(?i)(/bot)\d{6,}:[A-Za-z0-9_-]{30,}", rf"\1{REDACTED}"),
    (r"\bdwt_[A-Za-z0-9_-]{20,}", REDACTED),
    (r"\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}", REDACTED),
    (r"(?i)\b(private[ _-]?key|secret)(\W{1,3}(?:is|was)\W{1,3})(?:0x)?[0-9a-f]{64}\b", rf"\1\2{REDACTED}"),
    (
        rf"(-----BEGIN {_PEM}-----)[\s\S]+?(?:-----END {_PEM}-----|\Z)",
        rf"\1{REDACTED}",
    ),
    (r"(hooks\.slack\.com/services)/[A-Za-z0-9/]+", rf"\1/{REDACTED}"),
)


_NAMED = rf"(?i)\w*(?:{_NAMES})"


def names_secret(name: str) -> bool:
    """Whether what goes by this name is a secret: `password` or `api_key`, say."""
    return re.fullmatch(_NAMED, name) is not None


def scrub(text: str) -> str:
    """The text with what looks like a secret replaced by `[redacted]`."""
    for pattern, replacement in _PATTERNS:
        text = re.sub(pattern, replacement, text)
    return text


_IDS = frozenset({"command_id", "idempotency_key", "cause", "trace"})
"""Fields that others look for again: they stay as they are."""
_WORD = r"[A-Za-z0-9_-]{16,}"
StructT = TypeVar("StructT", bound=msgspec.Struct)


def scrub_value(value: Any, is_secret: Callable[[str], bool] | None = None) -> Any:  # Any: whatever JSON holds
    """A JSON value with each text in it scrubbed. Names stay, and what they name is not judged by them.

    Args:
        value: What `json.loads` gives.
        is_secret: Whether a word of 16 or more characters is a known secret.
    """
    if isinstance(value, str):
        if is_secret is not None:
            value = re.sub(_WORD, lambda word: REDACTED if is_secret(word[0]) else word[0], value)
        return scrub(value)
    if isinstance(value, dict):
        return {name: scrub_value(each, is_secret) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [scrub_value(each, is_secret) for each in value]
    return value


def scrubbed(event: StructT, is_secret: Callable[[str], bool] | None = None) -> StructT:
    """The event with all its texts scrubbed, but for ids; itself where there is nothing to take out."""
    changed = {}
    for name in event.__struct_fields__:
        before = getattr(event, name)
        if name not in _IDS and isinstance(before, str | dict | list) and before:
            after = scrub_value(before, is_secret)
            if after != before:
                changed[name] = after
    return msgspec.structs.replace(event, **changed) if changed else event
