"""Loki: the activity log, in Grafana's log store."""

from __future__ import annotations

from deskwatch.sinks.loki.access import Access
from deskwatch.sinks.loki.lanes import Limits
from deskwatch.sinks.loki.sink import LokiSink, Pace

__all__ = ["Access", "Limits", "LokiSink", "Pace"]
