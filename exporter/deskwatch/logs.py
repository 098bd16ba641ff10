"""A bot's ordinary `logging` records as events, under the field names of python-json-logger."""

from __future__ import annotations

import logging
import traceback

from deskwatch.events import ErrorOccurred, Event, LogRecorded
from deskwatch.recorder import Recorder
from deskwatch.scrub import REDACTED, names_secret, scrub

_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


class JournalHandler(logging.Handler):
    """Journals log records: `logging.getLogger().addHandler(JournalHandler(recorder))`.

    Below ERROR a record becomes `LogRecorded`, from ERROR on `ErrorOccurred`; secrets are scrubbed from all text.
    """

    def __init__(self, recorder: Recorder, level: int = logging.INFO) -> None:
        super().__init__(level)
        self._recorder = recorder

    def emit(self, record: logging.LogRecord) -> None:
        """Journal one record. Never raises."""
        try:
            self._recorder.emit(as_event(record))
        except Exception:  # logging's own contract: a handler tells its trouble by handleError
            self.handleError(record)


def as_event(record: logging.LogRecord) -> Event:
    """A log record as the event it is journaled as."""
    extra = {key: _plain(key, value) for key, value in record.__dict__.items() if key not in _STANDARD} or None
    message = scrub(record.getMessage())
    if record.levelno < logging.ERROR:
        return LogRecorded(
            message=message,
            levelname=record.levelname,
            name=record.name,
            module=record.module,
            lineno=record.lineno,
            extra=extra,
        )
    error = record.exc_info[1] if record.exc_info else None
    return ErrorOccurred(
        component=record.name,
        kind=type(error).__name__ if error is not None else "logged",
        message=message,
        levelname=record.levelname,
        exc_info=scrub("".join(traceback.format_exception(error))) if error is not None else None,
        module=record.module,
        lineno=record.lineno,
        extra=extra,
    )


def _plain(name: str, value: object) -> object:
    """A value that JSON can hold; text is scrubbed, by its name too, and whatever is no number becomes text."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if names_secret(name):
        return REDACTED
    return scrub(str(value))
