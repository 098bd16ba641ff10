"""Parameters against a bot's own schema, which may be hostile."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from deskwatch.sidecar import offered
from deskwatch.sidecar.offered import BadParams, BadSchema

LAUGHS: dict[str, Any] = {
    "$ref": "#/$defs/l0",
    "$defs": {
        **{f"l{n}": {"allOf": [{"$ref": f"#/$defs/l{n + 1}"}] * 4} for n in range(40)},
        "l40": {"type": "object"},
    },
}


@pytest.fixture
def deep_stack() -> Iterator[None]:
    """Python may recurse deeper than the process's stack is: a library of the demo's allows it."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(1_000_000)
    yield
    sys.setrecursionlimit(before)


class Rebalance(msgspec.Struct, forbid_unknown_fields=True):
    ratio: float
    symbols: list[str] = []


def test_parameters_fit_or_it_is_told_where_they_do_not() -> None:
    schema = msgspec.json.schema(Rebalance)
    offered.check(schema, {"ratio": 0.5, "symbols": ["S"]})
    for params, where in (({}, "ratio"), ({"ratio": "x"}, "params.ratio"), ({"ratio": 1, "symbols": [1]}, "symbols.0")):
        with pytest.raises(BadParams) as refused:
            offered.check(schema, params)
        assert where in str(refused.value)
        assert refused.value.faults


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "https://127.0.0.1:9/schema.json"},
        {"$ref": "file:///etc/passwd"},
        {"properties": {"a": {"$ref": "other.json"}}},
        {"$ref": 7},
        {"$ref": "#/nowhere"},
        {"$ref": "#"},
        {"allOf": [{"$ref": "#"}]},
        {"properties": {"a": {"$ref": "#/properties/b"}, "b": {"$ref": "#/properties/a"}}},
        {"$id": "https://127.0.0.1:9/", "type": "object"},
        {"$schema": "https://127.0.0.1:9/meta"},
        {"allOf": [{"$dynamicRef": "https://127.0.0.1:9/"}]},
        {"type": 7},
        {"type": "thing"},
        {"properties": 7},
        {"required": 7},
        {"properties": {"a": {"multipleOf": 0}}},
        {"description": "x" * 9000},
        LAUGHS,
    ],
    ids=lambda schema: str(schema)[:40],
)
def test_a_broken_or_hostile_schema_is_refused_soon(schema: dict[str, Any], deep_stack: None) -> None:
    """Also where another library has let Python's stack grow beyond the process's."""
    began = time.thread_time()
    with pytest.raises(BadSchema):
        offered.check(schema, {"a": 1})
    assert time.thread_time() - began < 2


def test_what_could_take_long_is_left_to_the_bot_and_steps_are_bounded() -> None:
    began = time.thread_time()
    evil = {"properties": {"a": {"pattern": "^(a+)+$", "format": "regex"}, "b": {"uniqueItems": True}}}
    offered.check(evil, {"a": "a" * 5000 + "!", "b": [[n] for n in range(100)]})
    wide: dict[str, Any] = {"properties": {"a": {"items": {"allOf": [{}] * 1000}}}}
    with pytest.raises(BadSchema, match="20000 steps"):
        offered.check(wide, {"a": [0] * 2000})
    assert time.thread_time() - began < 2


def test_parameters_are_bounded() -> None:
    with pytest.raises(BadParams, match="at most 8192 bytes"):
        offered.check({}, {"a": "x" * 8192})


def test_the_library_is_loaded_when_it_is_first_needed() -> None:
    code = "import sys, deskwatch.sidecar.app; print('jsonschema' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"
