"""A peer's JSON is decoded without trust."""

from __future__ import annotations

import sys

import pytest

from deskwatch.sources import decoding
from deskwatch.sources.freqtrade import answer, errors
from deskwatch.sources.hummingbot import payload

DEEP = b"[" * 500_000


@pytest.mark.parametrize("text", [b"\xff", b"{", b"[" * 5_000, "[" * 5_000, "\ud800"], ids=repr)
def test_what_is_no_json_is_undecodable(text: bytes | str) -> None:
    with pytest.raises(decoding.Undecodable):
        decoding.decode(text)


@pytest.mark.parametrize("text", [b'{"a": [1]}', '{"a": [1]}'], ids=repr)
def test_json_is_decoded(text: bytes | str) -> None:
    assert decoding.decode(text) == {"a": [1]}


def test_no_source_goes_down_into_json_without_end() -> None:
    """Where a library has raised Python's limit, the decoders would end the process."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(100_000)
    try:
        with pytest.raises(errors.Unreachable):
            answer.value_of(answer.Answer(200, {}, DEEP), "status")
        assert payload.decode(DEEP) is None
    finally:
        sys.setrecursionlimit(limit)
