"""How an event becomes a journal's line: encoded, checked, appended; and what becomes of one that doesn't."""

from __future__ import annotations

from deskwatch import encoding
from deskwatch.errors import DeskwatchError, EventError, NotSynced
from deskwatch.events import CommandFailed, ErrorOccurred, Event
from deskwatch.journal import Writer
from deskwatch.scrub import scrubbed
from deskwatch.trouble import Trouble, reason_of

_FREE_TEXT = frozenset({CommandFailed, ErrorOccurred})
"""Rare events that hold what an exception said: a URL with its password, say. `JournalHandler` scrubs log records."""


class Entry:
    """The way into one journal. In live use nothing here raises, but for `write`.

    Attributes:
        strict: Raise on events with wrong fields.
        null_values: Figures that were NaN or infinite and were journaled as null.
    """

    def __init__(self, journal: Writer, trouble: Trouble, *, strict: bool) -> None:
        self.strict = strict
        self.null_values = 0
        self._append = journal.append
        self._trouble = trouble

    def write(self, event: Event, *, durable: bool = False) -> None:
        """Journal an event.

        Raises:
            NotSynced: It is in the journal, and not known to be on disk (`durable` only).
            Exception: It is not in the journal.
        """
        if event.__class__ in _FREE_TEXT:
            event = scrubbed(event)
        body = encoding.encode(event)
        if self.strict or b"null" in body:
            self.look_into(event, body)
        self._append(body, durable=durable)

    def emit(self, event: Event, durable: bool) -> bool:
        """Journal an event; whether that worked, and with `durable` whether it is known to be on disk."""
        try:
            self.write(event, durable=durable)
        except Exception as error:
            self.failed(event, error)
            return False
        return True

    def attempt(self, event: Event) -> bool:
        """Journal an event whose failing is no loss: it is kept and tried again, or its like follows soon."""
        try:
            self.write(event)
        except Exception as error:
            self._trouble.tell(reason_of(error), f"the recorder's own event is not journaled yet: {error}")
            return False
        return True

    def look_into(self, event: Event, body: bytes) -> None:
        """Count figures that are not finite; in strict mode refuse what is wrong.

        Raises:
            EventError: In strict mode: a field is of the wrong type or not finite.
        """
        self.null_values += encoding.count_nulls(event, body)
        if self.strict:
            encoding.check(event, body)

    def failed(self, event: Event, error: Exception) -> None:
        """An event was not journaled, or not durably: count and tell it.

        Raises:
            EventError: In strict mode: it was the event's fault.
        """
        if isinstance(error, NotSynced):
            self._trouble.tell("unsynced", str(error))  # it is in the journal, and the writer goes on trying
        elif isinstance(error, EventError):
            raise error
        elif self.strict and not isinstance(error, OSError | DeskwatchError):
            raise EventError(f"{type(event).__name__}: {error}") from error
        else:
            self._trouble.lose(error)
