"""What answers look like, for the OpenAPI document: made from the structs that are answered, and from problems."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec

from deskwatch.sidecar.problems import CONTENT

Answers = dict[int | str, dict[str, Any]]


def schema_of(cls: type[msgspec.Struct]) -> dict[str, Any]:
    """JSON Schema of a struct, whole: references would not be carried over. All of its fields are always there."""
    _, components = msgspec.json.schema_components([cls])
    return _whole(cls.__name__, components)


def _whole(name: str, components: dict[str, Any]) -> dict[str, Any]:
    schema = components[name]
    properties = {key: _inline(value, components) for key, value in schema["properties"].items()}
    return {**schema, "properties": properties, "required": list(properties)}


def _inline(schema: Any, components: dict[str, Any]) -> Any:  # Any: whatever a schema holds
    if isinstance(schema, list):
        return [_inline(item, components) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _whole(schema["$ref"].rpartition("/")[2], components)
    return {key: _inline(value, components) for key, value in schema.items()}


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
    return {status.value: {"description": status.phrase, "content": CONTENT} for status in statuses}


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
