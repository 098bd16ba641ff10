"""A bot whose commands have an effect outside of the journal: `python -m tests.fault.commanded_bot HOME EFFECTS`.

The effect is a line in the file EFFECTS, on disk when its step is told. At each step of a command the bot says which on
stdout and goes on when it gets a line on stdin, so that whoever drives it can kill it there. It opens a position for
each line of the file EFFECTS.open; at its start it tells of those that an earlier run closed without saying so.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import msgspec

from deskwatch import PositionClosed, PositionOpened, Recorder

STEPS = ("started", "effect", "shown", "said")


class Append(msgspec.Struct):
    """Parameters of the bot's own command."""

    token: str


def main() -> None:
    """Carry out commands until stdin ends."""
    effects = os.open(sys.argv[2], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with Recorder.open("arb-1", home=sys.argv[1]) as recorder:
        recorder.register("append", Append, description="Appends a line.")
        held: set[str] = set()
        _tell("ready")
        while True:
            _hold(recorder, Path(sys.argv[2]), held)
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
                _close(recorder, position)
            _step("shown")
            command.succeed()
            _step("said")


def _hold(recorder: Recorder, effects: Path, held: set[str]) -> None:
    """Tell of the positions that the bot holds now and did not tell of yet."""
    closed = effects.read_text().splitlines()
    for position in effects.with_suffix(".open").read_text().splitlines():
        if position in held:
            continue
        held.add(position)
        if position in closed:
            _close(recorder, position)
        else:
            opened = PositionOpened(
                position_id=position,
                venue="v",
                symbol="S",
                side="long",
                quantity=1.0,
                entry_price=1.0,
                asset="USDC",
            )
            recorder.emit(opened)


def _close(recorder: Recorder, position: str) -> None:
    recorder.emit(PositionClosed(position_id=position, venue="v", symbol="S", realized_pnl=0.0, asset="USDC"))


def _tell(what: str) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


def _step(name: str) -> None:
    _tell(name)
    if not sys.stdin.readline():
        sys.exit(0)


if __name__ == "__main__":
    main()
