"""The reference of sources is what the kinds' settings say."""

from __future__ import annotations

from tests.reference.sources import PATH, page


def test_the_page_is_up_to_date() -> None:
    """What is committed is what `make docs` writes."""
    assert PATH.read_text() == page(), "docs/reference/sources.md is not what the code says; run `make docs`"


def test_each_setting_is_told() -> None:
    """None has an empty last cell, and none is missing."""
    rows = [line for line in page().splitlines() if line.startswith("| `")]
    assert not [row for row in rows if row.endswith("|  |")]
