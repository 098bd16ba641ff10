"""The routes, a router per resource."""

from __future__ import annotations

from fastapi import APIRouter

from deskwatch.sidecar.api import activity, audit, commands, health, metrics, modes, page, process, state, stream

ROUTERS: tuple[APIRouter, ...] = (
    metrics.router,
    health.router,
    state.router,
    stream.router,
    activity.router,
    commands.router,
    modes.router,
    process.router,
    audit.router,
    page.router,
)
"""All of them, in the order in which paths are matched."""
