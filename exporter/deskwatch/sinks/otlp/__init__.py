"""OTLP: the journal as logs and traces, and the metrics, for whatever speaks OpenTelemetry's protocol.

OpenTelemetry itself is imported by whoever sends (`start`), so a sidecar without an endpoint does without it.
"""

from __future__ import annotations

from deskwatch.sinks.otlp.destination import SIGNALS, Destination, Signal, check_installed, resolve

__all__ = ["SIGNALS", "Destination", "Signal", "check_installed", "resolve"]
