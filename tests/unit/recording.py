"""Recorders and control journals for the bot side's tests."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deskwatch import Recorder
from deskwatch.encoding import encode
from deskwatch.events import CommandAccepted, Mode
from deskwatch.journal import Writer, names
from tests.lines import BOT

Open = Callable[..., Recorder]
_ids = itertools.count(1)


@contextmanager
def operator(home: Path, bot: str = BOT) -> Iterator[Operator]:
    """The sidecar's side of a bot's control journal."""
    writer = Writer(names.writer_folder(home, bot, names.CONTROL)).open()
    try:
        yield Operator(writer)
    finally:
        writer.close()


class Operator:
    """Gives commands by journaling that they were accepted."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def give(
        self, kind: str, params: dict[str, Any] | None = None, *, seconds: float = 30.0, leaves_halted: bool = True
    ) -> str:
        """Give a command that expires after so many seconds; its id. It may lead out of `halted`, or not."""
        command_id = f"c{next(_ids)}"
        accepted = CommandAccepted(
            command_id=command_id,
            command=kind,
            params=params or {},
            actor="operator",
            reason="a test",
            expires_ts=time.time_ns() + int(seconds * 1e9),
            leaves_halted=leaves_halted,
        )
        self._writer.append(encode(accepted), durable=True)
        return command_id

    def ask(self, mode: Mode | str) -> str:
        """Ask for a mode; the command's id."""
        return self.give("set_mode", {"mode": str(mode)})
