"""Loki: the activity log, in Grafana's log store."""

from __future__ import annotations

from deskwatch.sinks.loki.sink import LokiSink

__all__ = ["LokiSink"]
