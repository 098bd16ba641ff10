"""The published JSON Schema."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it has no types of its own

from deskwatch import schema
from deskwatch.events import EVENTS
from tests import strategies
from tests.lines import line_of

SCHEMA = json.loads(json.dumps(schema.build()))
VALIDATOR = Draft202012Validator(SCHEMA)


def test_the_schema_is_a_valid_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", ["Envelope", *(cls.__name__ for cls in EVENTS.values())])
def test_every_event_and_every_field_of_it_is_described(name: str) -> None:
    definition = SCHEMA["$defs"][name]
    assert definition["description"].endswith(".")
    described: dict[str, Any] = {key: value.get("description") for key, value in definition["properties"].items()}
    assert [key for key, text in described.items() if not text and (key != "type" or name == "Envelope")] == []


@given(event=strategies.any_event)
def test_lines_of_every_event_are_valid(event: Any) -> None:
    VALIDATOR.validate(json.loads(line_of(event)))


@pytest.mark.parametrize(
    "line",
    [
        {"type": "bot_stopped", "reason": "closed"},
        {"type": "bot_stopped", "ts": 1},
        {"type": "bot_stopped", "ts": "now", "reason": "closed"},
        {"type": "never_heard_of", "ts": 1},
    ],
    ids=["no ts", "no reason", "ts is text", "unknown type"],
)
def test_a_line_that_is_no_event_is_refused(line: dict[str, Any]) -> None:
    assert not VALIDATOR.is_valid(line)


def test_a_foreign_line_needs_no_seq_run_or_crc() -> None:
    VALIDATOR.validate({"type": "bot_stopped", "ts": 1, "reason": "closed"})
