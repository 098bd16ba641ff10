"""Dashboards as Python: a file for each, built into `grafana/dashboards/*.json` and committed there."""

from __future__ import annotations

from deskwatch.dashboards.build import add_parser, build, check

__all__ = ["add_parser", "build", "check"]
