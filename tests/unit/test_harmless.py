"""What a terminal is shown of text from outside."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskwatch.harmless import as_json, harmless, harmless_json

any_text = st.text(st.characters(exclude_categories=[])) | st.text("\x1b[]31m\u202e\u200b\x9b\r\n\t\x7f\U000e0041a")
OBEYED = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Unicode categories: controls, formats (bidi and zero width among them), surrogates, line and paragraph separators."""


@given(any_text)
def test_nothing_that_a_terminal_obeys_or_hides_is_left(text: str) -> None:
    for shown in (harmless(text), as_json(text)):
        assert not [one for one in shown if unicodedata.category(one) in OBEYED]


@given(any_text)
def test_json_says_the_same_as_before(text: str) -> None:
    assert json.loads(as_json({"text": text})) == {"text": text}


@given(st.text(st.characters(categories=["L", "N", "P", "S"], exclude_characters="\u115f\u1160\u3164\uffa0")))
def test_letters_figures_and_signs_stay_as_they_are(text: str) -> None:
    assert harmless(text) == text


@given(st.binary())
def test_bytes_of_any_kind_are_shown(data: bytes) -> None:
    shown = harmless(data)
    assert not [one for one in shown if unicodedata.category(one) in OBEYED]
    assert shown.isascii() or data.decode(errors="ignore")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", r"\x1b[31mred"),
        ("a\u202eb", r"a\u202eb"),
        ("two\nlines\r\t", r"two\nlines\r\t"),
        ("\u200bzero\ufeff", r"\u200bzero\ufeff"),
        ("\x9b2J\x7f", r"\x9b2J\x7f"),
        ("\U000e0041tag", r"\U000e0041tag"),
        ("grün 日本 🙂", "grün 日本 🙂"),
        (b"caf\xc3\xa9 \xff\x1b", r"café \xff\x1b"),
    ],
)
def test_escapes_are_the_ones_that_a_programmer_knows(text: str | bytes, shown: str) -> None:
    assert harmless(text) == shown


def test_a_json_text_stays_json_with_what_is_dangerous_as_escapes() -> None:
    text = '{"a":"\u202e\x7f\U000e0041ü"}'
    assert harmless_json(text) == r'{"a":"\u202e\u007f\udb40\udc41ü"}'
    assert json.loads(harmless_json(text)) == json.loads(text)
