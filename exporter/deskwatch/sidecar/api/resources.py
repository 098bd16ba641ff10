"""`GET /resources`: what each bot's process uses, read when asked; of all bots, or of those of its `bot`."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from deskwatch.sidecar.api.documents import READING, answers, schema_of
from deskwatch.sidecar.parts import Parts, Wired, as_json, may_read_bots

router = APIRouter(tags=["state"], dependencies=[Depends(may_read_bots)])


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


_DOCUMENT = {
    "type": "object",
    "required": ["now", "bots"],
    "properties": {
        "now": {"type": "number"},
        "bots": {"type": "object", "additionalProperties": schema_of(Usage)},
    },
}


@router.get("/resources", responses={**READING, **answers(HTTPStatus.OK, _DOCUMENT)})
async def resources(parts: Wired, bot: Annotated[list[str] | None, Query(max_length=100)] = None) -> Response:
    """Usage of the bots' processes by bot, of those on this host; `now` in Unix seconds."""
    await parts.samples.take()
    usage = {name: one for name, one in _usage(parts).items() if bot is None or name in bot}
    return as_json({"now": time.time(), "bots": usage})


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
