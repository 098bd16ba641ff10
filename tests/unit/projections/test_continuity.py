"""Which lines were seen: each is folded once, and what is missing is known, in whatever order they come."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deskwatch.events import BotStopped, PriceObserved
from deskwatch.journal import START, Batch
from deskwatch.projections import Projections
from deskwatch.projections.continuity import Continuity, Seen
from tests.lines import START_NS, line_of
from tests.unit.projections.folding import samples, value

RUNS = ("a" * 16, "b" * 16, "c" * 16)
Line = tuple[str, int]


def place(seen: Seen, *lines: Line, ts: int = START_NS) -> list[str]:
    """The verdicts, by the fast path where its user would take it."""
    verdicts = []
    for run, seq in lines:
        if seq == seen.next and run == seen.run:
            seen.next += 1
            verdicts.append("next")
        else:
            verdicts.append(seen.place(seq, run, ts + seq))
    return verdicts


def a(*seqs: int) -> list[Line]:
    return [(RUNS[0], seq) for seq in seqs]


def b(*seqs: int) -> list[Line]:
    return [(RUNS[1], seq) for seq in seqs]


@pytest.mark.parametrize(
    ("lines", "verdicts", "missing"),
    [
        (a(1, 2, 3), ["next"] * 3, 0),
        ([*a(1, 2), *b(3, 4)], ["next"] * 4, 0),
        (a(1, 4, 5), ["next", "gap", "next"], 2),
        (a(3), ["gap"], 2),
        (a(1, 4, 3), ["next", "gap", "reordered"], 1),
        (a(1, 4, 2, 3), ["next", "gap", "reordered", "reordered"], 0),
        (a(3, 1, 2, 4), ["gap", "reordered", "reordered", "next"], 0),
        (a(1, 1, 2, 2), ["next", "duplicate", "next", "duplicate"], 0),
        (a(1, 2, 3, 1, 2, 3, 4), ["next"] * 3 + ["duplicate"] * 3 + ["next"], 0),
        ([*a(1, 2, 3), *b(1, 2)], ["next"] * 3 + ["restarted", "next"], 0),
        ([*a(1, 2, 3, 4), *b(3, 4, 5)], ["next"] * 4 + ["restarted", "next", "next"], 0),
        ([*a(2, 3, 6), *b(3)], ["gap", "next", "gap", "restarted"], 1),
        ([*a(1, 2, 3), *b(1), *a(2, 3, 4)], ["next"] * 3 + ["restarted", "duplicate", "duplicate", "gap"], 2),
    ],
)
def test_each_line_is_told_where_it_belongs(lines: list[Line], verdicts: list[str], missing: int) -> None:
    seen = Seen()
    assert place(seen, *lines) == verdicts
    assert seen.missing == missing


def again(seen: Seen, **more: Any) -> Seen:
    """As a checkpoint gives it back."""
    loaded = Seen(**more)
    loaded.load(json.loads(json.dumps(seen.dump())))
    return loaded


any_lines = st.lists(st.tuples(st.sampled_from(RUNS), st.integers(1, 30)), max_size=80)


@given(lines=any_lines, cut=st.integers(0, 80))
@settings(max_examples=300)
def test_of_any_lines_each_is_new_once_and_a_checkpoint_in_between_changes_nothing(lines: list[Line], cut: int) -> None:
    """Runs may take each other's place as they like."""
    seen, first = Seen(), Seen()
    verdicts = place(seen, *lines)
    new = [line for line, verdict in zip(lines, verdicts, strict=True) if verdict != "duplicate"]
    assert len(new) == len(set(new))
    assert set(new) == set(lines)
    before = place(first, *lines[:cut])
    second = again(first)
    assert before + place(second, *lines[cut:]) == verdicts
    assert second.dump() == seen.dump()
    assert seen.missing >= 0
    assert all(seen.knows(seq, run, START_NS) for run, seq in lines)


