"""What the compose stack needs before its servers start: `deskwatch stack prepare`."""

from __future__ import annotations

from deskwatch.stack.preferences import Preferences
from deskwatch.stack.preparing import OWNERS, add_parser, prepare

__all__ = ["OWNERS", "Preferences", "add_parser", "prepare"]
