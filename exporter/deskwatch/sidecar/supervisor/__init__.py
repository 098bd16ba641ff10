"""The supervised bot: one configured command, started, stopped, restarted and killed here and nowhere else."""

from __future__ import annotations

from deskwatch.sidecar.supervisor.runs import StillThere
from deskwatch.sidecar.supervisor.supervisor import Overtaken, Supervisor

__all__ = ["Overtaken", "StillThere", "Supervisor"]
