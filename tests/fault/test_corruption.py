"""Broken journals: whatever happened to the files is detected and counted, and all else is read exactly once."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from deskwatch.journal import Follower, Record, Writer, names
from deskwatch.projections import Projections
from deskwatch.projections.activity import Entry
from deskwatch.sidecar.checkpoint import Checkpoint
from tests import running, soak
from tests.fault import breaking
from tests.fault.breaking import Segments
from tests.lines import START_NS
from tests.unit.projections.folding import samples

CASES = soak.count(300, 3000)
BOT = "arb-1"
WRITERS = {"main": 120, "feeder": 40}
"""Events of each writer."""
MAX_ROUNDS = 200
"""Reading ends long before."""
FAMILIES = ("deskwatch_journal_faults_total", "deskwatch_invalid_lines_total", "deskwatch_journal_missing_events")

Journal = dict[str, Segments]
Added = dict[str, set[bytes]]
"""Lines that a writer wrote after its journal broke."""


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Journal:
    """The journal of two writers, as real writers write it; the same at each test run."""
    home = tmp_path_factory.mktemp("sound")
    with pytest.MonkeyPatch.context() as fixed:
        fixed.setattr("os.urandom", random.Random("runs").randbytes)
        fixed.setattr("time.time_ns", lambda: START_NS)
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

    def apply(self, record: Record, segment: int = 0, offset: int = 0) -> Entry | None:
        self.folded[record.writer, record.raw] += 1
        return super().apply(record, segment, offset)


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


def check(reader: Reader, sound: Journal, before: Journal, broken: Journal, added: Added) -> None:
    """All that was there or is there now was read once, and what is not as it was is told."""
    reader.close()
    for writer, segments in broken.items():
        original, known = breaking.lines_in(sound[writer]), breaking.lines_in(before[writer])
        visible = breaking.lines_in(segments)
        folded = {line: times for (of, line), times in reader.folded.items() if of == writer}
        assert set(folded.values()) <= {1}
        assert set(folded) >= (set(visible) & set(original)) | set(known) | added.get(writer, set())
        assert set(folded) <= set(original) | added.get(writer, set())
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
            check(reader, sound, NOTHING, broken, {})
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
            raise AssertionError(f"seed {seed}: {error!r}") from error


def begun(rng: random.Random, sound: Journal) -> Journal:
    """The journal as it was a while ago, at the end of some line."""
    before: Journal = {}
    for writer, segments in sound.items():
        lines = breaking.lines_in(segments)
        left = sum(len(line) + 1 for line in lines[: rng.randint(1, len(lines))])
        before[writer] = {}
        for first in sorted(segments):
            if left > 0:
                before[writer][first] = segments[first][:left]
            left -= len(segments[first])
    return before


def broken_behind(rng: random.Random, sound: Journal, before: Journal) -> Journal:
    """The journal is cut, or breaks in segments that were not begun to be read."""
    broken = copied(sound)
    for writer, segments in broken.items():
        unread = [first for first in segments if first > max(before[writer])]
        if unread and rng.random() < 0.4:
            rng.choice(breaking.ANY)(rng, segments, unread)
        elif rng.random() < 0.8:
            breaking.cut_tail(rng, segments)
    return broken


def write_on(home: Path) -> Added:
    """The bot is started again, and its writers go on from what they find."""
    added: Added = {}
    for writer in WRITERS:
        folder = names.writer_folder(home, BOT, writer)
        journal = Writer(folder).open()
        for number in range(5):
            journal.append(b'{"type":"bot_stopped","reason":"after it broke, %d"}' % number)
        journal.close()
        segments = {first: (folder / names.segment_name(first)).read_bytes() for first in names.segments(folder)}
        added[writer] = {line for line in breaking.lines_in(segments) if journal.run.encode() in line}
        assert len(added[writer]) == 5
    return added


@pytest.mark.parametrize("how", ["restarted", "running"])
@pytest.mark.parametrize("part", range(5))
def test_a_journal_that_breaks_behind_what_was_read_is_read_on_and_followed(
    part: int, how: str, sound: Journal, tmp_path: Path
):
    """What was read before is known: a lost tail is told, no line counts twice, and no new one is missed."""
    for seed in range(part, CASES, 10):
        rng = random.Random(f"{seed} {how}")
        before = begun(rng, sound)
        home = tmp_path / str(seed)
        put(home, before)
        reader = Reader(home)
        try:
            reader.read()
            broken = broken_behind(rng, sound, before)
            put(home, broken, rng)
            if how == "restarted":
                if rng.random() < 0.5:
                    added = write_on(home)
                    reader.restart()
                else:
                    reader.restart()
                    reader.read()
                    added = write_on(home)
            else:
                if rng.random() < 0.5:
                    reader.read()
                added = write_on(home)
            reader.read()
            check(reader, sound, before, broken, added)
        except Exception as error:
            raise AssertionError(f"seed {seed}: {error!r}") from error


@pytest.mark.parametrize("seed", range(5))
def test_a_sidecar_starts_on_a_broken_journal_and_says_what_is_wrong(seed: int, sound: Journal, tmp_path: Path):
    rng = random.Random(f"{seed} sidecar")
    broken = broken_anyhow(rng, sound)
    for writer in broken:
        breaking.flip_bits(rng, broken[writer], list(broken[writer]))
    here, there = tmp_path / "here", tmp_path / "there"
    put(here, broken)
    put(there, broken)
    reader = Reader(here)
    reader.read()
    reader.close()
    with running.sidecar(there) as sidecar:
        told = sidecar.metrics()
    expected = reader.counted("deskwatch_events_total", *FAMILIES)
    assert all(expected[name] for name in FAMILIES[:2])
    assert counted_in(told, *expected) == expected


def counted_in(metrics: str, *families: str) -> dict[str, Any]:
    """As `Reader.counted`, from a scrape."""
    found: dict[str, Any] = {name: {} for name in families}
    for family in text_string_to_metric_families(metrics):
        for sample in family.samples:
            if sample.name in found and sample.value:
                found[sample.name][sample.labels["writer"], sample.labels.get("reason", "")] = sample.value
    return found
