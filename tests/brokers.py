"""A real MQTT broker, mosquitto, for one test."""

from __future__ import annotations

import asyncio
import getpass
from pathlib import Path
from typing import Self

from tests.running import free_port
from tests.servers import require
from tests.waiting import patience

START_SECONDS = 10.0


class Broker:
    """Listens on a free port of 127.0.0.1 within `async with`; may be stopped and started in between.

    Attributes:
        port: Its port, which stays.

    Args:
        folder: Where its configuration goes.
        lines: More of its configuration; by default whoever comes may do all.
    """

    def __init__(self, folder: Path, *lines: str) -> None:
        self.port = free_port()
        self._binary = require("mosquitto")
        self._file = folder / "mosquitto.conf"
        self._lines = lines or ("allow_anonymous true",)
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """Where it is, without TLS."""
        return f"mqtt://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Start it, and wait until it takes connections."""
        listener = [f"listener {self.port} 127.0.0.1", f"user {getpass.getuser()}", "persistence false"]
        self._file.write_text("\n".join([*listener, *self._lines]) + "\n")
        nothing = asyncio.subprocess.DEVNULL
        self._process = await asyncio.create_subprocess_exec(
            self._binary, "-c", str(self._file), stdout=nothing, stderr=nothing
        )
        deadline = asyncio.get_running_loop().time() + START_SECONDS * patience()
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                ended = self._process.returncode
                assert ended is None, f"mosquitto ended with {ended}; run it with {self._file} to see why"
                assert asyncio.get_running_loop().time() < deadline, "mosquitto does not listen"
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return

    async def stop(self) -> None:
        """Stop it: all connections are cut."""
        if self._process is not None:
            self._process.terminate()
            await self._process.wait()
            self._process = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
