"""How deep a JSON text is nested."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskwatch.sources.nesting import MAX_BRACKETS, is_too_deep

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
