"""A bot whose commands have an effect outside of the journal: `python -m tests.fault.commanded_bot HOME EFFECTS`.

The effect is a line in the file EFFECTS, on disk when its step is told. At each step of a command the bot says which on
stdout and goes on when it gets a line on stdin, so that whoever drives it can kill it there.
"""

from __future__ import annotations

import os
import sys

import msgspec

from deskwatch import PositionClosed, Recorder

STEPS = ("started", "effect", "shown", "said")


class Append(msgspec.Struct):
    """Parameters of the bot's own command."""

    token: str


def main() -> None:
    """Carry out commands until stdin ends."""
    effects = os.open(sys.argv[2], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with Recorder.open("arb-1", home=sys.argv[1]) as recorder:
        recorder.register("append", Append, description="Appends a line.")
        _tell("ready")
        while True:
            command = recorder.next_command(timeout_seconds=0.2)
            _ = recorder.mode
            if command is None:
                continue
            _step("started")
            position = command.params.get("position_id")
            token = command.parsed.token if command.parsed is not None else position
            os.write(effects, f"{token}\n".encode())
            os.fsync(effects)
            _step("effect")
            if position is not None:
                recorder.emit(
                    PositionClosed(position_id=position, venue="v", symbol="S", realized_pnl=0.0, asset="USDC")
                )
            _step("shown")
            command.succeed()
            _step("said")


def _tell(what: str) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


def _step(name: str) -> None:
    _tell(name)
    if not sys.stdin.readline():
        sys.exit(0)


if __name__ == "__main__":
    main()
