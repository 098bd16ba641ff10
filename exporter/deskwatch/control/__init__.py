"""Control from a shell: `deskwatch ctl …` asks a sidecar, waits for the proof that it was done, and says which it was.

A file per question: what is asked (`orders`), of which sidecar (`desks`), how it is given and watched (`giving`), what
came of it (`outcome`), how it is told (`telling`); and what only reads: `status`, `output`, `watching`.
"""

from __future__ import annotations

from deskwatch.control.command import add_parser

__all__ = ["add_parser"]
