"""Lines: framing and reading back."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskwatch.encoding import encode
from deskwatch.errors import InvalidLine
from deskwatch.events import BotStopped, CommandStarted, Event, OrderCanceled, SignInRefused, Unknown
from deskwatch.journal import read, read_envelope
from deskwatch.journal.line import MAX_DEPTH, MAX_LINE_BYTES, check_crc, frame
from tests import strategies
from tests.lines import line_of, writer_of

STOPPED = BotStopped(reason="closed")


def reason_of(line: bytes, writer: str = "main") -> str:
    with pytest.raises(InvalidLine) as caught:
        read(line, "b", writer)
    return caught.value.reason


@given(event=strategies.any_event, ts=st.integers(0, 2**63 - 1), seq=st.integers(1, 2**63 - 1))
def test_what_is_framed_is_read_back(event: Event, ts: int, seq: int) -> None:
    line = frame(encode(event), ts=ts, seq=seq, run=b"0123456789abcdef")
    assert line.endswith(b"}\n")
    assert b"\n" not in line[:-1]
    record = read(line[:-1], "arb-1", writer_of(event))
    assert (record.event, record.ts, record.seq, record.run) == (event, ts, seq, "0123456789abcdef")
    assert (record.bot, record.raw, record.seconds) == ("arb-1", line[:-1], ts / 1e9)
    assert json.loads(line)["v"] == 1


@given(line=strategies.lines, place=st.floats(0, 1, exclude_max=True), byte=st.integers(0, 255))
def test_no_change_of_a_byte_passes(line: bytes, place: float, byte: int) -> None:
    at = int(place * len(line))
    changed = line[:at] + bytes([byte]) + line[at + 1 :]
    try:
        read_envelope(changed)
    except InvalidLine:
        return
    assert changed == line


@given(line=strategies.lines, place=st.integers(2, 4), bit=st.integers(0, 7))
def test_a_bit_flipped_in_the_name_of_the_crc_is_noticed(line: bytes, place: int, bit: int) -> None:
    """It would pass for a member that is not known, and the line for a foreign one that states no CRC."""
    at = line.rfind(b',"crc":') + place
    with pytest.raises(InvalidLine):
        read_envelope(line[:at] + bytes([line[at] ^ 1 << bit]) + line[at + 1 :])


@given(line=strategies.lines, end=st.floats(0, 1, exclude_max=True))
def test_no_part_of_a_line_passes_for_a_line(line: bytes, end: float) -> None:
    with pytest.raises(InvalidLine):
        read_envelope(line[: int(end * len(line))])


def test_the_crc_is_that_of_the_line_without_it() -> None:
    line = line_of(STOPPED)
    assert check_crc(line, msgspec.json.decode(line)["crc"])
    assert not check_crc(line, msgspec.json.decode(line)["crc"] + 1)


@given(event=strategies.any_event)
def test_a_foreign_line_needs_only_ts_and_type(event: Event) -> None:
    fields = {key: value for key, value in json.loads(line_of(event)).items() if key not in ("v", "seq", "run", "crc")}
    record = read(json.dumps(fields).encode(), "b", writer_of(event))
    assert record.event == event
    assert (record.seq, record.run) == (None, None)


def test_a_foreign_line_may_be_spaced_and_ordered_as_it_likes() -> None:
    line = b' { "reason" : "closed", "ts" : 17, "more": [1], "type" : "bot_stopped" } \r'
    assert read(line, "b", "main").event == STOPPED


@pytest.mark.parametrize("writer", ["main", "control", "feeder"])
def test_an_unknown_type_is_kept_from_any_writer(writer: str) -> None:
    record = read(b'{"type":"moon_landed","ts":1,"trace":"t","crew":3}', "b", writer)
    assert record.event == Unknown(trace="t")
    assert (record.type, record.kind) == ("moon_landed", "other")


def test_the_sidecars_words_count_only_from_control() -> None:
    line = line_of(SignInRefused(route="GET /", remote="r", problem="wrong"))
    assert read(line, "b", "control").type == "sign_in_refused"
    assert reason_of(line, "main") == "misplaced"


def test_a_bots_words_count_only_from_its_own_writers() -> None:
    line = line_of(CommandStarted(command_id="c", command="ping"))
    assert read(line, "b", "feeder").type == "command_started"
    assert reason_of(line, "control") == "misplaced"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", "json"),
        (b"\x00" * 100, "json"),
        (b"not json", "json"),
        (b'{"type":"bot_stopped","ts":1,"reason":"a"} {}', "json"),
        (b'{"type":"bot_stopped","ts":1,"reason":"\xff"}', "json"),
        (b'{"type":"moon_landed","ts":1,"crew":"\xff"}', "json"),
        (b'{"type":"moon_landed","ts":1,"crew":"\\ud800"}', "json"),
        (b'{"type":"moon_landed","ts":1,"crew":' + b"[" * 30_000 + b"]" * 30_000 + b"}", "json"),
        (b'{"type":"moon_landed","ts":1,"crew":' + b"[" * 500 + b"]" * 500 + b"}", "json"),
        (b"[]", "envelope"),
        (b'"bot_stopped"', "envelope"),
        (b'{"ts":1}', "envelope"),
        (b'{"type":"bot_stopped"}', "envelope"),
        (b'{"type":"bot_stopped","ts":"soon"}', "envelope"),
        (b'{"type":"bot_stopped","ts":%d}' % 10**30, "envelope"),
        (b'{"type":"bot_stopped","ts":1,"reason":"closed","crc":1}', "crc"),
        (b'{"type":"bot_stopped","ts":1}', "fields"),
        (b'{"type":"bot_stopped","ts":1,"reason":2}', "fields"),
        (b'{"type":"equity_observed","ts":1,"asset":"A","equity":1e999}', "fields"),
        (b'{"type":"block_observed","ts":1,"chain":"c","block_timestamp_seconds":1,"block":%d}' % 10**30, "fields"),
        (b'{"type":"bot_stopped","ts":1,"reason":"%b"}' % (b"a" * MAX_LINE_BYTES), "length"),
    ],
)
def test_what_is_no_event_is_invalid_for_a_reason(line: bytes, reason: str) -> None:
    assert reason_of(line) == reason


@given(line=strategies.garbage)
def test_garbage_raises_nothing_but_invalid_line(line: bytes) -> None:
    with pytest.raises(InvalidLine):
        read(line, "b", "main")


def test_the_longest_line_is_within_the_limit_with_its_newline() -> None:
    fixed = len(b'{"type":"bot_stopped","ts":1,"reason":""}\n')
    line = b'{"type":"bot_stopped","ts":1,"reason":"%b"}' % (b"a" * (MAX_LINE_BYTES - fixed))
    assert read(line, "b", "main").type == "bot_stopped"
    assert reason_of(line + b" ") == "length"


def test_nesting_is_bounded_and_brackets_in_text_are_no_nesting() -> None:
    deep = b'{"type":"moon_landed","ts":1,"crew":%b%b}'
    inside = MAX_DEPTH - 1
    assert read(deep % (b"[" * inside, b"]" * inside), "b", "main").kind == "other"
    assert reason_of(deep % (b"[" * MAX_DEPTH, b"]" * MAX_DEPTH)) == "json"
    text = OrderCanceled(order_id='{["' * 200, venue="v", symbol="s")
    assert read(line_of(text), "b", "main").event == text
    wide = b'{"type":"moon_landed","ts":1,"crew":[%b1]}' % (b"[]," * 500)
    assert read(wide, "b", "main").kind == "other"


@pytest.mark.parametrize("value", [b'"17"', b"17.0", b"17"])
def test_a_whole_number_may_be_spelled_as_other_languages_do(value: bytes) -> None:
    assert read_envelope(b'{"type":"t","ts":%b}' % value).ts == 17


def test_invalid_line_tells_reason_and_detail() -> None:
    error = InvalidLine("crc", "expected one, was another")
    assert (str(error), error.reason, error.detail) == ("crc: expected one, was another", "crc", error.detail)
