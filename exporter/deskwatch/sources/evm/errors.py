"""What asking a node raises.

DeskwatchError
├── RpcError       a node answered that it can't or won't (`code`, `data`)
├── NoAnswer       no endpoint answered (`retry_seconds`)
└── EndpointFault  one endpoint did not answer well (`reason`); another is asked in its place
    └── Garbled    it answered what is no answer
"""

from __future__ import annotations

from typing import Any

from deskwatch.errors import DeskwatchError

NO_METHOD = -32601
"""JSON-RPC's code where a node lacks a method."""
REVERTED = 3
"""geth's code for a call that reverted; `data` holds what the contract returned."""


class RpcError(DeskwatchError):
    """A node's own error. The same question would be answered so again.

    Attributes:
        code: As the node gave it.
        data: What came with it: of a revert, the returned bytes as hex digits.
    """

    def __init__(self, code: int, message: str, data: Any = None) -> None:  # Any: whatever the node attached
        super().__init__(f"{message} (code {code})")
        self.code = code
        self.message = message
        self.data = data


class NoAnswer(DeskwatchError):
    """No endpoint answers now; nothing is known. Ask the same again later.

    Attributes:
        retry_seconds: When the first endpoint may be asked again.
    """

    def __init__(self, message: str, retry_seconds: float = 1.0) -> None:
        super().__init__(message)
        self.retry_seconds = retry_seconds


class EndpointFault(DeskwatchError):
    """One endpoint failed.

    Attributes:
        reason: A short word: `timeout`, `connect`, `http_503`, `rate_limited`, `garbage`, `refused`, `wrong_chain`.
        retry_seconds: How long it asked to be left alone; 0 where it did not.
    """

    def __init__(self, reason: str, detail: str, retry_seconds: float = 0.0) -> None:
        super().__init__(detail)
        self.reason = reason
        self.retry_seconds = retry_seconds


class Garbled(EndpointFault):
    """An answer that is not what was asked for."""

    def __init__(self, detail: str) -> None:
        super().__init__("garbage", detail)
