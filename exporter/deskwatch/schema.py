"""The journal's format as JSON Schema, so that a bot in any language can write one.

A field's description is the string literal under it in the event's source.
"""

from __future__ import annotations

import ast
import inspect
import sys
from typing import Any

import msgspec

from deskwatch.events import EVENTS, Event
from deskwatch.journal.line import FORMAT, Envelope


def build() -> dict[str, Any]:
    """JSON Schema (2020-12) of one journal line: the envelope, and one of the events."""
    classes: list[type[msgspec.Struct]] = [Envelope, *EVENTS.values()]
    schemas, definitions = msgspec.json.schema_components(classes, ref_template="#/$defs/{name}")
    for cls in classes:
        definition = definitions[cls.__name__]
        definition["description"] = inspect.cleandoc(cls.__doc__ or "")
        for name, text in _descriptions(cls).items():
            definition["properties"].setdefault(name, {})["description"] = text
    envelope, *events = schemas
    definitions["Envelope"]["properties"]["type"]["enum"] = sorted(EVENTS)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "deskwatch journal line",
        "description": f"Version {FORMAT} of the format. Each line of a journal is one such object, then a newline.",
        "allOf": [envelope, {"oneOf": events}],
        "$defs": definitions,
    }


def _descriptions(cls: type[msgspec.Struct]) -> dict[str, str]:
    found: dict[str, str] = {}
    for base in (Event, cls):
        if not issubclass(cls, base):
            continue
        (definition,) = (
            node
            for node in ast.parse(inspect.getsource(sys.modules[base.__module__])).body
            if isinstance(node, ast.ClassDef) and node.name == base.__name__
        )
        for field, after in zip(definition.body, definition.body[1:], strict=False):
            if (
                isinstance(field, ast.AnnAssign)
                and isinstance(field.target, ast.Name)
                and isinstance(after, ast.Expr)
                and isinstance(after.value, ast.Constant)
            ):
                found[field.target.id] = str(after.value.value)
    return found
