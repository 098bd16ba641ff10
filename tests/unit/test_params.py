"""The part of JSON Schema that a bot checks by itself."""

from __future__ import annotations

from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it has no types
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deskwatch import params
from tests.strategies import json_values

_numbers = st.integers(-3, 3)
_leaves = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(
            ["object", "array", "string", "number", "integer", "boolean", "null", ["string", "null"]]
        ),
        "enum": st.lists(json_values, min_size=1, max_size=3),
        "const": st.sampled_from([0, 1, True, False, "a", None]),
        "minimum": _numbers,
        "maximum": _numbers,
        "exclusiveMinimum": _numbers,
        "exclusiveMaximum": _numbers,
        "minLength": st.integers(0, 3),
        "maxLength": st.integers(0, 3),
        "minItems": st.integers(0, 2),
        "maxItems": st.integers(0, 2),
        "required": st.lists(st.sampled_from("ab"), max_size=2, unique=True),
        "additionalProperties": st.booleans(),
        "description": st.just("told"),
    },
)
schemas = st.recursive(
    _leaves,
    lambda inner: st.builds(
        lambda leaf, more: {**leaf, **more},
        _leaves,
        st.fixed_dictionaries(
            {}, optional={"properties": st.dictionaries(st.sampled_from("ab"), inner, max_size=2), "items": inner}
        ),
    ),
    max_leaves=4,
)
values = st.recursive(
    st.sampled_from([None, True, False, 0, 1, 2.0, 0.5, -4, "", "a", "abcd"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=500)
@given(schema=schemas, value=values)
def test_it_judges_as_the_library_does(schema: dict[str, Any], value: Any) -> None:
    params.check_schema(schema)
    try:
        params.check(schema, value)
        fits = True
    except params.Unfit:
        fits = False
    assert fits is jsonschema.Draft202012Validator(schema).is_valid(value)


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"pattern": "a+"}, "expected none of pattern; a msgspec Struct can say more"),
        ({"properties": {"a": {"$ref": "#"}}}, "schema.properties.a: expected none of $ref"),
        ({"properties": []}, "schema.properties: expected an object"),
        ({"items": 7}, "schema.items: expected an object, was 7"),
        ({"type": "thing"}, "was 'thing'"),
        ({"type": ["string", {}]}, "schema.type"),
        ({"required": "a"}, "schema.required: expected a list"),
        ({"required": [["a"]]}, "schema.required: expected a list of names"),
        ({"minimum": "1"}, "schema.minimum: expected a number"),
        ({"additionalProperties": {}}, "expected true or false"),
    ],
)
def test_a_schema_that_says_more_than_is_checked_is_refused(schema: dict[str, Any], words: str) -> None:
    with pytest.raises(params.Unfit) as refused:
        params.check_schema(schema)
    assert words in str(refused.value)


def test_a_schema_that_goes_too_deep_is_refused() -> None:
    schema: dict[str, Any] = {}
    for _ in range(30):
        schema = {"items": schema}
    with pytest.raises(params.Unfit, match="levels"):
        params.check_schema(schema)


def test_a_fault_says_where() -> None:
    schema = {"properties": {"a": {"items": {"type": "string"}}}}
    with pytest.raises(params.Unfit) as refused:
        params.check(schema, {"a": ["x", 7]})
    assert str(refused.value) == "params.a[1]: expected string, was 7"


@pytest.mark.parametrize("schema", [{"const": [[1]]}, {"enum": [{"a": 1}, [0]]}])
@pytest.mark.parametrize("value", [[[True]], {"a": True}, [False]])
def test_true_is_not_1_however_deep(schema: dict[str, Any], value: Any) -> None:
    with pytest.raises(params.Unfit):
        params.check(schema, value)
