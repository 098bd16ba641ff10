"""What retention removed, as the base that the counters stand on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from deskwatch import base as base_module
from deskwatch import cli
from deskwatch.journal import START, Position
from deskwatch.verify import removed
from tests import removal
from tests.fakes import metrics as fake_metrics
from tests.lines import BOT, segment_files, write
from tests.unit.verify.world import events


def with_base(monkeypatch: pytest.MonkeyPatch, found: removed.Removed) -> None:
    monkeypatch.setattr(base_module, "load", lambda _: found)


def test_without_retention_nothing_was_removed(home: Path) -> None:
    assert removed.load(home) == removed.Removed()


def test_what_was_removed_counts_with_what_is_kept(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(home, events(9))
    text = fake_metrics.of_journals(home, followed=True)
    (file,) = segment_files(home)
    lines = file.read_bytes().splitlines(keepends=True)
    file.unlink()
    kept = file.with_name(f"{4:020d}.ndjson")
    kept.write_bytes(b"".join(lines[3:]))
    place = f'{{bot="{BOT}",writer="main"}}'
    text = "\n".join(line for line in text.splitlines() if "followed" not in line)
    text += f"\ndeskwatch_followed_segment{place} 4\ndeskwatch_followed_offset_bytes{place} {kept.stat().st_size}\n"
    gone = {(BOT, "main", name): 1 for name in ("price_observed", "error_occurred", "order_filled")}
    base = removed.Removed(positions={(BOT, "main"): Position(4, 0)}, events=gone)
    with fake_metrics.running() as fake:
        fake.text = text
        argv = ["verify", "--home", str(home), "--url", fake.url, "--json"]
        with_base(monkeypatch, base)
        assert cli.main(argv) == 0
        document = json.loads(capsys.readouterr().out)
        assert (document["rows"][0]["journal"], document["rows"][0]["metrics"], document["rows"][0]["gaps"]) == (
            6,
            6,
            0,
        )
        with_base(monkeypatch, removed.Removed())
        assert cli.main(argv) == 1
        told = [(one["what"], one["count"]) for one in json.loads(capsys.readouterr().out)["differences"]]
        assert told == [("gaps", 3), ("metrics", 1), ("metrics", 1), ("metrics", 1)]


@pytest.mark.parametrize(
    ("segments", "start"),
    [
        ([85], Position(85, 0)),
        ([40, 85, 120], Position(85, 0)),
        ([120], Position(85, 0)),
        ([1], START),
        ([1, 40], START),
        ([], START),
    ],
    ids=["as it was left", "a leftover", "more went since", "begun anew", "begun anew, two", "nothing there"],
)
def test_a_journal_is_read_from_where_the_base_ends_unless_it_began_anew(segments: list[int], start: Position) -> None:
    base = removed.Removed(positions={(BOT, "main"): Position(85, 0)})
    assert base.start_of((BOT, "main"), segments) == start
    assert base.start_of((BOT, "control"), segments) == START


def test_a_journal_that_was_wiped_and_began_anew_is_counted_beside_what_was_removed(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(home, events(90))
    shutil.rmtree(segment_files(home)[0].parent)
    write(home, events(30))
    gone = {(BOT, "main", "price_observed"): 7}
    base = removed.Removed(positions={(BOT, "main"): Position(85, 0)}, events=gone)
    loads: list[Path] = []

    def load(asked: Path) -> removed.Removed:
        loads.append(asked)
        return base

    monkeypatch.setattr(removed, "load", load)
    text = fake_metrics.of_journals(home, followed=True)
    series = f'deskwatch_events_total{{bot="{BOT}",type="price_observed",writer="main"}} '
    assert series + "10.0" in text
    with fake_metrics.running() as fake:
        argv = ["verify", "--home", str(home), "--url", fake.url, "--json"]
        fake.text = text.replace(series + "10.0", series + "17.0")
        assert cli.main(argv) == 0
        assert json.loads(capsys.readouterr().out)["rows"][0]["journal"] == 30
        assert len(loads) == 2  # it was not taken for a journal that retention is at work in, and counted again
        fake.text = text
        assert cli.main(argv) == 1
        (difference,) = json.loads(capsys.readouterr().out)["differences"]
        assert (difference["what"], difference["kind"], difference["count"]) == ("metrics", "market", 7)


def test_a_segment_that_retention_removes_while_it_is_counted_has_all_counted_again(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(home, events(9))
    (file,) = segment_files(home)
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:3]))
    file.with_name(f"{4:020d}.ndjson").write_bytes(b"".join(lines[3:]))
    text = fake_metrics.of_journals(home, followed=True)
    gone = removal.after_listing(monkeypatch)
    events_gone = {(BOT, "main", name): 1 for name in ("price_observed", "error_occurred", "order_filled")}
    after = removed.Removed(positions={(BOT, "main"): Position(4, 0)}, events=events_gone)
    monkeypatch.setattr(removed, "load", lambda _: after if gone() else removed.Removed())
    with fake_metrics.running() as fake:
        fake.text = text
        assert cli.main(["verify", "--home", str(home), "--url", fake.url, "--json"]) == 0
    assert gone() == 1
    assert json.loads(capsys.readouterr().out)["rows"][0]["journal"] == 6
