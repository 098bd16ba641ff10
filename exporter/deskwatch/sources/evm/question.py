"""A call of a node's method, on its way there and back (JSON-RPC 2.0)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import msgspec

from deskwatch.sources import peer_json
from deskwatch.sources.evm.errors import EndpointFault, Garbled, RpcError
from deskwatch.sources.evm.wire import words

Question: TypeAlias = tuple[str, Sequence[Any]]
"""A method and its parameters (`Any`: whatever JSON holds)."""
Answer: TypeAlias = Any
"""A method's result (any JSON), or an `RpcError`."""

RATE_LIMITED = frozenset({429, -32005, -32007, -32029})
"""Codes by which providers say that they were asked too often, with HTTP status 200 too: -32005 is EIP-1474's."""


def encode(questions: Sequence[Question]) -> bytes:
    """A request's body: one object, or a list of them as a batch. Ids are the places in the list."""
    objects = [
        {"jsonrpc": "2.0", "id": place, "method": method, "params": list(params)}
        for place, (method, params) in enumerate(questions)
    ]
    return msgspec.json.encode(objects[0] if len(objects) == 1 else objects)


def decode(body: bytes, clean: Callable[[str], str] = str) -> Any:  # Any: a node may write any JSON
    """A body's JSON.

    Args:
        body: What the node sent.
        clean: Takes out of the node's words what must not be shown.

    Raises:
        Garbled: It is none.
    """
    try:
        return peer_json.decode(body)
    except peer_json.NotJson as error:
        shown = words(clean(body[:1000].decode(errors="replace")), 60)
        raise Garbled(f"expected JSON, was {shown!r} ({error})") from None


def is_refusal(told: Any) -> bool:  # Any: a node may write any JSON
    """Whether this answer to a batch says that the node takes none, or none so long."""
    if not isinstance(told, dict) or told.get("error") is None:
        return False
    error = told["error"]
    return not isinstance(error, dict) or _code(error) not in RATE_LIMITED


def answers(told: Any, count: int, clean: Callable[[str], str] = str) -> list[Answer]:  # Any: any JSON
    """The answers to `count` questions, in their order.

    Args:
        told: What the node sent.
        count: How many questions there were.
        clean: As in `decode`.

    Raises:
        Garbled: Some are missing, or none is an answer.
        EndpointFault: The node was asked too often.
    """
    found: dict[int, Answer] = {}
    for one in told if isinstance(told, list) else [told]:
        if isinstance(one, dict) and type(one.get("id")) is int:
            found[one["id"]] = _answer(one, clean)
        elif isinstance(one, dict) and one.get("error") is not None and not isinstance(told, list):
            # It stands for the request as a whole, and has no id.
            found = dict.fromkeys(range(count), _answer(one, clean))
    if missing := [place for place in range(count) if place not in found]:
        raise Garbled(f"expected {count} answers, was without {len(missing)} of them: {words(clean(repr(told)))!r}")
    return [found[place] for place in range(count)]


def _answer(one: dict[str, Any], clean: Callable[[str], str]) -> Answer:
    error = one.get("error")
    if error is None:
        if "result" not in one:
            raise Garbled(f"expected a result or an error, was {words(clean(repr(one)))!r}")
        return one["result"]
    if not isinstance(error, dict):
        return RpcError(0, words(clean(str(error))))
    code = _code(error)
    message = words(clean(str(error.get("message") or "an error without words")))
    if code in RATE_LIMITED:
        raise EndpointFault("rate_limited", f"asked too often: {message}")
    return RpcError(code, message, error.get("data"))


def _code(error: dict[str, Any]) -> int:
    """An error's code; 0 of one that has none."""
    code = error.get("code")
    return code if isinstance(code, int) else 0
