"""The writer of a control journal: each line names the one before it by its hash.

The `prev` of a line's envelope is the SHA-256, in hex, of the line before it as it was written, without its newline.
The first line of all has GENESIS there. Who changes, removes or inserts a line in the middle breaks the chain there,
and who rewrites all of it must rewrite what Loki holds, too.
"""

from __future__ import annotations

import hashlib
import threading
import zlib
from typing import Any

from deskwatch.journal import tail
from deskwatch.journal.writer import Writer

GENESIS = "0" * 64
"""What stands for the line before the first."""


def digest(line: bytes) -> str:
    """What the next line calls this one (without its newline)."""
    return hashlib.sha256(line).hexdigest()


class ChainedWriter(Writer):
    """Appends to a chain. Its head is taken from the disk when it opens, and from then on from what it wrote itself."""

    def __init__(self, *args: Any, **more: Any) -> None:  # as Writer
        super().__init__(*args, **more)
        self._chaining = threading.RLock()
        self._chained: bytes | None = None
        self._head = GENESIS

    def open(self) -> ChainedWriter:
        """As `Writer.open`."""
        super().open()
        self._head = self._last()
        return self

    @property
    def gone_before(self) -> int:
        """Lines before this `seq` may have been removed with their segment."""
        return self._syncing.gone_before

    def append(self, body: bytes, *, durable: bool = False) -> int:
        """As `Writer.append`; the line also holds the hash of the one before it."""
        with self._chaining:
            if body is self._chained:  # the writer tries again what was removed behind its back
                return super().append(body, durable=durable)
            before = self.next_seq
            self._chained = chained = b'%b,"prev":"%b"}' % (body[:-1], self._head.encode())
            try:
                return super().append(chained, durable=durable)
            finally:
                self._chained = None
                if self.next_seq != before:  # it is written, whether the disk confirmed that or not
                    self._head = digest(self._written(chained))

    def _written(self, body: bytes) -> bytes:
        """The newest line, as the writer framed it: to read it back might fail, and the line is there all the same."""
        text = self._template % (self._ts, self._seq - 1, body[1:])
        return text[:-1] + b',"crc":%d}' % zlib.crc32(text)

    def _last(self) -> str:
        last = tail.last_line(self.folder)
        return GENESIS if last is None else digest(last)
