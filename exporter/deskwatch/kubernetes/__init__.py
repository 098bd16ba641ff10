"""The rules and dashboards for Kubernetes: `PrometheusRule`, `ServiceMonitor` and ConfigMaps, made from the files."""

from __future__ import annotations

from deskwatch.kubernetes.build import add_parser, build, check

__all__ = ["add_parser", "build", "check"]
