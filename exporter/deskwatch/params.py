"""The part of JSON Schema that a bot can check by itself, with nothing but the standard library.

A schema that says more is refused when it is registered, so that nothing is believed to be checked that is not. A
msgspec Struct can say more, and is checked by msgspec.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "null": (type(None),),
}
_ANNOTATIONS = frozenset({"title", "description", "default", "examples", "$comment", "deprecated"})
_KEYWORDS = frozenset(
    {
        "type",
        "enum",
        "const",
        "properties",
        "required",
        "additionalProperties",
        "items",
        "minItems",
        "maxItems",
        "minLength",
        "maxLength",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
    }
)
MAX_DEPTH = 20


class Unfit(ValueError):
    """A value does not fit a schema, or a schema does not say only what is checked here; the message says where."""


def check_schema(schema: object, at: str = "schema", depth: int = 0) -> None:
    """Check that a schema says only what `check` checks.

    Raises:
        Unfit: It does not; the message says where.
    """
    if depth > MAX_DEPTH:
        raise Unfit(f"{at}: expected at most {MAX_DEPTH} levels")
    if not isinstance(schema, Mapping):
        raise Unfit(f"{at}: expected an object, was {schema!r:.40}")
    unknown = sorted(set(schema) - _KEYWORDS - _ANNOTATIONS)
    if unknown:
        raise Unfit(f"{at}: expected none of {', '.join(unknown)}; a msgspec Struct can say more")
    kinds = schema.get("type", [])
    for kind in kinds if isinstance(kinds, list) else [kinds]:
        if not isinstance(kind, str) or kind not in _TYPES:
            raise Unfit(f"{at}.type: expected one of {', '.join(_TYPES)}, was {kind!r:.40}")
    properties = schema.get("properties", {})
    if not isinstance(properties, Mapping):
        raise Unfit(f"{at}.properties: expected an object")
    for name, inner in properties.items():
        check_schema(inner, f"{at}.properties.{name}", depth + 1)
    if not isinstance(schema.get("additionalProperties", True), bool):
        raise Unfit(f"{at}.additionalProperties: expected true or false")
    if "items" in schema:
        check_schema(schema["items"], f"{at}.items", depth + 1)
    for name in ("required", "enum"):
        if not isinstance(schema.get(name, []), list):
            raise Unfit(f"{at}.{name}: expected a list")
    if not all(isinstance(name, str) for name in schema.get("required", [])):
        raise Unfit(f"{at}.required: expected a list of names")
    for name in _KEYWORDS:
        if name.startswith(("min", "max", "exclusive")) and not isinstance(schema.get(name, 0), int | float):
            raise Unfit(f"{at}.{name}: expected a number")


def check(schema: Mapping[str, Any], value: object, at: str = "params") -> None:
    """Check a value against a schema that `check_schema` has let pass.

    Raises:
        Unfit: It does not fit; the message says where.
    """
    _check_type(schema, value, at)
    if "enum" in schema and not any(_equal(value, one) for one in schema["enum"]):
        raise Unfit(f"{at}: expected one of {schema['enum']!r:.200}, was {value!r:.80}")
    if "const" in schema and not _equal(value, schema["const"]):
        raise Unfit(f"{at}: expected {schema['const']!r:.80}, was {value!r:.80}")
    if isinstance(value, dict):
        _check_object(schema, value, at)
    elif isinstance(value, list):
        _check_bounds(len(value), schema.get("minItems"), schema.get("maxItems"), f"{at}: items")
        for number, item in enumerate(value):
            check(schema.get("items", {}), item, f"{at}[{number}]")
    elif isinstance(value, str):
        _check_bounds(len(value), schema.get("minLength"), schema.get("maxLength"), f"{at}: characters")
    elif isinstance(value, int | float) and not isinstance(value, bool):
        _check_bounds(value, schema.get("minimum"), schema.get("maximum"), at)
        if "exclusiveMinimum" in schema and not value > schema["exclusiveMinimum"]:
            raise Unfit(f"{at}: expected more than {schema['exclusiveMinimum']}, was {value}")
        if "exclusiveMaximum" in schema and not value < schema["exclusiveMaximum"]:
            raise Unfit(f"{at}: expected less than {schema['exclusiveMaximum']}, was {value}")


def _check_type(schema: Mapping[str, Any], value: object, at: str) -> None:
    kinds = schema.get("type")
    if kinds is None:
        return
    named = kinds if isinstance(kinds, list) else [kinds]
    if not any(_is(value, kind) for kind in named):
        raise Unfit(f"{at}: expected {' or '.join(named)}, was {value!r:.80}")


def _is(value: object, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer" and isinstance(value, float):
        return math.isfinite(value) and value.is_integer()
    return isinstance(value, _TYPES[kind])


def _check_object(schema: Mapping[str, Any], value: dict[str, Any], at: str) -> None:
    properties = schema.get("properties", {})
    missing = [name for name in schema.get("required", []) if name not in value]
    if missing:
        raise Unfit(f"{at}: expected {', '.join(map(str, missing))}")
    if schema.get("additionalProperties") is False and (unknown := sorted(set(value) - set(properties))):
        raise Unfit(f"{at}: expected none of {', '.join(unknown)}")
    for name, inner in properties.items():
        if name in value:
            check(inner, value[name], f"{at}.{name}")


def _check_bounds(amount: float, least: float | None, most: float | None, at: str) -> None:
    if least is not None and amount < least:
        raise Unfit(f"{at}: expected at least {least}, was {amount}")
    if most is not None and amount > most:
        raise Unfit(f"{at}: expected at most {most}, was {amount}")


def _equal(one: object, other: object) -> bool:
    """As JSON has it, however deep: true is not 1."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_equal, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_equal(one[key], other[key]) for key in one)
    return one == other and isinstance(one, bool) is isinstance(other, bool)
