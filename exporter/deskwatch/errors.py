"""What deskwatch raises.

    DeskwatchError
    ├── ConfigError           a setting, flag or file that a person wrote is wrong
    ├── EventError            an event that strict mode refuses
    ├── InvalidLine           a journal line that can't be counted as an event (`reason`)
    ├── JournalError          a journal that can't be opened or written
    │   ├── WriterLocked      another process writes under that name (`holder`)
    │   ├── NotJournaled      a source's event can't be written now
    │   └── NotSynced         a line is in the journal, and not yet known to be on disk (`seq`)
    ├── CommandError          a command used out of order (finished twice, say)
    └── SidecarError          a sidecar that was asked did not do it
        ├── Unreachable       it gave no answer (`arrived`)
        ├── NotAllowed        it wants a token, or another one (`status`)
        └── Declined          its answer was no (`status`)

`emit` raises none of these in live use: see `deskwatch.recorder`.
"""

from __future__ import annotations


class DeskwatchError(Exception):
    """Base of everything that deskwatch raises on purpose."""


class ConfigError(DeskwatchError):
    """A setting is wrong; the message says what was expected, what was there and what to do."""


class EventError(DeskwatchError):
    """An event has a field of the wrong type. Raised in strict mode only."""


class InvalidLine(DeskwatchError):
    """A journal line is not an event.

    Attributes:
        reason: `json`, `length`, `crc`, `envelope`, `fields`, `misplaced`, or `duplicate` (seen before, which only who
            reads the whole journal can tell); the label on `deskwatch_invalid_lines_total`.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class JournalError(DeskwatchError):
    """A journal can't be opened or written."""


class WriterLocked(JournalError):
    """A second writer of one name was refused.

    Attributes:
        holder: what the lock file says of the process that holds it (pid and host).
    """

    def __init__(self, path: str, holder: str) -> None:
        super().__init__(
            f"expected to be the only writer of {path}, but {holder or 'another process'} holds its lock; "
            f"stop that process, or open the recorder under another writer name"
        )
        self.holder = holder


class NotSynced(JournalError):
    """The journal is in the kernel's hands, but the disk did not confirm it. The writer keeps trying.

    The line is not lost and must not be written again: it is read back by whoever follows the journal, and it survives
    the death of its process. Only a power loss could still take it.

    Attributes:
        seq: `seq` of the line that was to be durable; None where no single line was.
    """

    def __init__(self, message: str, seq: int | None = None) -> None:
        super().__init__(message)
        self.seq = seq


class NotJournaled(JournalError):
    """A source's event can't be written now: the disk is full, say. It is not told, and will be seen to be missing."""


class CommandError(DeskwatchError):
    """A command was finished twice, or by a process that did not start it."""


class SidecarError(DeskwatchError):
    """A sidecar was asked for something over its API, and did not do it."""


class Unreachable(SidecarError):
    """A sidecar gave no answer, or none that is one.

    Attributes:
        arrived: Whether the request may have reached it all the same.
        retry_seconds: How long it asks to be left alone.
    """

    def __init__(self, message: str, *, arrived: bool = True, retry_seconds: float = 0.0) -> None:
        super().__init__(message)
        self.arrived = arrived
        self.retry_seconds = retry_seconds


class NotAllowed(SidecarError):
    """A sidecar wants a token, or one that may do more, or does not know itself by the name it was asked under.

    Attributes:
        status: HTTP status: 401, 403 or 421.
    """

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


class Declined(SidecarError):
    """A sidecar understood, and said no. The same request would be declined again.

    Attributes:
        status: HTTP status, 4xx.
    """

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status
