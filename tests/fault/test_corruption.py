"""Broken journals: whatever happened to the files is detected and counted, and all else is read exactly once."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from deskwatch.journal import Follower, Record, Writer, names
from deskwatch.projections import Projections
from deskwatch.projections.activity import Entry
from deskwatch.sidecar.checkpoint import Checkpoint
from tests import running, soak
from tests.fault import breaking
from tests.fault.breaking import Segments
from tests.unit.projections.folding import samples

CASES = soak.count(300, 3000)
BOT = "arb-1"
WRITERS = {"main": 120, "feeder": 40}
"""Events of each writer."""
MAX_ROUNDS = 200
"""Reading ends long before."""
FAMILIES = ("deskwatch_journal_faults_total", "deskwatch_invalid_lines_total", "deskwatch_journal_missing_events")

Journal = dict[str, Segments]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Journal:
    """The journal of two writers, as real writers write it."""
    home = tmp_path_factory.mktemp("sound")
    return {
        writer: breaking.written(names.writer_folder(home, BOT, writer), count, runs=2, segment_bytes=2500)
        for writer, count in WRITERS.items()
    }


def copied(journal: Journal) -> Journal:
    return {writer: dict(segments) for writer, segments in journal.items()}


def put(home: Path, journal: Journal, rng: random.Random | None = None) -> None:
    for writer, segments in journal.items():
        folder = names.writer_folder(home, BOT, writer)
        folder.mkdir(parents=True, exist_ok=True)
        breaking.put(folder, segments, rng)


class Listening(Projections):
    """Projections that say what was folded."""

    def __init__(self) -> None:
        super().__init__()
        self.folded: Counter[tuple[str, bytes]] = Counter()

    def apply(self, record: Record) -> Entry | None:
        self.folded[record.writer, record.raw] += 1
        return super().apply(record)


class Reader:
    """Follower, projections and checkpoint, wired as the feed wires them."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.folded: Counter[tuple[str, bytes]] = Counter()
        self.start()

    def start(self) -> None:
        self.projections = Listening()
        self._checkpoint = Checkpoint(self.home)
        self.positions = self._checkpoint.load(self.projections)
        self._follower = Follower(self.home, self.positions, memory=self.projections.continuity).open()

    def read(self) -> None:
        """Read until there is nothing more."""
        for _ in range(MAX_ROUNDS):
            self._follower.discover()
            batches = 0
            for batch in self._follower.read(1):
                self.projections.apply_batch(batch)
                self.positions[batch.bot, batch.writer] = batch.position
                batches += 1
            if not batches:
                assert not self._follower.unreadable
                return
        raise AssertionError(f"expected reading to end within {MAX_ROUNDS} rounds")

    def restart(self) -> None:
        """Stop with a checkpoint, and start from it."""
        self._checkpoint.write(self._checkpoint.encode(self.projections, self.positions))
        self.close()
        self.start()

    def close(self) -> None:
        self.folded += self.projections.folded
        self._follower.close()

    def counted(self, *families: str) -> dict[str, dict[tuple[str, str], float]]:
        """Values of the families by writer and reason."""
        return {
            name: {(labels["writer"], labels.get("reason", "")): number for labels, number in found if number}
            for name in families
            if (found := samples(self.projections.metrics, name)) is not None
        }

    def detected(self, writer: str) -> bool:
        return any(of == writer for each in self.counted(*FAMILIES).values() for of, _ in each)


def check(reader: Reader, sound: Journal, before: Journal, broken: Journal) -> None:
    """All that was there or is there now was read once, and what is not as it was is told."""
    reader.close()
    for writer, segments in broken.items():
        original, known = breaking.lines_in(sound[writer]), breaking.lines_in(before[writer])
        visible = breaking.lines_in(segments)
        folded = {line: times for (of, line), times in reader.folded.items() if of == writer}
        assert set(folded.values()) <= {1}
        assert set(folded) >= (set(visible) & set(original)) | set(known)
        assert set(folded) <= set(original)
        nothing_happened = visible == original[: len(visible)] and len(visible) >= len(known)
        assert nothing_happened or reader.detected(writer)


def broken_anyhow(rng: random.Random, sound: Journal) -> Journal:
    broken = copied(sound)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        segments = broken[rng.choice(sorted(broken))]
        rng.choice(breaking.ANY)(rng, segments, list(segments))
    return broken


NOTHING: Journal = {writer: {} for writer in WRITERS}


@pytest.mark.parametrize("part", range(10))
def test_a_broken_journal_is_read_as_far_as_it_is_whole_and_the_rest_is_counted(
    part: int, sound: Journal, tmp_path: Path
):
    """From the start: every line counts once, as an event or as invalid with a reason."""
    for seed in range(part, CASES, 10):
        rng = random.Random(seed)
        broken = broken_anyhow(rng, sound)
        home = tmp_path / str(seed)
        put(home, broken)
        reader = Reader(home)
        try:
            reader.read()
            check(reader, sound, NOTHING, broken)
            for writer, segments in broken.items():
                visible = breaking.lines_in(segments)
                assert set(reader.folded) & {(writer, line) for line in visible} == {
                    (of, line) for of, line in reader.folded if of == writer
                }
                invalid = sum(
                    number for (of, _), number in reader.counted(FAMILIES[1])[FAMILIES[1]].items() if of == writer
                )
                events = sum(1 for of, _ in reader.folded if of == writer)
                assert events + invalid == len(visible)
        except Exception as error:
            raise AssertionError(f"seed {seed}") from error
