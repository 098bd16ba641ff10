"""Bounds of histograms, fixed once: a change would break every query over old data. SLO thresholds are among them."""

from __future__ import annotations

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Latencies, in seconds."""
