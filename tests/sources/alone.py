"""Sources without a sidecar, to be killed: `python -m tests.sources.alone HOME deskwatch.toml [KIND MODULE]`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from deskwatch.sources import KINDS, file, kinds
from deskwatch.sources.host import Sources


async def main(home: Path, config: Path) -> None:
    async with Sources(home, kinds.assign(file.read(config))):
        print("watching", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    if sys.argv[3:]:
        KINDS[sys.argv[3]] = sys.argv[4]
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
