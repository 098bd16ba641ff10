"""The OTLP sinks, over both protocols: every line arrives or is put aside, whatever the endpoint answers."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deskwatch.encoding import encode
from deskwatch.events import LogRecorded, OrderFilled, OrderSubmitted
from deskwatch.journal import names
from deskwatch.sinks.cursor import Cursor
from deskwatch.sinks.otlp.traces import Traces
from tests.fakes import otlp as fake_otlp
from tests.fakes.otlp import Answer, FakeOtlp
from tests.lines import lines_in, segment_files
from tests.sending import QUICK, named, quarantined, shipped, sinks, whole
from tests.shipping import event, journaled, writer
from tests.waiting import eventually_async

TRACE = "0af7651916cd43dd8448eb211c80319c"
LINES = 1200


@pytest.fixture(params=["http", "grpc"])
def otlp(request: pytest.FixtureRequest) -> Iterator[FakeOtlp]:
    with fake_otlp.running_grpc() if request.param == "grpc" else fake_otlp.running() as one:
        yield one


def fill(home: Path, lines: int = LINES) -> None:
    with writer(home) as one, writer(home, "arb-2") as other:
        for number in range(lines):
            (other if number % 3 == 0 else one).append(encode(event(number)))


async def test_every_line_arrives_once(home: Path, otlp: FakeOtlp) -> None:
    fill(home)
    with writer(home, "arb-1", names.CONTROL) as control:
        control.append(encode(event(1)))
    async with sinks(home, otlp) as both:
        one = named(both, "logs")
        await eventually_async(lambda: one.delivered == LINES + 1)
        with writer(home) as more:
            more.append(encode(LogRecorded(message="later", levelname="INFO", name="n")))
        await eventually_async(lambda: one.delivered == LINES + 2)
        assert (one.quarantined, one.failures, one.rereads) == (0, {}, 0)
        assert one.backlog_bytes() == 0
        assert one.lag_seconds() == 0
    assert shipped(otlp) == journaled(home)
    assert otlp.requests["logs"] > 3  # in batches
    assert otlp.requests["traces"] == 0


async def test_a_restart_goes_on_where_the_last_one_was(home: Path, otlp: FakeOtlp) -> None:
    for _ in range(3):
        fill(home, 30)
        async with sinks(home, otlp) as both:
            await eventually_async(
                lambda: shipped(otlp) == journaled(home) and named(both, "logs").backlog_bytes() == 0
            )
    assert shipped(otlp).total() == 90


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=503, code="UNAVAILABLE"),
        Answer(status=429, code="RESOURCE_EXHAUSTED", headers={"Retry-After": "0.01"}, retry_seconds=0.01),
        Answer(status=500, code="INTERNAL"),
        Answer(status=401, code="UNAUTHENTICATED"),
        Answer(status=404, code="UNIMPLEMENTED"),
        Answer(status=302, code="UNKNOWN", headers={"Location": "/elsewhere"}),
        Answer(status=0, code="ABORTED"),
        Answer(body=(b"<html>log in</html>", "text/html"), code="DEADLINE_EXCEEDED"),
    ],
    ids=lambda answer: str(answer.status),
)
async def test_what_may_pass_is_tried_again_until_it_does(answer: Answer, home: Path, otlp: FakeOtlp) -> None:
    fill(home, 20)
    otlp.answers.extend([answer] * 3)
    async with sinks(home, otlp) as both:
        one = named(both, "logs")
        await eventually_async(lambda: one.delivered == 20)
        assert one.failures.total() == 3
        assert otlp.requests["logs"] <= 3 + 4  # once for each of our tries: the exporters make none of their own
    assert shipped(otlp) == journaled(home)
    assert quarantined(home) == []


async def test_the_endpoints_wish_to_be_left_alone_is_heeded(home: Path, otlp: FakeOtlp) -> None:
    fill(home, 1)
    wait = Answer(status=503, code="UNAVAILABLE", headers={"Retry-After": "100"}, retry_seconds=100)
    otlp.answers.append(wait)
    async with sinks(home, otlp) as both:
        one = named(both, "logs")
        await eventually_async(lambda: one.failures.total() == 1)
        assert one._backoff.next_seconds(100) == pytest.approx(10 * QUICK.most_seconds)  # up to a bound
        await eventually_async(lambda: one.delivered == 1)


async def test_lines_that_are_refused_for_good_are_found_and_put_aside(
    home: Path, otlp: FakeOtlp, caplog: pytest.LogCaptureFixture
) -> None:
    otlp.poison = "poison"
    fill(home, 40)
    with writer(home) as one:
        for _ in range(3):
            one.append(encode(LogRecorded(message="poison", levelname="INFO", name="n")))
    fill(home, 40)
    async with sinks(home, otlp) as both:
        sink = named(both, "logs")
        await eventually_async(lambda: sink.delivered + sink.quarantined == 83)
        assert (sink.delivered, sink.quarantined) == (80, 3)
    rows = quarantined(home)
    assert len(rows) == 3
    assert {(row["bot"], row["writer"]) for row in rows} == {("arb-1", "main")}
    assert all("poison" in row["line"] and row["line"].encode() in lines_in(home) for row in rows)
    assert all(row["reason"].endswith("poison") and row["reason"][0] in "4I" for row in rows)
    assert shipped(otlp) == journaled(home) - type(shipped(otlp))((row["bot"], row["line"]) for row in rows)
    told = [record for record in caplog.records if record.message == "lines were quarantined"]
    assert len(told) == 1
    assert not [record for record in caplog.records if record.name.startswith("opentelemetry")]


async def test_a_batch_that_is_too_large_is_halved(home: Path) -> None:
    for run in (fake_otlp.running, lambda: fake_otlp.running_grpc(max_bytes=20_000)):
        with run() as otlp:
            otlp.max_bytes = 20_000
            fill(home, 200)
            (home / "sinks" / "otlp_logs.json").unlink(missing_ok=True)
            async with sinks(home, otlp, pace=type(QUICK)(linger_seconds=0.005, batch_bytes=256 * 1024)) as both:
                one = named(both, "logs")
                await eventually_async(lambda: one.backlog_bytes() == 0, 30)  # noqa: B023  it is awaited
            assert shipped(otlp) == journaled(home)
            assert quarantined(home) == []


async def test_of_a_partial_success_nothing_is_sent_again_and_all_that_may_be_lost_is_kept(
    home: Path, otlp: FakeOtlp
) -> None:
    fill(home, 9)
    otlp.answers.append(Answer(rejected=2, words="too old"))
    async with sinks(home, otlp) as both:
        one = named(both, "logs")
        await eventually_async(lambda: one.delivered + one.quarantined == 9)
        assert (one.delivered, one.quarantined) == (7, 2)
    rows = quarantined(home)
    assert len(rows) == 9
    assert {row["reason"] for row in rows} == {"rejected, this may be one: 2 of 9 too old"}
    assert shipped(otlp).total() == 9


async def test_where_a_partial_success_refuses_all_it_is_known_which(home: Path, otlp: FakeOtlp) -> None:
    fill(home, 9)
    otlp.answers.append(Answer(rejected=9, words="too old"))
    async with sinks(home, otlp) as both:
        one = named(both, "logs")
        await eventually_async(lambda: one.quarantined == 9)
    assert {row["reason"] for row in quarantined(home)} == {"rejected too old"}


async def test_a_row_is_written_once_though_the_batch_is_sent_again_after_a_crash(
    home: Path, otlp: FakeOtlp, monkeypatch: pytest.MonkeyPatch
) -> None:
    otlp.poison = "poison"
    with writer(home) as one:
        for text in ("a", "poison", "b"):
            one.append(encode(LogRecorded(message=text, levelname="INFO", name="n")))
    crash = pytest.MonkeyPatch()
    crash.setattr(Cursor, "save", lambda _: (_ for _ in ()).throw(OSError("the process ends here")))
    async with sinks(home, otlp) as both:
        await eventually_async(lambda: named(both, "logs").failures["OSError"])
    crash.undo()
    async with sinks(home, otlp) as both:
        sink = named(both, "logs")
        await eventually_async(lambda: (sink.delivered, sink.quarantined) == (2, 1))
    assert len(quarantined(home)) == 1
    assert {count for (_, line), count in shipped(otlp).items()} == {2}  # the last batch, twice


async def test_a_disk_that_takes_no_cursor_holds_up_the_next_batch(home: Path, otlp: FakeOtlp) -> None:
    """So that a crash doubles one batch at most."""
    fill(home)
    full = pytest.MonkeyPatch()
    full.setattr(Cursor, "save", lambda _: (_ for _ in ()).throw(OSError("full")))
    async with sinks(home, otlp) as both:
        one = named(both, "logs")
        await eventually_async(lambda: one.failures["OSError"] > 3)
        assert otlp.requests["logs"] == 1
        full.undo()
        await eventually_async(lambda: one.delivered == LINES)
    assert shipped(otlp) == journaled(home)


async def test_a_quarantine_that_cant_be_written_loses_nothing(home: Path, otlp: FakeOtlp) -> None:
    otlp.poison = "poison"
    with writer(home) as one:
        one.append(encode(LogRecorded(message="poison", levelname="INFO", name="n")))
    (home / "sinks" / "otlp_logs.quarantine.ndjson").mkdir(parents=True)
    async with sinks(home, otlp) as both:
        sink = named(both, "logs")
        await eventually_async(lambda: sink.failures["IsADirectoryError"] > 1)
        os.rmdir(home / "sinks" / "otlp_logs.quarantine.ndjson")
        await eventually_async(lambda: sink.quarantined == 1)
    assert len(quarantined(home)) == 1


async def test_a_line_that_nothing_can_be_made_of_is_put_aside(
    home: Path, otlp: FakeOtlp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Our own fault costs one line, not the sink."""
    whole_translation = Traces.translate

    def faulty(self: Traces, line: Any) -> Any:
        if b"note 0" in line.raw:
            raise KeyError("x")
        return whole_translation(self, line)

    monkeypatch.setattr(Traces, "translate", faulty)
    fill(home, 30)
    with writer(home) as one:
        one.append(encode(_filled()))
    async with sinks(home, otlp) as both:
        sink = named(both, "traces")
        await eventually_async(lambda: (sink.delivered, sink.quarantined) == (1, 1))
    (row,) = quarantined(home, "traces")
    assert row["reason"] == "translation KeyError: 'x'"


