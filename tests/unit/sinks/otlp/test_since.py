"""Since when the counters count."""

from __future__ import annotations

from pathlib import Path

from deskwatch.sinks.otlp import since


def test_a_restart_is_no_reset(home: Path) -> None:
    first = since.load(home)
    assert since.load(home) == first


def test_counters_that_begin_anew_have_a_new_start_and_the_same_instance(home: Path) -> None:
    first = since.load(home)
    again = since.load(home, anew=True)
    assert again.start > first.start
    assert again.instance == first.instance
    assert since.load(home) == again


def test_a_file_that_cant_be_read_is_made_anew(home: Path) -> None:
    (home / "otlp.json").write_bytes(b"\xff garbage")
    first = since.load(home)
    assert since.load(home) == first


def test_it_is_no_sinks_cursor(home: Path) -> None:
    """Retention takes each `sinks/*.json` for one that it waits for."""
    since.load(home)
    assert not (home / "sinks").exists()
