"""What is told late says when it happened."""

from __future__ import annotations

from deskwatch.sources.lateness import late


def test_only_what_is_told_late_says_when_it_happened() -> None:
    assert late(100.0, 101.0) is None
    assert late(100.0, 103.0) == 100.0
    assert late(100.0, 102.5, 1.0) is None
    assert late(None, 103.0) is None