async def test_a_trace_goes_on_after_a_restart(home: Path, otlp: FakeOtlp) -> None:
    order = OrderSubmitted(order_id="o", venue="v", symbol="s", side="buy", quantity=1, trace=TRACE)
    with writer(home) as one:
        one.append(encode(order))
        async with sinks(home, otlp) as both:
            await eventually_async(lambda: named(both, "traces").backlog_bytes() == 0)
        one.append(encode(_filled()))
        async with sinks(home, otlp) as both:
            await eventually_async(lambda: named(both, "traces").delivered == 1)
    ((span,),) = [trace.values() for trace in whole(otlp.spans).values()]
    assert (span.trace, span.name) == (TRACE, "order")
    assert span.start < span.end
    assert [name for name, _, _ in span.events] == ["fill"]
    assert span.resource["service.name"] == "arb-1"


async def test_refused_spans_are_put_aside_with_the_line_that_ended_them(home: Path, otlp: FakeOtlp) -> None:
    otlp.poison = "bad-order"
    with writer(home) as one:
        for name in ("a", "bad-order", "b"):
            one.append(encode(_filled(name)))
    async with sinks(home, otlp, OTEL_LOGS_EXPORTER="none") as both:
        (sink,) = both.sinks
        await eventually_async(lambda: (sink.delivered, sink.quarantined) == (2, 1))
    (row,) = quarantined(home, "traces")
    assert json.loads(row["line"])["order_id"] == "bad-order"


