"""The exporters, listened to: what an endpoint said, and nothing tried behind the sink's back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from email.utils import formatdate
from typing import Any

import pytest
import requests
from opentelemetry._logs import LogRecord
from opentelemetry.sdk._logs import ReadableLogRecord

from deskwatch.sinks.otlp import Destination, http
from deskwatch.sinks.otlp.exporters import Exporter, open_exporter
from deskwatch.sinks.otlp.resources import Resources
from tests.fakes import otlp as fake_otlp
from tests.fakes.otlp import Answer, FakeOtlp

_resource = Resources("instance-1").of_bot("arb-1")


def batch(body: Any = "text") -> list[ReadableLogRecord]:
    return [ReadableLogRecord(log_record=LogRecord(timestamp=1, body=body), resource=_resource)]


def connected(otlp: FakeOtlp, **more: Any) -> Exporter:
    url = otlp.url if otlp.is_grpc else f"{otlp.url}/v1/logs"
    protocol: Any = "grpc" if otlp.is_grpc else "http/protobuf"
    return open_exporter(Destination(signal="logs", url=url, protocol=protocol, **more))


@pytest.fixture(params=["http", "grpc"])
def otlp(request: pytest.FixtureRequest) -> Iterator[FakeOtlp]:
    with fake_otlp.running_grpc() if request.param == "grpc" else fake_otlp.running() as one:
        yield one


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (Answer(), "stored"),
        (Answer(status=202), "stored"),
        (Answer(status=400, code="INVALID_ARGUMENT"), "refused"),
        (Answer(status=413, code="INVALID_ARGUMENT"), "refused"),
        (Answer(status=422, code="INVALID_ARGUMENT"), "refused"),
        (Answer(status=429, code="RESOURCE_EXHAUSTED"), "later"),
        (Answer(status=503, code="UNAVAILABLE"), "later"),
        (Answer(status=500, code="INTERNAL"), "later"),
        (Answer(status=403, code="PERMISSION_DENIED"), "later"),
        (Answer(status=307, code="DATA_LOSS", headers={"Location": "/v1/logs"}), "later"),
    ],
    ids=lambda one: str(getattr(one, "status", one)),
)
def test_what_an_answer_means(answer: Answer, outcome: str, otlp: FakeOtlp) -> None:
    exporter = connected(otlp)
    otlp.answers.append(answer)
    told = exporter.send(batch())
    assert told.outcome == outcome
    assert otlp.requests["logs"] == 1
    assert exporter.send(batch()).outcome == "stored"  # and the next is none the worse for it
    exporter.close()


def test_words_and_wishes_of_an_error_are_kept(otlp: FakeOtlp) -> None:
    exporter = connected(otlp)
    otlp.answers.append(
        Answer(status=503, code="UNAVAILABLE", words="busy", headers={"Retry-After": "7"}, retry_seconds=7)
    )
    told = exporter.send(batch())
    assert (told.detail, told.retry_after) == ("busy", 7.0)
    assert told.reason in ("503", "UNAVAILABLE")
    exporter.close()


def test_nobody_there_is_later(otlp: FakeOtlp) -> None:
    with fake_otlp.running() as gone:
        gone.is_grpc = otlp.is_grpc
        exporter = connected(gone, timeout_seconds=2.0)
    told = exporter.send(batch())
    assert told.outcome == "later"
    assert told.reason in ("ConnectionError", "UNAVAILABLE")
    exporter.close()


@pytest.mark.parametrize(
    ("headers", "url"),
    [
        ("authorization=Bearer%0Aabc", "http://127.0.0.1:9/v1/logs"),
        ("x=%00", "http://127.0.0.1:9/v1/logs"),
        ("x=%E2%82%AC", "http://127.0.0.1:9/v1/logs"),
        ("", "http://a b:4318/v1/logs"),
        ("", "http://*.x:4318/v1/logs"),
        ("", "http://127.0.0.1:431b8/v1/logs"),
    ],
)
@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_a_mistake_in_a_header_or_the_url_is_no_fault_of_the_lines(
    headers: str, url: str, protocol: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or else all of the journal would be put aside for it."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", headers)
    exporter = open_exporter(Destination(signal="logs", url=url, protocol=protocol, timeout_seconds=2.0))
    told = exporter.send(batch())
    assert told.outcome == "later"
    assert "abc" not in told.detail  # it may be a token
    exporter.close()


def test_an_endpoint_that_is_slow_is_given_up_in_time(otlp: FakeOtlp) -> None:
    exporter = connected(otlp, timeout_seconds=0.2)
    otlp.answers.append(Answer(seconds=30))
    began = time.monotonic()
    told = exporter.send(batch())
    assert time.monotonic() - began < 5
    assert told.outcome == "later"
    assert told.reason in ("ReadTimeout", "DEADLINE_EXCEEDED")
    exporter.close()


def test_what_cant_be_encoded_is_refused(otlp: FakeOtlp) -> None:
    exporter = connected(otlp)
    told = exporter.send(batch(object()))
    assert (told.outcome, told.reason) == ("refused", "encoding")
    assert otlp.requests["logs"] == 0
    assert exporter.send(batch()).outcome == "stored"
    exporter.close()


def test_a_partial_success_tells_how_many_were_refused(otlp: FakeOtlp) -> None:
    exporter = connected(otlp)
    otlp.answers.append(Answer(rejected=3, words="too old"))
    told = exporter.send(batch())
    assert (told.outcome, told.rejected, told.detail) == ("stored", 3, "too old")
    exporter.close()


@pytest.mark.parametrize(
    ("body", "outcome", "rejected"),
    [
        ((b"", ""), "stored", 0),
        ((b"{}", "application/json"), "stored", 0),
        ((b"\xff\xff", "application/x-protobuf"), "stored", 0),
        ((b"<html>", "text/html; charset=utf-8"), "later", 0),
        ((b"x" * 100_000, "text/plain"), "stored", 0),
    ],
)
def test_a_yes_may_have_any_body_but_a_page(body: tuple[bytes, str], outcome: str, rejected: int) -> None:
    with fake_otlp.running() as otlp:
        exporter = connected(otlp)
        otlp.answers.append(Answer(body=body))
        told = exporter.send(batch())
        assert (told.outcome, told.rejected) == (outcome, rejected)
        assert exporter.send(batch()).outcome == "stored"
        exporter.close()


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (400, (b"out of order sample", "text/plain; charset=utf-8"), "refused"),
        (400, (b"<html>The plain HTTP request was sent to HTTPS port", "text/html"), "later"),
        (400, (b"Client sent an HTTP request to an HTTPS server.\n", ""), "later"),
        (413, (b"<html>413 Request Entity Too Large", "text/html"), "refused"),
    ],
)
def test_a_proxys_400_is_not_about_the_lines(status: int, body: tuple[bytes, str], outcome: str) -> None:
    with fake_otlp.running() as otlp:
        exporter = connected(otlp)
        otlp.answers.append(Answer(status=status, body=body))
        assert exporter.send(batch()).outcome == outcome
        exporter.close()


@pytest.mark.parametrize(
    ("header", "seconds"),
    [(None, 0), ("", 0), ("3", 3), ("-3", 0), ("soon", 0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0)],
)
def test_retry_after_is_a_number_or_a_date(header: str | None, seconds: float) -> None:
    assert http.seconds(header) == seconds
    assert http.seconds(formatdate(time.time() + 60, usegmt=True)) == pytest.approx(60, abs=2)


def test_an_error_without_a_protobuf_tells_its_text() -> None:
    response = requests.Response()
    response.status_code = 502
    assert http.judge(response, b"bad \xff gateway", "logs").detail == "bad \ufffd gateway"
    response.headers["Content-Type"] = "application/x-protobuf"
    assert http.judge(response, b"\xff", "logs").detail == ""


def test_where_grpc_can_no_longer_be_heard_nothing_is_put_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A later version of the exporter without the place where it is listened to."""
    from deskwatch.sinks.otlp import grpc

    monkeypatch.setattr(grpc._Stub, "Export", lambda self, **request: self._stub.Export(**request))
    with fake_otlp.running_grpc() as otlp:
        exporter = connected(otlp)
        otlp.answers.append(Answer(code="INVALID_ARGUMENT"))
        told = exporter.send(batch())
        assert (told.outcome, told.reason) == ("later", "unheard")
        assert exporter.send(batch()).outcome == "stored"
        exporter.close()
