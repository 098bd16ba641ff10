"""What the Prometheus Operator scrapes: every Service of a sidecar, with the read token from a Secret."""

from __future__ import annotations

from deskwatch.kubernetes.manifest import NAME, head, object_name
from deskwatch.kubernetes.settings import Pace

SECRET = f"{NAME}-scrape"
"""The Secret with the read token, under `token`: the sidecars know by it that Prometheus asks."""


def service_monitor(pace: Pace) -> str:
    """The manifest, with the pace of `prometheus/prometheus.yml`."""
    manifest = head(
        "prometheus/prometheus.yml", api="monitoring.coreos.com/v1", kind="ServiceMonitor", name=object_name()
    )
    return manifest + (
        "spec:\n"
        '  # The rules ask for job="deskwatch", whatever the Service is called.\n'
        "  jobLabel: app.kubernetes.io/name\n"
        "  selector:\n"
        "    matchLabels:\n"
        f"      app.kubernetes.io/name: {NAME}\n"
        "  # Bots may have a namespace of their own. The Secret is read where this is.\n"
        "  namespaceSelector:\n"
        "    any: true\n"
        "  endpoints:\n"
        "    - port: http\n"
        "      path: /metrics\n"
        f"      interval: {pace.scrape_interval}\n"
        f"      scrapeTimeout: {pace.scrape_timeout}\n"
        "      authorization:\n"
        "        type: Bearer\n"
        "        credentials:\n"
        f"          name: {SECRET}\n"
        "          key: token\n"
        "      relabelings:\n"
        "        # A pod that comes back has another address; its series go on under the same name.\n"
        "        - sourceLabels: [__meta_kubernetes_namespace, __meta_kubernetes_pod_name]\n"
        "          separator: /\n"
        "          targetLabel: instance\n"
    )
