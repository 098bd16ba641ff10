"""Journal lines as Loki entries."""

from __future__ import annotations

import json

import pytest
from hypothesis import given

from deskwatch.errors import InvalidLine
from deskwatch.events import KINDS, BotStopped, Event, OrderRejected
from deskwatch.sinks.loki.entries import as_entry, labels
from tests import strategies
from tests.lines import START_NS, line_of, type_of, writer_of


def test_ids_level_and_type_are_metadata_and_no_labels() -> None:
    event = OrderRejected(
        order_id="o1", venue="dex", symbol="ETH", reason="reverted", strategy="arb", trace="t" * 32, cause="d1"
    )
    entry = as_entry(line_of(event, seq=7), "arb-1", "main")
    assert entry.stream == ("arb-1", "orders", "live")
    assert entry.ts == START_NS + 7
    assert entry.metadata == {
        "type": "order_rejected",
        "writer": "main",
        "level": "warning",
        "seq": "7",
        "order_id": "o1",
        "venue": "dex",
        "symbol": "ETH",
        "strategy": "arb",
        "trace": "t" * 32,
        "cause": "d1",
    }
    assert labels(entry.stream) == {"service_name": "deskwatch", "bot": "arb-1", "kind": "orders", "lane": "live"}


@given(event=strategies.any_event)
def test_the_line_is_the_journals_and_all_metadata_is_text(event: Event) -> None:
    line = line_of(event)
    entry = as_entry(line, "arb-1", writer_of(event))
    assert entry.line.encode() == line
    assert entry.stream[1] == KINDS[type_of(event)]
    assert all(isinstance(value, str) and value for value in entry.metadata.values())
    json.dumps(entry.metadata)


def test_a_line_with_wrong_fields_is_shipped_as_invalid() -> None:
    entry = as_entry(b'{"type":"bot_stopped","ts":5}', "arb-1", "main")
    assert (entry.stream, entry.ts) == (("arb-1", "lifecycle", "live"), 5)
    assert entry.metadata == {"type": "bot_stopped", "writer": "main", "level": "error", "invalid": "fields"}


def test_a_misplaced_word_and_an_unknown_type_are_shipped() -> None:
    assert as_entry(line_of(BotStopped(reason="r")), "b", "control").metadata["invalid"] == "misplaced"
    entry = as_entry(b'{"type":"moon_landed","ts":5}', "b", "main")
    assert entry.stream == ("b", "other", "live")
    assert "seq" not in entry.metadata


@pytest.mark.parametrize("line", [b"garbage", b'{"ts":1}', b'{"type":"x","ts":1,"a":"\xff"}', b""])
def test_a_line_without_a_sound_envelope_has_no_time_to_be_stored_at(line: bytes) -> None:
    with pytest.raises(InvalidLine):
        as_entry(line, "b", "main")
