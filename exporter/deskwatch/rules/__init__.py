"""Prometheus rules that are made from files which people edit: `prometheus/thresholds.yml` and its like."""

from __future__ import annotations

from deskwatch.rules.build import add_parser, build, check

__all__ = ["add_parser", "build", "check"]
