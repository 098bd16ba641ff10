"""What is shown of a bot's output."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deskwatch.sidecar.supervisor.log_tail import MAX_LINE, NOT_SHOWN, TAIL_BYTES, files, path_of, tail

OBEYED = {"Cc", "Cf", "Cs", "Zl", "Zp"}


@pytest.fixture
def write(home: Path):
    def put(data: bytes, file: int = 0) -> None:
        path = path_of(home, "arb-1", file)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)

    return put


def test_without_output_there_are_no_lines_and_no_files(home: Path) -> None:
    assert tail(home, "arb-1", 10) == []
    assert tail(home, "arb-1", 10, 3) == []
    assert files(home, "arb-1", 5) == []


def test_the_last_lines_are_shown_scrubbed(home: Path, write) -> None:
    write(b"first\napi_key=k-12345\nlast, without an end")
    assert tail(home, "arb-1", 2) == ["api_key=[redacted]", "last, without an end"]
    assert tail(home, "arb-1", 1) == ["last, without an end"]
    assert len(tail(home, "arb-1", 100)) == 3


def test_lines_go_on_in_the_file_before_and_each_file_can_be_asked_for(home: Path, write) -> None:
    write(b"3\n4\n")
    write(b"1\n2\n", 1)
    assert tail(home, "arb-1", 3) == ["2", "3", "4"]
    assert tail(home, "arb-1", 3, 0) == ["3", "4"]
    assert tail(home, "arb-1", 1, 1) == ["2"]
    assert [(one.file, one.bytes) for one in files(home, "arb-1", 5)] == [(0, 4), (1, 4)]


def test_colours_do_not_hide_a_secret_and_other_codes_are_seen(home: Path, write) -> None:
    write(b"\x1b[36mapi_key\x1b[0m=\x1b[35mk-12345\x1b[0m\n\x1b]0;title\x07 \xff pass\0word=hunter2\r\n")
    assert tail(home, "arb-1", 2) == ["api_key=[redacted]", r"\x1b]0;title\x07 \xff password=[redacted]"]


def test_a_huge_line_is_cut_and_says_how_long_it_is(home: Path, write) -> None:
    write(b"x" * 100_000 + b"\nlast\n")
    cut, last = tail(home, "arb-1", 2)
    assert last == "last"
    assert cut == f"{'x' * MAX_LINE}… [100000 bytes]"


def test_a_line_whose_beginning_is_too_far_back_is_not_shown_as_its_secret_may_be_there(home: Path, write) -> None:
    write(b"api_key=" + b"k" * TAIL_BYTES)
    assert tail(home, "arb-1", 5) == [NOT_SHOWN]
    write(b"api_key=" + b"k" * TAIL_BYTES + b"\nlast\n")
    assert tail(home, "arb-1", 5) == [NOT_SHOWN, "last"]
    assert tail(home, "arb-1", 1) == ["last"]


def test_no_secret_shows_at_any_place_where_a_line_is_cut(home: Path, write) -> None:
    for before in range(MAX_LINE - 40, MAX_LINE + 10):
        write(b"y" * before + b" token=topsecret-topsecret " + b"z" * 20_000 + b"\n")
        assert "topsecret" not in tail(home, "arb-1", 1)[0]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300), st.binary(max_size=300), st.integers(1, 20), st.sampled_from([None, 0, 1]))
def test_any_bytes_are_shown_in_lines_that_no_terminal_obeys(
    home: Path, write, newer: bytes, older: bytes, lines: int, file: int | None
) -> None:
    write(newer)
    write(older, 1)
    shown = tail(home, "arb-1", lines, file)
    assert len(shown) <= lines
    assert not [one for line in shown for one in line if unicodedata.category(one) in OBEYED]
