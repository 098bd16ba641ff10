"""The demo: a bot that trades on a local chain, the sidecar, and nothing else to install.

The bot and its chain are the repository's `examples/arbitrage_bot`; a wheel carries them beside this file.
"""

from __future__ import annotations

from deskwatch.demo.launcher import run

__all__ = ["run"]
