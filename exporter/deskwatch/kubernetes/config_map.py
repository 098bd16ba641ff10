"""A dashboard as a ConfigMap, as Grafana's Helm charts look for it: by the label `grafana_dashboard`.

The JSON is written without blanks. `kubectl apply` keeps a copy of what it applied in an annotation, all of which may
have 256 KiB, and quotation marks and line ends take twice their room there: with its blanks a dashboard may not fit.
"""

from __future__ import annotations

import json

from deskwatch.errors import ConfigError
from deskwatch.kubernetes.manifest import NAME, head, indent, object_name

FOLDER = "Deskwatch"
"""The folder in Grafana, where its sidecar is told to go by the annotation `grafana_folder`."""


def config_map(name: str, dashboard: str) -> str:
    """The manifest of `grafana/dashboards/<name>.json`.

    Raises:
        ConfigError: The file is no JSON, or its name makes none for an object.
    """
    try:
        content = json.loads(dashboard)
    except ValueError as error:
        raise ConfigError(f"expected JSON in grafana/dashboards/{name}.json: {error}") from None
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    manifest = head(
        f"grafana/dashboards/{name}.json",
        api="v1",
        kind="ConfigMap",
        name=object_name("dashboard", name),
        labels={"grafana_dashboard": '"1"'},
    )
    # All dashboards of a Grafana end up in one folder of files: the name tells whose it is.
    return f"{manifest}  annotations:\n    grafana_folder: {FOLDER}\ndata:\n  {NAME}-{name}.json: |-\n{indent(text, 4)}"
