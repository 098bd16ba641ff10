"""Query parameters that a route does not know are refused: a filter that is misspelt would filter nothing."""

from __future__ import annotations

from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.requests import HTTPConnection
from fastapi.routing import APIRoute


def known_query(connection: HTTPConnection) -> None:
    """Check the names in a request's query.

    Raises:
        RequestValidationError: One of them is unknown.
    """
    route = connection.scope.get("route")
    if not connection.query_params or not isinstance(route, APIRoute):
        return
    known = _names(route)
    faults = [
        {"loc": ("query", name), "msg": f"one of {', '.join(sorted(known)) or 'no parameters'}"}
        for name in dict.fromkeys(connection.query_params)
        if name not in known
    ]
    if faults:
        raise RequestValidationError(faults)


def _names(route: APIRoute) -> frozenset[str]:
    found: set[str] = set()
    waiting: list[Dependant] = [route.dependant]
    while waiting:
        dependant = waiting.pop()
        found |= {field.alias for field in dependant.query_params}
        waiting += dependant.dependencies
    return frozenset(found)
