"""LogQL judged by Loki's own grammar: `@grafana/lezer-logql`, which Grafana's editor uses too."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.servers import REQUIRED_VARIABLE

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).with_name("logql.mjs")
FOLDER_VARIABLE = "DESKWATCH_NODE_MODULES"
"""Environment variable with a folder that holds `node_modules`, in place of `.servers`."""


def faults(queries: list[str]) -> list[str | None]:
    """What is wrong with each query, None where nothing is.

    Skips the test where node or the grammar is missing, and fails it where servers are required.
    """
    folder = Path(os.environ.get(FOLDER_VARIABLE) or ROOT / ".servers").resolve()
    node = shutil.which("node")
    if node is None or not (folder / "node_modules" / "@grafana" / "lezer-logql").is_dir():
        message = f"needs node and @grafana/lezer-logql in {folder}; run: .ci/install-servers"
        if os.environ.get(REQUIRED_VARIABLE) == "1":
            pytest.fail(message)
        pytest.skip(message)
    told = subprocess.run(
        [node, SCRIPT, folder], input=json.dumps(queries), capture_output=True, text=True, check=True, timeout=60
    )
    found: list[str | None] = json.loads(told.stdout)
    return found
