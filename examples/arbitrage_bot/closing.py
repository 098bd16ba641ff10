"""Commands to close: what an operator asked for stays open until the position is flat, or can't be."""

from __future__ import annotations

from deskwatch import Command

MAX_ATTEMPTS = 8
"""Sales that may fail before the operator is told that closing failed."""


class Closings:
    """The operator's open requests to close."""

    def __init__(self) -> None:
        self._commands: list[Command] = []
        self._attempts = 0

    @property
    def first(self) -> Command | None:
        """The oldest request."""
        return self._commands[0] if self._commands else None

    def add(self, command: Command) -> None:
        """Take a request on."""
        self._commands.append(command)

    def succeed(self, position_id: str | None, realized_pnl: float = 0.0) -> None:
        """All requests are carried out: a position was closed, or there was none.

        Args:
            position_id: What was closed.
            realized_pnl: What it made, in whole units of quote.
        """
        for command in self._take():
            if position_id is None:
                command.succeed({"closed": []})
            else:
                command.succeed({"closed": [position_id], "realized_pnl": realized_pnl})

    def fail(self, reason: str) -> None:
        """None of the requests can be carried out."""
        for command in self._take():
            command.fail(reason)

    def failed_attempt(self, reason: str) -> None:
        """A sale failed; too many of them, and the requests fail."""
        if self._commands:
            self._attempts += 1
        if self._attempts >= MAX_ATTEMPTS:
            self.fail(f"{self._attempts} sales failed, the last one with: {reason}")

    def _take(self) -> list[Command]:
        commands, self._commands, self._attempts = self._commands, [], 0
        return commands
