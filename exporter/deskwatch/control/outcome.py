"""What came of something that was asked, and the exit status that tells a script."""

from __future__ import annotations

from enum import Enum
from typing import Any

import msgspec


class Outcome(Enum):
    """How it ended. The value is the word that is shown."""

    SUCCEEDED = "succeeded"
    ACCEPTED = "accepted"
    """Only where nobody wanted to wait."""
    FAILED = "failed"
    REFUSED = "refused"
    """By the sidecar or the bot, before anything was done."""
    EXPIRED = "expired"
    """The bot did not take it in time, and never will."""
    UNKNOWN = "unknown"
    """It may or may not have been done."""
    TIMEOUT = "not confirmed in time"
    """It may still be done."""
    UNREACHABLE = "unreachable"
    """It was never given."""
    NOT_ALLOWED = "not allowed"
    NOT_ASKED = "not asked"
    """Whoever was to confirm it did not."""


EXIT_STATUS = {
    Outcome.SUCCEEDED: 0,
    Outcome.ACCEPTED: 0,
    Outcome.FAILED: 1,
    Outcome.REFUSED: 3,
    Outcome.EXPIRED: 4,
    Outcome.UNKNOWN: 5,
    Outcome.TIMEOUT: 6,
    Outcome.UNREACHABLE: 7,
    Outcome.NOT_ALLOWED: 8,
    Outcome.NOT_ASKED: 9,
}
"""2 is for a wrong flag or setting, as with every command; 130 for Ctrl-C."""

STATUS_WORDS = """exit status:
  0  done: the bot's journal shows what was asked for (with --no-wait: accepted)
  1  failed: the bot tried
  2  a flag or a setting is wrong
  3  refused, nothing was done: no such bot, wrong parameters, not supervised …
  4  expired: the bot did not take it in time, and never will
  5  unknown: it may or may not have been done; look at `deskwatch ctl status`
  6  not confirmed within --timeout; it may still be done
  7  the sidecar can't be reached; nothing was given
  8  the token is missing, wrong, or may not do this
  9  not confirmed at the question, so not asked
"""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """An outcome with its reason.

    Attributes:
        words: A sentence for people; text from outside may be in it.
        document: The sidecar's last word on it: a command's resource, or a process.
        seconds: From the first try to the end.
    """

    outcome: Outcome
    words: str = ""
    document: dict[str, Any] = {}
    seconds: float = 0.0
