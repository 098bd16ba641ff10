"""The committed manifests, as whoever applies them reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "deploy" / "kubernetes"
Manifest = dict[str, Any]  # Any: what YAML can hold


def read(path: Path) -> Manifest:
    """The one object of a file."""
    content: Manifest = yaml.safe_load(path.read_text())
    return content


def objects(folder: str = "") -> dict[str, Manifest]:
    """Path below `deploy/kubernetes` → object, for a folder and those below it; kustomizations are no objects."""
    return {
        str(path.relative_to(FOLDER)): read(path)
        for path in sorted((FOLDER / folder).rglob("*.yaml"))
        if path.name != "kustomization.yaml"
    }