@st.composite
def journals(draw: st.DrawFn) -> list[Line]:
    """Lines of several runs, one after the other, as a writer gives them."""
    count = draw(st.integers(1, 60))
    starts = sorted(draw(st.lists(st.integers(1, count), max_size=4)))
    return [(f"run{sum(start <= seq for start in starts)}", seq) for seq in range(1, count + 1)]


@given(data=st.data(), journal=journals())
@settings(max_examples=300)
def test_after_any_removal_duplication_and_permutation_what_is_missing_is_what_is_not_there(
    data: st.DataObject, journal: list[Line]
) -> None:
    seen = Seen()
    lines = data.draw(st.lists(st.sampled_from(journal), min_size=1))
    verdicts = place(seen, *lines)
    present = {seq for _, seq in lines}
    assert seen.missing == max(present) - len(present)
    assert seen.next == max(present) + 1
    assert "restarted" not in verdicts
    assert verdicts.count("duplicate") == len(lines) - len(present)


@given(lines=any_lines, limit=st.integers(1, 4))
@settings(max_examples=300)
def test_what_is_remembered_is_bounded_and_nothing_is_then_folded_twice(lines: list[Line], limit: int) -> None:
    """Beyond the bound a late line may be taken for a duplicate, but what is missing stays counted."""
    lines = [(run, seq) for run, seq in lines if run == RUNS[0]]
    seen = Seen(limit)
    verdicts = place(seen, *lines, ts=0)
    state = seen.dump()
    assert len(state["spans"]) <= limit
    assert len(state["former"]) <= limit
    new = [line for line, verdict in zip(lines, verdicts, strict=True) if verdict not in ("duplicate", "restarted")]
    assert len(new) == len(set(new))
    assert again(seen, max_spans=limit).dump() == state


def test_a_thousand_holes_and_more_stay_counted() -> None:
    seen = Seen()
    place(seen, *a(*range(2, 6000, 2)))
    assert seen.missing == 2999
    assert len(seen.dump()["spans"]) == 1000


def test_a_writer_that_begins_again_is_followed_even_where_all_is_merged() -> None:
    """A line that is younger than the merging is none of the merged ones."""
    seen = Seen(2)
    place(seen, *a(1, 3, 5, 7), *b(8), ts=0)
    assert seen.place(1, RUNS[0], 1) == "duplicate"
    assert seen.place(1, RUNS[2], START_NS) == "restarted"
    assert seen.missing == 0
    assert place(seen, (RUNS[2], 2), ts=START_NS) == ["next"]


def batch(*lines: bytes, **more: Any) -> Batch:
    return Batch(bot="arb-1", writer="main", lines=list(lines), start=START, position=START, **more)


def lines_of(*seqs: int, run: bytes = b"r") -> list[bytes]:
    return [line_of(BotStopped(reason="closed"), seq=seq, run=run) for seq in seqs]


def faults(projections: Projections) -> dict[str, float]:
    found = samples(projections.metrics, "deskwatch_journal_faults_total")
    return {labels["reason"]: number for labels, number in found if number}


def invalid(projections: Projections) -> dict[str, float]:
    found = samples(projections.metrics, "deskwatch_invalid_lines_total")
    return {labels["reason"]: number for labels, number in found if number}


def folded(projections: Projections) -> float:
    return sum(number for _, number in samples(projections.metrics, "deskwatch_events_total"))


def missing(projections: Projections) -> float | None:
    return value(projections.metrics, "deskwatch_journal_missing_events", bot="arb-1", writer="main")


def test_a_sound_journal_is_said_to_lack_nothing() -> None:
    projections = Projections()
    projections.apply_batch(batch(*lines_of(1, 2, 3)))
    assert (missing(projections), faults(projections), invalid(projections)) == (0, {}, {})


