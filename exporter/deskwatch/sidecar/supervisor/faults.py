"""What may go wrong with a supervised bot."""

from __future__ import annotations

from deskwatch.errors import DeskwatchError


class StillThere(DeskwatchError):
    """Something of the bot did not end although it was killed."""


class Overtaken(DeskwatchError):
    """A start or restart was overtaken by another action."""
