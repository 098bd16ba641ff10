"""What answers look like, for the OpenAPI document: made from the structs that are answered, and from problems."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec

Answers = dict[int | str, dict[str, Any]]

_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "faults": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["at", "expected"],
                "properties": {"at": {"type": "string"}, "expected": {"type": "string"}},
            },
        },
    },
}


def schema_of(cls: type[msgspec.Struct]) -> dict[str, Any]:
    """JSON Schema of a struct that has no other structs in it; all of its fields are always there."""
    _, components = msgspec.json.schema_components([cls])
    schema: dict[str, Any] = components[cls.__name__]
    return {**schema, "required": list(schema["properties"])}


def list_of(name: str, item: dict[str, Any]) -> dict[str, Any]:
    """An object that holds a list under a name."""
    return {"type": "object", "required": [name], "properties": {name: {"type": "array", "items": item}}}


def answers(status: HTTPStatus, schema: dict[str, Any], *headers: str) -> Answers:
    """The answer where all is well."""
    found: dict[str, Any] = {"description": status.phrase, "content": {"application/json": {"schema": schema}}}
    if headers:
        found["headers"] = {name: {"schema": {"type": "string"}} for name in headers}
    return {status.value: found}


def problems(*statuses: HTTPStatus) -> Answers:
    """Answers that are problem documents."""
    return {
        status.value: {
            "description": status.phrase,
            "content": {"application/problem+json": {"schema": _PROBLEM}},
        }
        for status in statuses
    }


READING = problems(
    HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.MISDIRECTED_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY
)
"""What any reading route may answer."""
OF_A_BOT = {**READING, **problems(HTTPStatus.NOT_FOUND)}
COMMANDING = {
    **OF_A_BOT,
    **problems(
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.CONFLICT,
        HTTPStatus.LENGTH_REQUIRED,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.SERVICE_UNAVAILABLE,
    ),
}
"""What a route that gives commands may answer."""
