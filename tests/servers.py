"""The real servers that tests run against: where they are, and what happens where one is missing."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

FOLDER_VARIABLE = "DESKWATCH_SERVERS"
"""Environment variable with a folder to look in first."""
REQUIRED_VARIABLE = "DESKWATCH_REQUIRE_SERVERS"
"""Set to 1, a missing server fails the test in place of skipping it."""


def find(binary: str) -> str | None:
    """The path of a server's binary; None where the machine has none."""
    folder = os.environ.get(FOLDER_VARIABLE)
    path = (shutil.which(binary, path=folder) if folder else None) or shutil.which(binary)
    return None if path is None or (binary == "loki" and not _is_grafana_loki(path)) else path


def require(binary: str) -> str:
    """The path of a server's binary. Skips the test, with the server's name, where the machine has none.

    Where servers are required a missing one fails the test, but for Loki: no distribution packages it.
    """
    path = find(binary)
    if path is not None:
        return path
    message = f"needs {binary}: not on PATH, nor in ${FOLDER_VARIABLE}"
    if os.environ.get(REQUIRED_VARIABLE) == "1" and binary != "loki":
        pytest.fail(message)
    pytest.skip(message)


def _is_grafana_loki(path: str) -> bool:
    """Whether this is the log store: Debian's package of that name is a genetics program."""
    try:
        told = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return told.stdout.startswith("loki, version")


def require_otlp_receiver() -> str:
    """The path of a Prometheus that takes OTLP. Skips the test where there is none: Debian's is built without."""
    folders = [os.environ.get(FOLDER_VARIABLE), *os.environ.get("PATH", "").split(os.pathsep)]
    found = [path for folder in folders if folder and (path := shutil.which("prometheus", path=folder))]
    for path in dict.fromkeys(found):
        told = subprocess.run([path, "--help"], capture_output=True, text=True, timeout=30, check=False)
        if "web.enable-otlp-receiver" in told.stdout + told.stderr:
            return path
    pytest.skip(f"needs a Prometheus with --web.enable-otlp-receiver, as its project builds it; found {found}")
