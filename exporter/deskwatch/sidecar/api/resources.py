"""`GET /resources`: what each bot's process uses, read when asked."""

from __future__ import annotations

import time

import msgspec
from fastapi import APIRouter, Depends
from starlette.responses import Response

from deskwatch.sidecar.parts import Parts, Wired, as_json, may_read

router = APIRouter(tags=["state"], dependencies=[Depends(may_read)])


class Usage(msgspec.Struct, kw_only=True):
    """What one process uses. Null is what the system does not tell.

    CPU time is a sum since the process's start: whoever wants a share divides what it grew by by the time between two
    answers. So it is the same for any number of readers, whenever they ask.
    """

    cpu_seconds: float
    rss_bytes: float | None = None
    threads: float | None = None
    open_fds: float | None = None
    started: float | None = None
    """Unix seconds."""


@router.get("/resources")
async def resources(parts: Wired) -> Response:
    """Usage of the bots' processes by bot, of those on this host; `now` in Unix seconds."""
    await parts.samples.take()
    return as_json({"now": time.time(), "bots": _usage(parts)})


def _usage(parts: Parts) -> dict[str, Usage]:
    series = {family.name: family.series for family in parts.samples.families()}

    def by_bot(figure: str) -> dict[str, float]:
        return {labels[0]: value for labels, value in series.get(f"tradebot_process_{figure}", {}).items()}

    memory, threads, fds = by_bot("resident_memory_bytes"), by_bot("threads"), by_bot("open_fds")
    started = by_bot("start_time_seconds")
    return {
        bot: Usage(
            cpu_seconds=cpu,
            rss_bytes=memory.get(bot),
            threads=threads.get(bot),
            open_fds=fds.get(bot),
            started=started.get(bot),
        )
        for bot, cpu in by_bot("cpu_seconds").items()
    }
