"""Errors in the OpenAPI document: the problem documents that a route can answer with."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from pydantic import BaseModel

MEDIA_TYPE = "application/problem+json"


class Fault(BaseModel):
    """One thing that was wrong with a request."""

    at: str
    expected: str


class ProblemDocument(BaseModel):
    """RFC 9457: what was wrong, what was expected, what to do."""

    type: str
    title: str
    status: int
    detail: str
    faults: list[Fault] | None = None


def problem_responses(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """`responses` of a route that can answer with these statuses."""
    content = {MEDIA_TYPE: {"schema": _SCHEMA}}
    return {int(status): {"description": status.phrase, "content": content} for status in statuses}


def _whole() -> dict[str, Any]:
    """The schema without references, which FastAPI would not carry over."""
    schema = ProblemDocument.model_json_schema()
    schema["properties"]["faults"] = {"type": "array", "items": schema.pop("$defs")["Fault"]}
    return schema


_SCHEMA = _whole()
