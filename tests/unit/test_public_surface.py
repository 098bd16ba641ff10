"""What `import deskwatch` gives a bot."""

from __future__ import annotations

import subprocess
import sys

import deskwatch
from deskwatch.events import EVENTS


def test_all_is_sorted_and_everything_in_it_can_be_imported() -> None:
    assert deskwatch.__all__ == sorted(deskwatch.__all__)
    assert all(hasattr(deskwatch, name) for name in deskwatch.__all__)


def test_every_event_is_exported() -> None:
    assert {cls.__name__ for cls in EVENTS.values()} <= set(deskwatch.__all__)


def test_nothing_public_is_missing_from_all() -> None:
    modules = {name for name in vars(deskwatch) if type(vars(deskwatch)[name]) is type(sys)}
    assert {name for name in vars(deskwatch) if not name.startswith("_")} - modules - {"annotations"} == {
        name for name in deskwatch.__all__ if not name.startswith("_")
    }


def test_a_bot_that_imports_deskwatch_gets_none_of_the_sidecars_libraries() -> None:
    code = "import sys, deskwatch; print(*{name.partition('.')[0] for name in sys.modules})"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(answer.stdout.split())
    assert not loaded & {"fastapi", "prometheus_client", "psutil", "pydantic", "starlette", "urllib3", "uvicorn"}
