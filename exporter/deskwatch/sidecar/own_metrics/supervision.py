"""The bots that the sidecar runs."""

from __future__ import annotations

from typing import Any

from deskwatch.projections.metrics import Counter, Family, Gauge
from deskwatch.sidecar.parts import Parts


def families(parts: Parts) -> list[Family[Any]]:
    """By bot; none where none is supervised."""
    running = Gauge("deskwatch_process_running", "1 while a supervised bot's process runs.", ("bot",))
    restarts = Counter(
        "deskwatch_process_restarts", "Restarts of a supervised bot that ended by itself, by the policy.", ("bot",)
    )
    gave_up = Gauge("deskwatch_process_gave_up", "1 while a supervised bot is given up: a crash loop.", ("bot",))
    code = Gauge(
        "deskwatch_process_last_exit_code",
        "How a supervised bot's last process ended; negative: the signal. None before the first end.",
        ("bot",),
    )
    for bot, supervisor in parts.supervisors.items():
        status = supervisor.status
        running.set((bot,), status.running)
        restarts.inc((bot,), status.restarts)
        gave_up.set((bot,), status.gave_up)
        if supervisor.runs.last_exit_code is not None:
            code.set((bot,), supervisor.runs.last_exit_code)
    return [running, restarts, gave_up, code]
