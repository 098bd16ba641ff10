"""What goes wrong between deskwatch and a freqtrade.

FreqtradeError            (`reason`: one of few words, for metrics and connections)
├── Unreachable           no answer, or none that freqtrade gives (`retry_seconds`, `arrived`)
├── Unauthorized          it knows neither this user nor this password, or they can't be read
└── Refused               it answered, and the answer was no (`status`, `message`)
"""

from __future__ import annotations

from deskwatch.errors import DeskwatchError

UNREACHABLE_REASONS = (
    "broken",
    "busy",
    "dns",
    "garbage",
    "gateway",
    "network",
    "redirect",
    "refused",
    "timeout",
    "tls",
    "too_large",
)
"""Words of `Unreachable.reason`: the connection ended within an answer; told to wait (429, 503); no such host; not the
JSON that freqtrade speaks; a proxy before it answered that it is away; no route; another address is named; nothing
listens there; no answer in time; the certificate or the handshake; an answer beyond all bounds."""

_NOT_RUNNING = "trader is not running"
_NOT_READY = "Bot is not in the correct state"


class FreqtradeError(DeskwatchError):
    """Base of what this package raises.

    Attributes:
        reason: Why, in one of few words.
    """

    reason = "error"


class Unreachable(FreqtradeError):
    """No answer, or none that is freqtrade's.

    Attributes:
        reason: One of `UNREACHABLE_REASONS`.
        retry_seconds: How long it asked to be left alone.
        arrived: Whether the request may have been carried out all the same.
    """

    def __init__(self, reason: str, detail: str, *, retry_seconds: float = 0.0, arrived: bool = True) -> None:
        super().__init__(detail)
        self.reason = reason
        self.retry_seconds = retry_seconds
        self.arrived = arrived


class Unauthorized(FreqtradeError):
    """freqtrade does not let deskwatch in."""

    reason = "unauthorized"


class Refused(FreqtradeError):
    """freqtrade said no.

    Attributes:
        status: HTTP status. freqtrade answers 502 to what its trader can't do.
        message: Its words, bounded.
    """

    reason = "declined"

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"freqtrade answered {status}: {message}")
        self.status = status
        self.message = message

    @property
    def is_unknown(self) -> bool:
        """Whether this freqtrade has no such endpoint: it is older, or the path is wrong."""
        return self.status in (404, 405)

    @property
    def is_not_running(self) -> bool:
        """Whether it said so because its trader is stopped, or its bot is being made anew.

        Its words are all that tells: the status is the same for everything that its trader declines
        (freqtrade `rpc/rpc.py` and `rpc/api_server/deps.py`).
        """
        return _NOT_RUNNING in self.message or _NOT_READY in self.message
