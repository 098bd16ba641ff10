"""Taking secrets out of free text before it reaches the journal.

What is recognised: private keys and other 32-byte hex strings that are named as secrets, passwords in URLs, bearer
tokens, `name=value` pairs whose name says secret, and seed phrases of 12 or more words that are named as such. A
transaction hash is 32 bytes too, so bare hex stays.
"""

from __future__ import annotations

import re

REDACTED = "[redacted]"

_NAMES = (
    r"(?:password|passwd|passphrase|(?<![a-z])pass)|secret|api[ _-]?key|access[ _-]?key|auth[ _-]?token|token"
    r"|private[ _-]?key|credentials?"
)
_PATTERNS = (  # compiled by `re` when they are first used: at import that would cost each bot 2 ms
    (
        r"(?i)\b((?:mnemonic|seed)(?:[ _-]?phrase)?\W{1,4})(?:[a-z]{3,8}\s+){11,23}[a-z]{3,8}",
        rf"\1{REDACTED}",
    ),
    (r"(?i)\b([a-z][a-z0-9+.-]{0,30}://[^/\s:@]*):[^/\s@]+@", rf"\1:{REDACTED}@"),
    (r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}", rf"\1 {REDACTED}"),
    (r"(?i)\b(\w*(?:" + _NAMES + r"))(['\"]?\s*[=:]\s*['\"]?)[^\s'\",;&}]{3,}", rf"\1\2{REDACTED}"),
    (r"(?i)(/bot)\d{6,}:[A-Za-z0-9_-]{30,}", rf"\1{REDACTED}"),
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
