"""Checking one control journal's chain, line by line.

What a chain alone can't show: that its end was cut off while no sidecar ran, that all of it was made anew, or, once
retention has removed its beginning, that more of it went than that. For these there are the copies in Loki.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from deskwatch.errors import InvalidLine
from deskwatch.journal import START, Position, names
from deskwatch.journal.chained import GENESIS, digest
from deskwatch.journal.line import Envelope, read_envelope
from deskwatch.journal.walk import Line

MAX_BREAKS = 100
"""Remembered of one journal; there may be more."""


class Break(msgspec.Struct, frozen=True, kw_only=True):
    """A place where a chain is broken."""

    bot: str
    file: str
    """Path below the home's `journal` folder."""
    offset: int
    """Bytes of the file before the line."""
    seq: int | None
    """The line's `seq`, if it can be read."""
    detail: str

    @property
    def place(self) -> str:
        """Where, in words."""
        return f"{self.file} at byte {self.offset}" + (f" (seq {self.seq})" if self.seq is not None else "")


class Chain:
    """Follows one bot's control journal from its first line on.

    Attributes:
        lines: Whole lines so far.
        unchained: Lines before the chain's first link, of a version that made none.
        breaks: Where it is broken, up to MAX_BREAKS.
        head: Hash of the newest line.
    """

    def __init__(self, bot: str, removed_to: Callable[[], Position] = lambda: START) -> None:
        self._bot = bot
        self._removed_to = removed_to
        self._is_chained = False
        self._last_seq: int | None = None
        self.lines = 0
        self.unchained = 0
        self.breaks: list[Break] = []
        self.head: str | None = None

    def take(self, line: Line) -> Envelope | None:
        """Check the next line; its envelope, or None where it can't be read."""
        if not line.whole:
            return None
        try:
            envelope = read_envelope(line.text)
        except InvalidLine as error:
            self._break(line, None, f"expected a sound line, but: {error}")
            self.head = digest(line.text)
            self.lines += 1
            return None
        self._check(line, envelope)
        self._is_chained = self._is_chained or envelope.prev is not None
        self.head = digest(line.text)
        self.lines += 1
        self._last_seq = envelope.seq
        return envelope

    def _check(self, line: Line, envelope: Envelope) -> None:
        if self.head is None:
            self._check_first(line, envelope)
        elif envelope.prev is None:
            if self._is_chained:
                self._break(line, envelope.seq, "expected a line that names the one before it, was one that does not")
            else:
                self.unchained += 1
        elif envelope.prev != self.head:
            gap = self._last_seq is not None and envelope.seq is not None and envelope.seq != self._last_seq + 1
            words = "lines are missing, or moved" if gap else "that one was changed, or put there, since"
            self._break(line, envelope.seq, f"expected the line that this one follows to be before it; {words}")

    def _check_first(self, line: Line, envelope: Envelope) -> None:
        if envelope.prev is None:
            self.unchained += 1
        elif (
            envelope.prev != GENESIS and self._removed_to() == START
        ):  # what retention removed, it remembers; then the predecessor is not known
            self._break(line, envelope.seq, "expected the lines before it, which retention did not remove")

    def _break(self, line: Line, seq: int | None, detail: str) -> None:
        if len(self.breaks) < MAX_BREAKS:
            file = f"{self._bot}/{names.CONTROL}/{names.segment_name(line.segment)}"
            self.breaks.append(Break(bot=self._bot, file=file, offset=line.offset, seq=seq, detail=detail))
