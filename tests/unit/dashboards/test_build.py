"""`deskwatch dashboards build` and `check`."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from deskwatch import dashboards
from deskwatch.errors import ConfigError

COMMITTED = Path(__file__).parents[3] / "grafana" / "dashboards"


def run(*given: str) -> int:
    parser = argparse.ArgumentParser()
    dashboards.add_parser(parser.add_subparsers())
    arguments = parser.parse_args(["dashboards", *given])
    status: int = arguments.run(arguments)
    return status


def test_committed_files_are_what_python_says() -> None:
    """Whoever changes one without the other is told here."""
    assert dashboards.check(COMMITTED) == []


def test_building_twice_makes_the_same_bytes(tmp_path: Path) -> None:
    """Nothing depends on time or order, so that a build changes only what was changed."""
    (path, *_) = dashboards.build(tmp_path)
    first = path.read_bytes()
    dashboards.build(tmp_path)
    assert path.read_bytes() == first
    assert path.read_text().endswith("}\n")


def test_check_tells_of_missing_changed_and_foreign_files(tmp_path: Path) -> None:
    """Each kind of drift is a sentence with the way out."""
    assert any(
        line.endswith("overview.json is missing; run: deskwatch dashboards build")
        for line in dashboards.check(tmp_path)
    )
    dashboards.build(tmp_path)
    path = tmp_path / "overview.json"
    path.write_text(path.read_text().replace("Equity", "Equities"))
    (tmp_path / "by-hand.json").write_text("{}")

    changed, foreign = dashboards.check(tmp_path)
    assert "overview.json is not what Python says" in changed
    assert "by-hand.json is made by no Python" in foreign


def test_the_command_builds_then_finds_no_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Build prints what it wrote; check succeeds in silence, and fails with words where there is drift."""
    assert run("check", "--folder", str(tmp_path)) == 1
    assert "overview.json is missing" in capsys.readouterr().err
    assert run("build", "--folder", str(tmp_path)) == 0
    assert "overview.json" in capsys.readouterr().out
    assert run("check", "--folder", str(tmp_path)) == 0
    assert capsys.readouterr() == ("", "")


def test_the_wrong_place_is_told(tmp_path: Path) -> None:
    """Outside a checkout the command says where it looked."""
    with pytest.raises(ConfigError, match="run from the root of a checkout"):
        run("check", "--folder", str(tmp_path / "absent"))
