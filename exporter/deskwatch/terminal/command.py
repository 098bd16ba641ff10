"""The flags of `deskwatch top`."""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
from pathlib import Path
from typing import Any

from deskwatch.control.reach import accesses_of, add_access
from deskwatch.errors import ConfigError

SHOT_SECONDS = 3.0
"""Time for the first data before a picture is taken."""


def add_parser(commands: Any) -> None:  # Any: argparse keeps the type of its subparsers private
    """Add `top` to the command line."""
    parser = commands.add_parser("top", help="the bots of one or many sidecars, live in the terminal")
    add_access(parser)
    parser.add_argument("--bot", action="append", default=[], help="only this bot; repeatable")
    parser.add_argument("--screenshot", type=Path, metavar="FILE", help="write a picture (SVG) after some seconds, end")
    parser.add_argument("--size", default="100x30", metavar="WxH", help="of that picture (default: %(default)s)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run until someone quits.

    Raises:
        ConfigError: A flag is wrong, the terminal's library is missing, or there is no terminal to draw on.
    """
    accesses = accesses_of(arguments)
    size = re.fullmatch(r"(\d{2,3})x(\d{2,3})", arguments.size)
    if size is None:
        raise ConfigError(f"expected --size such as 100x30, was {arguments.size!r}")
    try:
        from deskwatch.terminal.app import Top
        from deskwatch.terminal.fleet import Fleet
    except ModuleNotFoundError as error:
        raise ConfigError(f"{error}; install it with: pip install 'deskwatch[tui]'") from None
    if arguments.screenshot is None and not _is_at_a_terminal():
        raise ConfigError("expected a terminal, was a pipe or a file; for scripts there is `deskwatch ctl status`")

    async def show() -> int:
        async with Fleet(accesses, tuple(arguments.bot)) as fleet:
            app = Top(fleet)
            if arguments.screenshot is None:
                await app.run_async()
                return app.return_code or 0
            async with app.run_test(size=(int(size[1]), int(size[2]))) as pilot:
                await pilot.pause(SHOT_SECONDS)
                arguments.screenshot.write_text(app.export_screenshot(title="deskwatch top"))
        return 0

    return asyncio.run(show())


def _is_at_a_terminal() -> bool:
    # Keys come from stdin; the picture goes to stderr, and whoever redirects stdout wants text.
    streams = (sys.__stdin__, sys.__stdout__, sys.__stderr__)
    return all(stream is not None and stream.isatty() for stream in streams)
