"""What can be wrong between deskwatch and a Hummingbot.

HummingbotError
├── BrokerRefused   the broker can't be reached, or does not let us do what is needed
└── NoReply         Hummingbot did not reply in time
"""

from __future__ import annotations

from deskwatch.errors import DeskwatchError


class HummingbotError(DeskwatchError):
    """Base of these."""


class BrokerRefused(HummingbotError):
    """The broker can't be used.

    Attributes:
        reason: A short word: `refused`, `unauthorized`, `tls`, `timeout`, `acl`, `secret`.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class NoReply(HummingbotError):
    """Hummingbot did not reply in time."""
