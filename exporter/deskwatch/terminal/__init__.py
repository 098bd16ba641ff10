"""`deskwatch top`: the bots of one or many sidecars, live in a terminal, with the keys that steer them."""

from __future__ import annotations

from deskwatch.terminal.command import add_parser

__all__ = ["add_parser"]