def test_a_line_read_twice_is_folded_once_and_counted_as_a_duplicate(caplog: pytest.LogCaptureFixture) -> None:
    projections = Projections()
    projections.apply_batch(batch(*lines_of(1, 2, 2, 1, 3)))
    assert (folded(projections), invalid(projections)) == (3, {"duplicate": 2})
    assert [record.__dict__["reason"] for record in caplog.records] == ["duplicate"]


def test_holes_late_lines_and_restarts_are_counted() -> None:
    projections = Projections()
    projections.apply_batch(batch(*lines_of(1, 5, 3)))
    assert missing(projections) == 2
    projections.apply_batch(batch(*lines_of(4, run=b"s"), *lines_of(5, run=b"s")))
    assert faults(projections) == {"gap": 1, "reordered": 2, "restarted": 1}
    assert (folded(projections), missing(projections)) == (5, 1)


def test_a_line_that_can_t_be_read_is_missing_and_one_with_wrong_fields_is_not() -> None:
    projections = Projections()
    flipped = lines_of(2)[0].replace(b"closed", b"closes")
    wrong = b'{"ts":3,"seq":3,"run":"r","type":"price_observed","price":"x"}'
    projections.apply_batch(batch(*lines_of(1), flipped, wrong, *lines_of(4)))
    assert missing(projections) == 1
    assert (folded(projections), invalid(projections)) == (2, {"crc": 1, "fields": 1})
    assert faults(projections) == {"gap": 1}
    projections.apply_batch(batch(wrong))
    assert invalid(projections) == {"crc": 1, "fields": 1, "duplicate": 1}


def test_of_lines_read_again_only_what_is_new_counts() -> None:
    projections = Projections()
    foreign = b'{"ts":1,"type":"bot_stopped","reason":"closed"}'
    projections.apply_batch(batch(*lines_of(1, 2, 3), foreign, b"garbage"))
    once_more = batch(
        *lines_of(1, 2), foreign, b"garbage", *lines_of(3, run=b"s"), again=True, faults=("truncated", "vanished")
    )
    projections.apply_batch(once_more)
    assert (folded(projections), invalid(projections)) == (5, {"json": 1})
    assert faults(projections) == {"restarted": 1, "truncated": 1, "vanished": 1}


@pytest.mark.parametrize("more", ["", '"seq":1,', '"run":"r",', '"seq":0,"run":"r",'])
def test_lines_that_can_t_be_told_apart_all_count(more: str) -> None:
    """A foreign bot may leave out `seq` and `run`: what looks the same is another event."""
    projections = Projections()
    foreign = b'{"ts":1,%b"type":"bot_stopped","reason":"closed"}' % more.encode()
    projections.apply_batch(batch(foreign, foreign))
    assert (folded(projections), invalid(projections), missing(projections)) == (2, {}, None)


def test_a_checkpoint_holds_what_was_seen() -> None:
    first, second = Projections(), Projections()
    first.apply_batch(batch(*lines_of(1, 2, 5)))
    second.load(json.loads(json.dumps(first.dump())))
    second.apply_batch(batch(*lines_of(5, 3, 6)))
    assert (folded(second), missing(second), invalid(second)) == (5, 1, {"duplicate": 1})
    assert second.continuity.next_seq("arb-1", "main") == 7


def test_the_memory_knows_a_line_that_was_seen_and_whatever_can_t_be_told() -> None:
    continuity = Continuity()
    assert continuity.next_seq("arb-1", "main") == 1
    place(continuity.of("arb-1", "main"), ("r", 1))
    event = PriceObserved(venue="v", symbol="s", price=1)
    assert continuity.knows("arb-1", "main", line_of(event, seq=1, run=b"r"))
    assert not continuity.knows("arb-1", "main", line_of(event, seq=1, run=b"s"))
    assert not continuity.knows("arb-1", "control", line_of(event, seq=1, run=b"r"))
    assert continuity.knows("arb-1", "main", b"garbage")
    assert continuity.knows("arb-1", "main", b'{"ts":1,"type":"x"}')
