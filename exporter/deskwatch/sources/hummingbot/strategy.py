"""Whether Hummingbot's strategy runs: nothing says so by itself, so that it is put together.

The RPC `status` tells: 200 with text where one runs, 400 with `No strategy is currently running!` where none does. From
2.7 to 2.16 at least it can't tell: it replies 400 with `'HummingbotApplication' object has no attribute 'strategy'`,
whatever runs. Then the log tells (`Strategy … started successfully`, `Strategy stopped successfully`), and so do an
order that was created and controllers that report.
"""

from __future__ import annotations

import re
import time

from deskwatch.sources.hummingbot.payload import Fields, text
from deskwatch.sources.hummingbot.rpc import Reply

NONE_RUNS = "No strategy is currently running!"
_STARTED = re.compile(r"Strategy .{1,200} started successfully|'.{1,200}' strategy execution started\.")
_STOPPED = ("stop command initiated.", "Strategy stopped successfully", "Clock stopped successfully")
BRIDGE_STARTED = "MQTT Bridge connected with success."
"""Logged when the bridge begins, and not when it connects again: Hummingbot was started, or its bridge was."""


class Strategy:
    """What is known of it.

    Attributes:
        runs: Whether one runs; None where nothing told yet.
        shown_started: When something of Hummingbot's own last showed that one was started (`time.monotonic`).
        shown_stopped: When something of Hummingbot's own last showed that one was stopped.
        answers: Whether `status` can tell; None before it was asked.
    """

    def __init__(self) -> None:
        self.runs: bool | None = None
        self.shown_started = 0.0
        self.shown_stopped = 0.0
        self.answers: bool | None = None

    def status(self, reply: Reply) -> None:
        """`status` was replied."""
        if reply.is_well:
            self.answers = True
            self._started()
        elif reply.message.strip() == NONE_RUNS:
            self.answers = True
            self._stopped()
        else:  # it failed: by itself, or as this version can't tell
            self.answers = False

    def log(self, told: Fields) -> bool:
        """A record of the log came; whether it told something of the strategy."""
        if not text(told.get("logger_name"), 100).startswith("hummingbot."):
            return False
        message = text(told.get("msg"), 500)
        if message.startswith(_STOPPED):
            self._stopped()
            return True
        if _STARTED.match(message):
            self._started()
            return True
        return False

    def forget(self) -> None:
        """It was started anew: what was known is of the one before."""
        self.runs = None

    def acted(self) -> None:
        """It created an order, or its controllers report."""
        self._started()

    def ended(self) -> None:
        """Its controllers said their last."""
        self._stopped()

    def _started(self) -> None:
        self.runs, self.shown_started = True, time.monotonic()

    def _stopped(self) -> None:
        self.runs, self.shown_stopped = False, time.monotonic()
