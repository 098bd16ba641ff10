"""Names of bots, writers and segments."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskwatch.errors import ConfigError
from deskwatch.journal import names


@pytest.mark.parametrize("name", ["arb-1", "A", "9", "a.b_c-d", "x" * 63, "_sidecar"])
def test_names_of_letters_digits_and_a_few_signs_are_taken(name: str) -> None:
    assert names.check_name("bot's name", name) == name


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a/b", "/a", "a b", "-a", ".a", "_a", "é", "a\n", "x" * 64, "a\0"]
)
def test_names_that_could_leave_the_home_are_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="expected the bot's name to be"):
        names.writer_folder(Path("/home"), name, "main")
    with pytest.raises(ConfigError, match="expected the writer's name to be"):
        names.writer_folder(Path("/home"), "b", name if name != "_sidecar" else "..")


@given(name=st.text())
def test_whatever_the_names_the_folder_lies_within_the_home(name: str) -> None:
    try:
        folder = names.writer_folder(Path("/home"), name, name)
    except ConfigError:
        return
    assert folder.resolve().is_relative_to("/home/journal")


@given(seqs=st.lists(st.integers(1, 10**20 - 1), unique=True))
def test_segment_names_sort_as_their_numbers_do(seqs: list[int]) -> None:
    assert sorted(map(names.segment_name, seqs)) == [names.segment_name(seq) for seq in sorted(seqs)]


def test_listing_passes_over_what_is_no_journal(home: Path) -> None:
    root = names.journal_root(home)
    for folder in ("arb-1/main", "arb-1/.hidden", "_sidecar/control", ".git/main", "arb-2"):
        (root / folder).mkdir(parents=True)
    (root / "a-file").touch()
    for file in (names.segment_name(1), names.segment_name(20), "lock", "1.ndjson", names.segment_name(3) + ".gz"):
        (root / "arb-1/main" / file).touch()
    assert names.bots(home) == ["_sidecar", "arb-1", "arb-2"]
    assert names.writers(home, "arb-1") == ["main"]
    assert names.writers(home, "arb-2") == []
    assert names.segments(root / "arb-1/main") == [1, 20]


def test_listing_what_is_not_there_gives_nothing(home: Path) -> None:
    assert names.bots(home) == []
    assert names.writers(home, "arb-1") == []
    assert names.segments(home / "nowhere") == []


def test_the_home_is_the_owners_only(tmp_path: Path) -> None:
    made = names.prepare_home(tmp_path / "a" / "home")
    assert made.is_absolute()
    assert made.stat().st_mode & 0o777 == 0o700


def test_the_default_home_is_named_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESKWATCH_HOME", "/somewhere")
    assert names.default_home() == Path("/somewhere")
    monkeypatch.delenv("DESKWATCH_HOME")
    assert names.default_home() == Path(".deskwatch")