async def test_a_signal_that_fails_holds_up_no_other(home: Path) -> None:
    with fake_otlp.running() as good, fake_otlp.running() as bad, writer(home) as one:
        bad.down = True
        one.append(encode(_filled()))
        async with sinks(home, good, OTEL_EXPORTER_OTLP_LOGS_ENDPOINT=f"{bad.url}/v1/logs") as both:
            await eventually_async(lambda: named(both, "traces").delivered == 1)
            await eventually_async(lambda: named(both, "logs").failures["503"] > 2)
            assert named(both, "logs").delivered == 0
            assert named(both, "logs").lag_seconds() > 0
            bad.down = False
            await eventually_async(lambda: named(both, "logs").delivered == 1)


async def test_headers_and_compression_come_from_the_standard_variables(
    home: Path, otlp: FakeOtlp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20abc,x-tenant=desk")
    fill(home, 10)
    async with sinks(home, otlp, OTEL_EXPORTER_OTLP_COMPRESSION="gzip"):
        await eventually_async(lambda: shipped(otlp) == journaled(home))
    assert otlp.headers["authorization"] == "Bearer abc"
    assert otlp.headers["x-tenant"] == "desk"
    assert otlp.is_grpc or otlp.headers["content-encoding"] == "gzip"


async def test_connections_are_used_again(home: Path) -> None:
    with fake_otlp.running() as otlp:
        fill(home)
        async with sinks(home, otlp) as both:
            await eventually_async(lambda: named(both, "logs").delivered == LINES)
        assert otlp.requests["logs"] > 3
        assert otlp.connections <= 2  # one for each signal


async def test_a_journal_that_was_cut_and_written_anew_is_read_from_where_it_is_known(home: Path) -> None:
    with fake_otlp.running() as otlp:
        with writer(home) as one:
            for number in range(20):
                one.append(encode(event(number)))
        async with sinks(home, otlp) as both:
            await eventually_async(lambda: named(both, "logs").delivered == 20)
        (segment,) = segment_files(home)
        lines = segment.read_bytes().splitlines(keepends=True)
        segment.write_bytes(b"".join(lines[:15]))  # as a disk that kept less after a power cut
        with writer(home) as one:
            for number in range(100, 110):
                one.append(encode(event(number)))
        async with sinks(home, otlp) as both:
            sink = named(both, "logs")
            await eventually_async(lambda: sink.delivered == 30)
            assert sink.rereads == 1
        assert journaled(home).keys() <= shipped(otlp).keys()
        assert set(shipped(otlp).values()) == {1}


async def test_the_end_of_a_segment_is_passed_though_nothing_follows(home: Path) -> None:
    """So that retention may have it."""
    with fake_otlp.running() as otlp:
        fill(home, 10)
        folder = names.writer_folder(home, "arb-1", "main")
        async with sinks(home, otlp) as both:
            sink = named(both, "logs")
            await eventually_async(lambda: sink.delivered == 10)
            (folder / names.segment_name(1000)).touch()
            await eventually_async(lambda: sink.saved_positions()["arb-1", "main"].segment == 1000)


async def test_what_goes_wrong_is_told_once_a_minute(
    caplog: pytest.LogCaptureFixture, home: Path, otlp: FakeOtlp
) -> None:
    caplog.set_level(logging.INFO)
    fill(home, 1)
    otlp.down = True
    async with sinks(home, otlp) as both:
        await eventually_async(lambda: named(both, "logs").failures.total() > 20)
    told = [record for record in caplog.records if record.message == "no delivery, trying again"]
    assert len(told) == 1
    assert not [record for record in caplog.records if record.name.startswith("opentelemetry")]


def _filled(order: str = "o") -> OrderFilled:
    return OrderFilled(order_id=order, venue="v", symbol="s", side="buy", quantity=1, price=1, final=True, trace=TRACE)
