"""One source at work, in this process or in another, and what it journals."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from deskwatch import encoding
from deskwatch.errors import InvalidLine
from deskwatch.events import CommandAccepted, Event, Json
from deskwatch.journal import Writer, WriterFollower, names, read
from deskwatch.sources import kinds
from deskwatch.sources.conversion import convert
from deskwatch.sources.health import Health
from deskwatch.sources.host import Sources
from deskwatch.sources.source import Source
from tests.sources.rig import Rig

ROOT = Path(__file__).parents[2]
BOT = "watched-1"


class Watching:
    """A home, and a source that watches a rig for it.

    Attributes:
        home: The home.
    """

    def __init__(self, rig: Rig, home: Path) -> None:
        self.home = home
        self._rig = rig

    def source(self) -> Source:
        """A new one, as a new process has it."""
        cls = kinds.settings_type(self._rig.kind)
        settings = convert(cls, {"bot": BOT, **self._rig.block()}, self.home)
        return kinds.open_source(kinds.Configured(self._rig.kind, settings, "the test"))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Health]:
        """The source runs within, in this process."""
        sources = Sources(self.home, [kinds.Assigned(self.source(), BOT, names.MAIN)])
        async with sources:
            yield sources.healths[0]

    @asynccontextmanager
    async def elsewhere(self) -> AsyncIterator[asyncio.subprocess.Process]:
        """The source runs within, in a process of its own, which is killed at the end."""
        config = self.home.parent / "deskwatch.toml"
        block = {"kind": self._rig.kind, "bot": BOT, **self._rig.block()}
        config.write_text("[[source]]\n" + "".join(f"{name} = {_toml(value)}\n" for name, value in block.items()))
        extra = [] if self._rig.module is None else [self._rig.kind, self._rig.module]
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "tests.sources.alone", str(self.home), str(config), *extra),
            stdout=asyncio.subprocess.PIPE,
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": f"{ROOT / 'exporter'}{os.pathsep}{ROOT}"},
        )
        try:
            assert process.stdout is not None
            assert await process.stdout.readline() == b"watching\n"
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGKILL)
            await process.wait()

    def events(self) -> list[Event]:
        """All that the source journaled, in order."""
        return journaled(self.home)

    def told(self) -> Counter[str]:
        """Fact → how often it was told."""
        facts = map(self._rig.fact_of, self.events())
        return Counter(fact for fact in facts if fact is not None)

    def of(self, *kinds_: type[Any]) -> list[Any]:  # Any: of those kinds
        """The events of these types, in order."""
        return [event for event in self.events() if isinstance(event, kinds_)]

    def give(self, command: str, *, seconds: float = 60.0) -> str:
        """Give the bot a command, as a sidecar does; its id."""
        return give(self.home, command, seconds=seconds)


def journaled(home: Path) -> list[Event]:
    """What is in the watched bot's journal, in order."""
    follower = WriterFollower(home, BOT, names.MAIN)
    found = []
    while (batch := follower.read()) is not None:
        for line in batch.lines:
            with contextlib.suppress(InvalidLine):  # a kill may tear the last one
                event = read(line, BOT, names.MAIN).event
                if isinstance(event, Event):
                    found.append(event)
    follower.close()
    return found


def give(
    home: Path,
    command: str,
    params: dict[str, Json] | None = None,
    *,
    seconds: float = 60.0,
    leaves_halted: bool = False,
) -> str:
    """Give the watched bot a command, as a sidecar does; its id."""
    command_id = f"c{time.time_ns()}"
    accepted = CommandAccepted(
        command_id=command_id,
        command=command,
        params=params or {},
        actor="ann",
        expires_ts=time.time_ns() + int(seconds * 1e9),
        leaves_halted=leaves_halted,
    )
    writer = Writer(names.writer_folder(home, BOT, names.CONTROL)).open()
    writer.append(encoding.encode(accepted))
    writer.close()
    return command_id


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {_toml(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(str(value) if isinstance(value, Path) else value)
