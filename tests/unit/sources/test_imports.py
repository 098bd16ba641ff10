"""What is imported where: a sidecar that watches nothing goes without sources, and no kind knows another."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import deskwatch.sources
from deskwatch.sources import KINDS

FOLDER = Path(deskwatch.sources.__file__).parent
LIBRARIES = ("httpx", "web3", "eth_abi", "aiomqtt", "paho")
"""What kinds stand on."""


def imported(code: str) -> set[str]:
    """Modules there are after this code ran in a process of its own."""
    told = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint(*sys.modules)"], capture_output=True, text=True, check=True
    )
    return set(told.stdout.split())


def test_a_sidecar_that_watches_nothing_goes_without_sources() -> None:
    """It runs for weeks with what it has imported."""
    modules = imported("from deskwatch.sidecar import serve")
    assert {one for one in modules if one.startswith("deskwatch.sources")} <= {
        "deskwatch.sources",
        "deskwatch.sources.health",
    }
    assert not {one for one in modules if one.partition(".")[0] in LIBRARIES}


def test_what_all_kinds_share_needs_none_of_their_libraries() -> None:
    modules = imported("from deskwatch.sources import file, host; import deskwatch.watch")
    assert not {one for one in modules if one.partition(".")[0] in LIBRARIES}
    assert not {one for one in modules if one.startswith(tuple(f"{module}." for module in KINDS.values()))}


@pytest.mark.parametrize("kind", KINDS)
def test_no_kind_knows_another(kind: str) -> None:
    others = [module for other, module in KINDS.items() if other != kind]
    texts = {path: path.read_text() for path in (FOLDER / kind).rglob("*.py")}
    assert [str(path) for path, text in texts.items() if any(other in text for other in others)] == []


def test_what_all_kinds_share_knows_none_of_them() -> None:
    shared = [path for path in FOLDER.glob("*.py") if path.name != "__init__.py"]
    assert [path.name for path in shared if any(module in path.read_text() for module in KINDS.values())] == []
