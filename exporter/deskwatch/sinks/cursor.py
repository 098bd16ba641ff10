"""How far a sink has delivered each journal, kept on disk."""

from __future__ import annotations

import logging
from pathlib import Path

import msgspec

from deskwatch import atomic
from deskwatch.journal import Position

logger = logging.getLogger(__name__)


class CursorState(msgspec.Struct, kw_only=True):
    """Positions behind what was delivered, and what that came to."""

    positions: list[tuple[str, str, int, int]] = []
    delivered: int = 0
    quarantined: int = 0


class Cursor:
    """The cursor file of one sink: `<home>/sinks/<name>.json`."""

    def __init__(self, home: Path, name: str) -> None:
        self.path = home / "sinks" / f"{name}.json"
        self.positions: dict[tuple[str, str], Position] = {}
        self.delivered = 0
        self.quarantined = 0

    def load(self) -> None:
        """Read the file. Without a readable one everything is delivered again: Loki drops what it has already."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            state = msgspec.json.decode(self.path.read_bytes(), type=CursorState)
        except FileNotFoundError:
            return
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            logger.warning("cursor can't be read, delivering from the start", extra={"error": str(error)})
            return
        self.positions = {(bot, writer): Position(segment, offset) for bot, writer, segment, offset in state.positions}
        self.delivered, self.quarantined = state.delivered, state.quarantined

    def save(self) -> None:
        """Put the cursor on disk.

        Raises:
            OSError: The disk refused.
        """
        rows = [(bot, writer, at.segment, at.offset) for (bot, writer), at in self.positions.items()]
        state = CursorState(positions=rows, delivered=self.delivered, quarantined=self.quarantined)
        atomic.write(self.path, msgspec.json.encode(state))
