"""Files that are made from others: what is told of them, and the exit status."""

from __future__ import annotations

from pathlib import Path

import pytest

from deskwatch import generated


def test_drift_is_a_sentence_with_the_way_out(tmp_path: Path) -> None:
    same, other, missing = (tmp_path / name for name in ("same", "other", "missing"))
    same.write_text("a")
    other.write_text("b")
    assert generated.drift(dict.fromkeys((same, other, missing), "a"), source="its source", command="make it") == [
        f"{other} is not what its source says; change that, then run: make it",
        f"{missing} is missing; run: make it",
    ]


def test_build_prints_what_it_wrote_and_check_what_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    assert generated.run("build", lambda: [Path("a")], lambda: ["never asked"]) == 0
    assert generated.run("check", list, lambda: ["a is wrong"]) == 1
    assert generated.run("check", list, list) == 0
    assert capsys.readouterr() == ("a\n", "deskwatch: a is wrong\n")
