"""Looking at journals from a terminal: `deskwatch journal stats | check | tail | grep`."""

from __future__ import annotations

from deskwatch.inspection.command import add_parser

__all__ = ["add_parser"]
