"""House rules that a machine can hold."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAX_LINES = 350
PAGE = ROOT / "exporter" / "deskwatch" / "sidecar" / "page"
"""The live page: one file of each kind, and no build step that could join more of them."""
CODE = {".py", ".js", ".css", ".html", ".vy", ".yml", ".tmpl", ".sh", ".toml", ""}


def _files() -> list[Path]:
    """The files of the checkout, tracked or new, but not ignored."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [ROOT / name for name in names if (ROOT / name).is_file() and Path(name).suffix in CODE]


def test_files_are_short():
    """A file of code has at most 350 lines: a longer one is two concepts."""
    long = {
        str(path.relative_to(ROOT)): count
        for path in _files()
        if path.parent != PAGE and (count := _lines(path)) > MAX_LINES
    }
    assert long == {}


@pytest.mark.parametrize("word", ["utils", "helpers", "common", "misc"])
def test_names_say_what_is_inside(word: str):
    """No file is named for holding a bit of everything."""
    assert [path for path in _files() if path.stem == word] == []


def test_every_package_file_says_what_it_is_for():
    """Each Python file of the package and the example begins with a docstring."""
    silent = [
        str(path.relative_to(ROOT))
        for path in _files()
        if path.suffix == ".py"
        and path.relative_to(ROOT).parts[0] in ("exporter", "examples")
        and not path.read_text().startswith('"""')
    ]
    assert silent == []


def _lines(path: Path) -> int:
    return len(path.read_bytes().splitlines())
