"""`deskwatch watch`: a sidecar for a bot that writes no journal, in one command. And `doctor`, which tries it first."""

from __future__ import annotations

from deskwatch.watch.command import add_parser

__all__ = ["add_parser"]
