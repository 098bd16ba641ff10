"""deskwatch: observability and control for trading bots. This is the bot's side."""

from __future__ import annotations

from deskwatch.command import Command
from deskwatch.errors import DeskwatchError
from deskwatch.events import *  # noqa: F403  the vocabulary is the public surface; its __all__ is explicit
from deskwatch.events import __all__ as _events
from deskwatch.logs import JournalHandler
from deskwatch.recorder import Recorder
from deskwatch.version import __version__

__all__ = sorted(["Command", "DeskwatchError", "JournalHandler", "Recorder", "__version__", *_events])
