"""What retention removed, as the base that the counters stand on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deskwatch import base as base_module
from deskwatch import cli
from deskwatch.journal import Position
from deskwatch.verify import removed
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
