"""Errors as `application/problem+json` (RFC 9457): what was wrong, what was expected, what to do."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

ARMOUR = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""On every answer that does not say otherwise: whatever it holds, a browser neither runs nor frames it."""


DOCUMENT = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
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
"""JSON Schema of a problem document."""
CONTENT = {"application/problem+json": {"schema": DOCUMENT}}
RESPONSES: dict[int | str, dict[str, Any]] = {
    "default": {"description": "What was wrong, what was expected, what to do (RFC 9457).", "content": CONTENT}
}
"""Every route's answers that are errors, for the OpenAPI document."""


class Problem(HTTPException):
    """An answer that is an error. `detail` is a sentence for a person."""

    def __init__(self, status: HTTPStatus, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(status, detail, headers)


def install(app: FastAPI) -> None:
    """Make every error of an app a problem document."""

    @app.exception_handler(HTTPException)
    async def http_error(_: Request, error: HTTPException) -> JSONResponse:
        return _answer(error.status_code, str(error.detail), dict(error.headers or {}))

    @app.exception_handler(RequestValidationError)
    async def bad_input(_: Request, error: RequestValidationError) -> JSONResponse:
        faults = [
            {"at": ".".join(str(part) for part in fault["loc"]), "expected": fault["msg"]} for fault in error.errors()
        ]
        detail = "; ".join(f"{fault['at']}: {fault['expected']}" for fault in faults)
        return _answer(HTTPStatus.UNPROCESSABLE_ENTITY, detail, {}, faults=faults)

    @app.exception_handler(Exception)
    async def our_fault(_: Request, __: Exception) -> JSONResponse:
        return _answer(HTTPStatus.INTERNAL_SERVER_ERROR, "deskwatch failed; its log says why", {})


def answer(problem: Problem) -> JSONResponse:
    """The document of a problem, for what answers before the app does."""
    return _answer(problem.status_code, str(problem.detail), dict(problem.headers or {}))


def _answer(status: int, detail: str, headers: dict[str, str], **more: Any) -> JSONResponse:
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, **more}
    return JSONResponse(body, status, {**ARMOUR, **headers}, media_type="application/problem+json")
