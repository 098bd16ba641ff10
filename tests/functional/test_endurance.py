"""The sidecar's memory after minutes at 1,000 events a second, beside other tests: see tests/endurance."""

from __future__ import annotations

from pathlib import Path
from statistics import median

from tests.endurance.run import EVENTS, Note, endurance

BUDGET_BYTES = 64e6
WARM_EVENTS = 60_000
"""Until then it fills what it keeps of the newest events."""
GROWTH_BYTES = 1_000_000
"""What may come and go: the allocator's leftovers of a scrape, of a checkpoint. It was 100,000 in 5 minutes."""


def test_memory_stays_within_its_budget_and_flat(tmp_path: Path):
    """The most that was seen is within DESIGN's budget; once warm, the second half takes no more than the first."""
    with endurance(tmp_path) as run:
        notes = run.finished()
    assert notes[-1].events > 0.95 * EVENTS
    assert max(note.bytes for note in notes) <= BUDGET_BYTES, _told(notes)
    warm = [note.bytes for note in notes if note.events > WARM_EVENTS]
    half = len(warm) // 2
    assert median(warm[half:]) - median(warm[:half]) <= GROWTH_BYTES, _told(notes)


def _told(notes: list[Note]) -> str:
    return "\n".join(f"{note.seconds:6.0f} s {note.events:7} events {note.bytes / 1e6:.1f} MB" for note in notes[::5])
