"""A journal's lines in columns."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from deskwatch.verify.ledger import REPEATED, Ledger

rows = st.lists(st.tuples(st.integers(1, 8) | st.integers(-(2**63), 2**63 - 1), st.sampled_from((b"a", b"b", b"c"))))


@given(rows, st.booleans())
def test_each_line_is_found_by_its_key_and_bytes_whatever_the_order(
    lines: list[tuple[int, bytes]], in_order: bool
) -> None:
    lines = sorted(set(lines)) if in_order else lines
    ledger = Ledger()
    for key, text in lines:
        ledger.add(key, text, 0, 0, 0)
    for key, text in lines:
        row = ledger.find(key, text)
        assert row is not None
        assert lines[row] == (key, text)
        assert ledger.find(key, text + b"x") is None
        assert sorted(ledger.rows(key)) == [at for at, one in enumerate(lines) if one[0] == key]
    assert ledger.find(9, b"a") is None or 9 in {key for key, _ in lines}


@given(rows)
def test_a_line_that_stood_there_before_is_marked(lines: list[tuple[int, bytes]]) -> None:
    ledger = Ledger()
    for key, text in lines:
        ledger.add(key, text, 0, 0, 0)
    ledger.mark_repeated()
    expected = [one in lines[:at] for at, one in enumerate(lines)]
    assert [bool(state & REPEATED) for state in ledger.states] == expected


@given(st.integers(-(2**63), 2**63 - 1))
def test_any_time_is_kept_to_the_second_or_at_a_bound(ts: int) -> None:
    ledger = Ledger()
    ledger.add(1, b"", ts, 0, 0)
    assert ledger.seconds[0] == min(max(ts // 10**9, 0), 2**32 - 1)
