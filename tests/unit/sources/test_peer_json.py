"""How deep a JSON text is nested."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskwatch.sources.peer_json import MAX_BRACKETS, NotJson, decode, is_too_deep

VALUES = st.recursive(
    st.none() | st.text(alphabet='[]{}"\\a'), lambda inner: st.lists(inner) | st.dictionaries(st.text('[{"\\'), inner)
)


def depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)


@given(VALUES)
def test_the_depth_is_that_of_the_value_whatever_its_texts_hold(value: Any):
    text = json.dumps(value).encode()
    assert is_too_deep(text, depth(value)) is False
    assert depth(value) == 0 or is_too_deep(text, depth(value) - 1) is True


@pytest.mark.parametrize("text", [b"[" * 100_000, b'{"a":' * 100_000, b'["]",' * 1000, b'[{"]":' * 1000 + b"oops"])
def test_what_would_take_a_decoder_deep_is_seen(text: bytes):
    assert is_too_deep(text)


@pytest.mark.parametrize("text", [b"", b"[]", b"[[]," * 1000, b'["' + b"[" * 1000 + b'"]', b"{}" * 1000, b"]" * 1000])
def test_what_is_long_and_flat_is_not_refused(text: bytes):
    assert is_too_deep(text) is (text == b"[[]," * 1000)  # each opens one that is not closed


def test_more_brackets_than_anybody_means_are_refused_unread():
    assert is_too_deep(b"[]" * (MAX_BRACKETS // 2 + 1))


@pytest.mark.parametrize(
    "text", ["", "nonsense", b"\xff", '"\udc80', "[" * 100_000, b'{"a":' * 300 + b"1" + b"}" * 300]
)
def test_what_is_no_json_of_a_peer_is_refused(text: bytes | str):
    with pytest.raises(NotJson):
        decode(text)


def test_json_is_decoded_from_bytes_and_from_text():
    assert decode(b'{"a": [1, null]}') == decode('{"a": [1, null]}') == {"a": [1, None]}


def test_nothing_goes_down_without_end_where_a_library_raised_the_limit():
    """As py-evm does."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(100_000)
    try:
        with pytest.raises(NotJson):
            decode(b"[" * 1_000_000)
    finally:
        sys.setrecursionlimit(limit)
