"""A bot's own commands: whether the parameters that someone asks with fit the schema that the bot journaled.

The schema is the bot's word, and may be broken or hostile. What could take long or reach out is left to the bot, which
checks again: regular expressions (`pattern`, `patternProperties`, `propertyNames`), `format`, `uniqueItems`. References
go within the schema only, and the steps of a check are bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

import msgspec

MAX_SCHEMA_BYTES = 8 * 1024
MAX_PARAMS_BYTES = 8 * 1024
MAX_STEPS = 20_000
"""Keywords of a schema that are looked at for one command."""
MAX_DEPTH = 60
"""Keywords within each other, references included: an endless one must not exhaust the process's stack."""
MAX_TOLD = 5
"""Faults that are told."""
_LEFT_TO_THE_BOT = frozenset({"pattern", "patternProperties", "propertyNames", "format", "uniqueItems"})
_REFUSED = frozenset({"$id", "$schema", "$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$vocabulary"})


class BadSchema(Exception):
    """A bot's schema can't be used; the message says why."""


class BadParams(Exception):
    """Parameters don't fit.

    Attributes:
        faults: Where, and what was expected.
    """

    def __init__(self, faults: list[dict[str, str]]) -> None:
        super().__init__("; ".join(f"{fault['at']}: {fault['expected']}" for fault in faults))
        self.faults = faults


class _TooManySteps(Exception):
    """A check takes too long."""


def check(schema: Mapping[str, Any], params: Mapping[str, Any]) -> None:
    """Check parameters against a bot's schema.

    Raises:
        BadSchema: The schema can't be used, or takes too long.
        BadParams: They don't fit, or are too large.
    """
    size = len(msgspec.json.encode(params))
    if size > MAX_PARAMS_BYTES:
        raise BadParams([{"at": "params", "expected": f"at most {MAX_PARAMS_BYTES} bytes, was {size}"}])
    if len(msgspec.json.encode(schema)) > MAX_SCHEMA_BYTES:
        raise BadSchema(f"expected a schema of at most {MAX_SCHEMA_BYTES} bytes")
    _look_for_refused(schema)
    try:
        _check(schema, params)
    except (BadParams, BadSchema):
        raise
    except _TooManySteps:
        raise BadSchema(f"expected a schema that is checked in {MAX_STEPS} steps") from None
    except Exception as error:  # whatever a broken schema makes the library raise, it is the bot's fault
        raise BadSchema(f"expected a JSON Schema, was one that fails with {type(error).__name__}") from None


def _check(schema: Mapping[str, Any], params: Mapping[str, Any]) -> None:
    faults = []
    for fault in _validator(schema).iter_errors(params):
        at = ".".join(["params", *(str(part) for part in fault.absolute_path)])
        faults.append({"at": at[:200], "expected": str(fault.message)[:200]})
        if len(faults) == MAX_TOLD:
            break
    if faults:
        raise BadParams(faults)


def _validator(schema: Mapping[str, Any]) -> Any:  # Any: the library is loaded late
    library, base, registry = _library()
    steps = depth = 0

    def counted(check_keyword: Callable[..., Any]) -> Callable[..., Any]:
        def run(validator: Any, value: Any, instance: Any, whole: Any) -> Iterator[Any]:
            nonlocal steps, depth
            steps += 1 + _width(value) + _width(instance)
            if steps > MAX_STEPS:
                raise _TooManySteps
            if depth >= MAX_DEPTH:
                raise BadSchema(f"expected at most {MAX_DEPTH} keywords and references within each other")
            depth += 1
            try:
                yield from check_keyword(validator, value, instance, whole) or ()
            finally:
                depth -= 1

        return run

    keywords = {
        name: (_pass if name in _LEFT_TO_THE_BOT else counted(check_keyword))
        for name, check_keyword in base.VALIDATORS.items()
    }
    return library.validators.extend(base, keywords)(schema, registry=registry)


@cache
def _library() -> tuple[Any, Any, Any]:
    """Loaded when the first command of a bot's own is asked for: most sidecars never need it."""
    import jsonschema  # type: ignore[import-untyped]  # noqa: PLC0415  it has no types; see above
    import referencing  # noqa: PLC0415  see above

    return jsonschema, jsonschema.Draft202012Validator, referencing.Registry()  # an empty one: nothing is fetched


def _pass(*_: object) -> None:
    """The bot's business."""


def _width(value: object) -> int:
    return len(value) if isinstance(value, list | dict) else 0


def _look_for_refused(schema: object) -> None:
    """Refuse what would lead out of the schema. Its size is bounded, and its depth by its line's.

    Raises:
        BadSchema: It has such a keyword.
    """
    if isinstance(schema, Mapping):
        for name, value in schema.items():
            if name in _REFUSED and isinstance(value, str):
                raise BadSchema(f"expected a schema without {name}")
            if name == "$ref" and not (isinstance(value, str) and value.startswith("#")):
                raise BadSchema("expected references within the schema only, as '#/$defs/…'")
            _look_for_refused(value)
    elif isinstance(schema, list):
        for value in schema:
            _look_for_refused(value)
