"""Reading Loki back, page by page."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deskwatch.verify import loki as reading
from deskwatch.verify.loki import Loki, selector
from deskwatch.verify.metrics import Unreachable
from tests.fakes import loki as fake_loki
from tests.fakes import loki_query
from tests.fakes.loki import FakeLoki

STREAM = (("bot", "b"), ("kind", "market"), ("lane", "live"), ("service_name", "deskwatch"))
OTHER = (("bot", "b"), ("kind", "logs"), ("lane", "live"), ("service_name", "deskwatch"))
times = st.lists(st.integers(1000, 1012) | st.integers(1, 5000), max_size=60)


@pytest.fixture
def server() -> Iterator[FakeLoki]:
    """A fake Loki."""
    with fake_loki.running() as loki:
        yield loki


def fill(loki: FakeLoki, stamps: list[int], *, by_place: bool = False) -> set[str]:
    """Entries at these times, in two streams; their lines."""
    loki.streams.clear()
    streams: Any = loki.streams
    for number, ts in enumerate(stamps):
        metadata = {"at": f"{number % 3}:{number}"} if by_place else {"seq": str(number)}
        stream = STREAM if number % 2 else OTHER
        streams.setdefault(stream, []).append((ts, f"line {number}", tuple(metadata.items())))
    return {f"line {number}" for number in range(len(stamps))}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(times, st.integers(2, 7), st.booleans())
def test_every_entry_comes_once_whatever_the_page_and_however_many_share_a_time(
    server: FakeLoki, stamps: list[int], limit: int, by_place: bool
) -> None:
    lines = fill(server, stamps, by_place=by_place)
    loki = Loki(server.url, {})
    loki._limit = limit
    loki._window = 700
    found = list(loki.entries(selector("b", "live"), 0, 6000))
    loki.close()
    assert sorted(entry.line for entry in found) == sorted(lines)


def test_start_is_inclusive_and_end_exclusive(server: FakeLoki) -> None:
    fill(server, [10, 11, 12])
    loki = Loki(server.url, {})
    assert [entry.ts for entry in loki.entries(selector("b", "live"), 10, 12)] == [10, 11]
    loki.close()


def test_labels_and_metadata_are_read_together_or_apart(server: FakeLoki, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(server, [10])
    for flag in ("categorize-labels", ""):
        loki = Loki(server.url, {})
        loki._headers["X-Loki-Response-Encoding-Flags"] = flag
        (entry,) = loki.entries(selector("b", "live"), 0, 20)
        assert (entry.labels["kind"], entry.labels["seq"]) == ("logs", "0")
        loki.close()


def test_it_asks_for_as_much_as_that_loki_allows(server: FakeLoki, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = fill(server, list(range(1, 1000)))
    monkeypatch.setattr("tests.fakes.loki_query.answer", _with_limits)
    loki = Loki(server.url, {})
    assert {entry.line for entry in loki.entries(selector("b", "live"), 0, 10 * 3600 * 10**9)} == lines
    assert loki._limit == 300
    assert loki._window <= 3600 * 10**9
    loki.close()


_answer = loki_query.answer


def _with_limits(streams: Any, target: str, headers: Any) -> tuple[int, str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loki_query, "MAX_LENGTH_NS", 3600 * 10**9)
        return _answer(streams, target, headers, 300)


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (400, "parse error \x1b[2J", r"parse error \\x1b\[2J"),
        (401, "no", "was 401: no; check --loki-url"),
        (503, "later", "was 503: later"),
        (200, "{}", "expected streams"),
        (200, '{"data":{"result":[{"stream":{},"values":[[{},"x"]]}]}}', "expected"),
        (
            200,
            '{"data":{"result":[{"stream":{},"values":[["a\\u001b","x"]]}]}}',
            r"a time and a line .* was \['a\\x1b",
        ),
        (200, '{"data":{"result":[{"stream":{},"values":[["1"]]}]}}', "a time and a line"),
        (
            200,
            '{"data":{"result":[{"stream":{},"values":[["10","x"]]}]}}',
            "0 to before 10 ns as asked for, was one of 10",
        ),
        (
            200,
            '{"data":{"result":[{"stream":{},"values":[["-1","x"]]}]}}',
            "0 to before 10 ns as asked for, was one of -1",
        ),
    ],
)
def test_what_is_no_answer_is_told_without_harm(
    server: FakeLoki, monkeypatch: pytest.MonkeyPatch, status: int, body: str, words: str
) -> None:
    monkeypatch.setattr("tests.fakes.loki_query.answer", lambda *_: (status, body))
    monkeypatch.setattr(reading, "TRY_SECONDS", 0.0)
    loki = Loki(server.url, {})
    with pytest.raises(Unreachable, match=words):
        list(loki.entries(selector("b", "live"), 0, 10))
    loki.close()


def test_a_loki_that_ignores_what_time_is_asked_for_is_not_asked_for_ever(
    server: FakeLoki, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = {"stream": {}, "values": [[str(100 + number % 2), "x"] for number in range(reading.LIMIT)]}
    body = json.dumps({"data": {"result": [page]}})
    monkeypatch.setattr("tests.fakes.loki_query.answer", lambda *_: (200, body))
    loki = Loki(server.url, {})
    bounded = itertools.islice(loki.entries(selector("b", "live"), 0, 1000), 20_000)
    with pytest.raises(Unreachable, match="of 101 to before 1000 ns as asked for, was one of 100"):
        list(bounded)
    assert loki.requests == 2
    loki.close()


def test_trouble_that_passes_is_waited_out(server: FakeLoki, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = fill(server, [10])
    answers = [(500, "panic"), (429, "too many")]
    monkeypatch.setattr("tests.fakes.loki_query.answer", lambda *more: answers.pop() if answers else _answer(*more))
    loki = Loki(server.url, {})
    assert {entry.line for entry in loki.entries(selector("b", "live"), 0, 20)} == lines
    loki.close()


@pytest.mark.parametrize(
    ("config", "seconds"),
    [
        ("ingester:\n  query_store_max_look_back_period: -1ns\n", math.inf),
        ("  query_store_max_look_back_period: 2h41m0s\n  query_ingesters_within: 3h0m0s\n", 9660.0),
        ("  query_store_max_look_back_period: 0s\n  query_ingesters_within: 3h0m0s\n", 10800.0),
        ("target: all\n", math.inf),
        ("  query_ingesters_within: 3h1..5m\n", 11100.0),
    ],
)
def test_its_configuration_says_how_old_a_line_may_be_to_be_shown_at_once(
    server: FakeLoki, monkeypatch: pytest.MonkeyPatch, config: str, seconds: float
) -> None:
    monkeypatch.setattr(loki_query, "CONFIG", config)
    loki = Loki(server.url, {})
    assert loki.hides_older_than() == seconds
    loki.close()
    nobody = Loki("http://127.0.0.1:1", {})
    assert nobody.hides_older_than() == 10800.0
