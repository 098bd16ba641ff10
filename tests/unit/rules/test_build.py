"""`deskwatch rules build` and `check`."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from deskwatch import rules
from deskwatch.errors import ConfigError

COMMITTED = Path(__file__).parents[3] / "prometheus"


def run(*given: str) -> int:
    parser = argparse.ArgumentParser()
    rules.add_parser(parser.add_subparsers())
    arguments = parser.parse_args(["rules", *given])
    status: int = arguments.run(arguments)
    return status


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the committed sources and rules, without what is made."""
    (tmp_path / "rules").mkdir()
    for path in [*COMMITTED.glob("*.yml"), *COMMITTED.glob("rules/*.yml")]:
        text = path.read_text()
        if not text.startswith("# Made by `deskwatch rules build`"):
            (tmp_path / path.relative_to(COMMITTED)).write_text(text)
    return tmp_path


def test_committed_rules_are_what_their_sources_say() -> None:
    """Whoever changes one without the other is told here."""
    assert rules.check(COMMITTED) == []


def test_building_twice_makes_the_same_files_for_everyone_to_read(folder: Path) -> None:
    """Prometheus runs as another user; nothing depends on time."""
    first = {path: path.read_bytes() for path in rules.build(folder)}
    assert {path: path.read_bytes() for path in rules.build(folder)} == first
    assert all(path.stat().st_mode & 0o777 == 0o644 for path in first)


def test_check_tells_of_missing_changed_and_forgotten_files(folder: Path) -> None:
    """Each kind of drift is a sentence with the way out."""
    made = folder / "rules" / "thresholds.yml"
    assert f"{made} is missing; run: deskwatch rules build" in rules.check(folder)
    rules.build(folder)
    made.write_text(made.read_text() + "\n")
    (folder / "rules" / "old.yml").write_text("# Made by `deskwatch rules build` from old.yml\n")

    changed, forgotten = rules.check(folder)
    assert "thresholds.yml is not what its source says; change that" in changed
    assert "old.yml is made by nothing any more" in forgotten


def test_the_command_builds_then_finds_no_fault(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Build prints what it wrote; check succeeds in silence, and fails with words where there is drift."""
    assert run("check", "--folder", str(folder)) == 1
    assert "thresholds.yml is missing" in capsys.readouterr().err
    assert run("build", "--folder", str(folder)) == 0
    assert "thresholds.yml" in capsys.readouterr().out
    assert run("check", "--folder", str(folder)) == 0
    assert capsys.readouterr() == ("", "")


def test_a_wrong_source_leaves_the_rules_as_they_are(folder: Path) -> None:
    """Half a set of thresholds would be worse than the old one."""
    (made, *_) = [path for path in rules.build(folder) if path.name == "thresholds.yml"]
    before = made.read_text()
    (folder / "thresholds.yml").write_text("defaults: {}\n")
    with pytest.raises(ConfigError, match="defaults"):
        rules.build(folder)
    assert made.read_text() == before


def test_the_wrong_place_is_told(tmp_path: Path) -> None:
    """Outside a checkout the command says where it looked."""
    with pytest.raises(ConfigError, match="run from the root of a checkout"):
        run("check", "--folder", str(tmp_path / "absent"))
