"""An OTLP receiver, over HTTP and over gRPC: it decodes what comes and answers as it is told.

What it keeps to (OTLP 1.x): over HTTP a `POST` of protobuf to `/v1/logs`, `/v1/traces` or `/v1/metrics`, compressed or
not, is answered with 200 and the response of that signal, in which a partial success says how many were refused; an
error's body is a `google.rpc.Status`; anything else than protobuf is 415, another path 404. Over gRPC the status is the
call's.
"""

from __future__ import annotations

import contextlib
import gzip
import threading
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import grpc
import msgspec
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2_grpc as logs_grpc
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2_grpc as metrics_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as traces
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as traces_grpc

from tests.fakes import http_server

REQUESTS: dict[str, Any] = {
    "logs": logs.ExportLogsServiceRequest,
    "traces": traces.ExportTraceServiceRequest,
    "metrics": metrics.ExportMetricsServiceRequest,
}


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One scripted answer.

    Attributes:
        status: HTTP status; 0: hang up without an answer.
        code: gRPC's status, for requests that come that way.
        headers: Sent with it.
        words: The message of an error, or of a partial success.
        rejected: How many records a partial success refuses (none of the request is kept where it is all of them).
        stores: Keep the records, whatever the status says.
        seconds: Wait before answering (after keeping the records).
        body: In place of a protobuf: a body and its type.
        retry_seconds: What a gRPC error asks to wait.
    """

    status: int = 200
    code: str = "OK"
    headers: dict[str, str] = {}
    words: str = ""
    rejected: int = 0
    stores: bool = False
    seconds: float = 0.0
    body: tuple[bytes, str] | None = None
    retry_seconds: float = 0.0


class Log(msgspec.Struct, frozen=True, kw_only=True):
    """A log record as it arrived."""

    resource: dict[str, Any]
    ts: int
    observed_ts: int
    severity: int
    severity_text: str
    name: str
    body: str
    attributes: dict[str, Any]
    trace: str


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """A span as it arrived. Ids are hexadecimal; a root's parent is empty."""

    resource: dict[str, Any]
    trace: str
    id: str
    parent: str
    name: str
    kind: int
    start: int
    end: int
    failure: str | None
    attributes: dict[str, Any]
    events: list[tuple[str, int, dict[str, Any]]]


class FakeOtlp:
    """What arrived, and what to answer next.

    Attributes:
        answers: What to answer the next requests with, before going back to yes.
        down: Answer 503, or UNAVAILABLE, to everything without a scripted answer.
        poison: A text; a request of which a record's body or name holds it is refused (400).
        requests: How many came, by signal.
        connections: How many were made, over HTTP.
        headers: Of the last request, names in lower case.
        logs: Records kept, in order of arrival.
        batches: How many of them each request brought.
        spans: Spans kept.
        metrics: Requests of metrics kept.
        on_stored: Called after records were kept, before the answer.
    """

    def __init__(self) -> None:
        self.answers: deque[Answer | int] = deque()
        self.down = False
        self.poison = ""
        self.requests = dict.fromkeys(REQUESTS, 0)
        self.headers: dict[str, str] = {}
        self.logs: list[Log] = []
        self.batches: list[int] = []
        self.spans: list[Span] = []
        self.metrics: list[Any] = []
        self.on_stored: Callable[[], None] = lambda: None
        self.max_bytes = 4 * 1024 * 1024
        self.url = ""
        self.is_grpc = False
        self.connections = 0
        self.lock = threading.Lock()
        self.closing = threading.Event()

    def take(self, signal: str, request: Any) -> Answer:
        """What to answer a request with, after keeping what it brought."""
        with self.lock:
            self.requests[signal] += 1
            told = self.answers.popleft() if self.answers else 503 if self.down else 200
            answer = Answer(status=told, code="UNAVAILABLE" if told == 503 else "OK") if isinstance(told, int) else told
            if self.poison and self.poison.encode() in request.SerializeToString():
                return Answer(status=400, code="INVALID_ARGUMENT", words="poison")
            if (200 <= answer.status < 300 and answer.code == "OK" and answer.body is None) or answer.stores:
                self._keep(signal, request)
                stored = True
            else:
                stored = False
        if stored:
            self.on_stored()
        return answer

    def _keep(self, signal: str, request: Any) -> None:
        if signal == "logs":
            before = len(self.logs)
            self.logs += [
                _log(_attributes(one.resource), log)
                for one in request.resource_logs
                for scope in one.scope_logs
                for log in scope.log_records
            ]
            self.batches.append(len(self.logs) - before)
        elif signal == "traces":
            self.spans += [
                _span(_attributes(one.resource), span)
                for one in request.resource_spans
                for scope in one.scope_spans
                for span in scope.spans
            ]
        else:
            self.metrics.append(request)


def response(signal: str, answer: Answer) -> Any:
    """The signal's own response."""
    if signal == "logs":
        partial: Any = logs.ExportLogsPartialSuccess(rejected_log_records=answer.rejected, error_message=answer.words)
        return logs.ExportLogsServiceResponse(partial_success=partial)
    if signal == "traces":
        partial = traces.ExportTracePartialSuccess(rejected_spans=answer.rejected, error_message=answer.words)
        return traces.ExportTraceServiceResponse(partial_success=partial)
    partial = metrics.ExportMetricsPartialSuccess(rejected_data_points=answer.rejected, error_message=answer.words)
    return metrics.ExportMetricsServiceResponse(partial_success=partial)


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    return None if kind is None else getattr(value, kind)


def _attributes(holder: Any) -> dict[str, Any]:
    return {one.key: _value(one.value) for one in holder.attributes}


def _log(resource: dict[str, Any], log: Any) -> Log:
    return Log(
        resource=resource,
        ts=log.time_unix_nano,
        observed_ts=log.observed_time_unix_nano,
        severity=log.severity_number,
        severity_text=log.severity_text,
        name=log.event_name,
        body=_value(log.body),
        attributes=_attributes(log),
        trace=log.trace_id.hex(),
    )


def _span(resource: dict[str, Any], span: Any) -> Span:
    return Span(
        resource=resource,
        trace=span.trace_id.hex(),
        id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        name=span.name,
        kind=span.kind,
        start=span.start_time_unix_nano,
        end=span.end_time_unix_nano,
        failure=span.status.message if span.status.code == 2 else None,
        attributes=_attributes(span),
        events=[(one.name, one.time_unix_nano, _attributes(one)) for one in span.events],
    )


@contextlib.contextmanager
def running(certificate: tuple[Path, Path] | None = None, port: int = 0) -> Iterator[FakeOtlp]:
    """A receiver over HTTP on a loopback port; over TLS with a certificate and its key."""
    otlp = FakeOtlp()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            otlp.connections += 1

        def do_POST(self) -> None:
            with contextlib.suppress(OSError):  # the client may be gone
                body = self.rfile.read(int(self.headers["Content-Length"]))
                signal = self.path.rpartition("/v1/")[2]
                if signal not in REQUESTS:
                    self.reply("logs", Answer(status=404))
                    return
                otlp.headers = {name.lower(): value for name, value in self.headers.items()}
                match self.headers.get("Content-Encoding"):
                    case "gzip":
                        body = gzip.decompress(body)
                    case "deflate":
                        body = zlib.decompress(body)
                if len(body) > otlp.max_bytes:
                    self.reply(signal, Answer(status=413, words="too large"))
                    return
                try:
                    request = REQUESTS[signal].FromString(body)
                except DecodeError as error:
                    self.reply(signal, Answer(status=400, words=str(error)))
                    return
                self.reply(signal, otlp.take(signal, request))

        def reply(self, signal: str, answer: Answer) -> None:
            otlp.closing.wait(answer.seconds)
            if answer.status == 0:
                self.close_connection = True
                return
            if answer.body is not None:
                body, kind = answer.body
            else:
                kind = "application/x-protobuf"
                said = response(signal, answer) if answer.status < 300 else Status(message=answer.words)
                body = said.SerializeToString()
            self.send_response(answer.status)
            for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **answer.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with http_server.serving(Handler, port, certificate, otlp.closing) as otlp.url:
        yield otlp


@contextlib.contextmanager
def running_grpc(max_bytes: int = 4 * 1024 * 1024) -> Iterator[FakeOtlp]:
    """A receiver over gRPC on a loopback port."""
    otlp = FakeOtlp()
    otlp.is_grpc = True

    def export(signal: str) -> Any:
        def call(request: Any, context: Any) -> Any:
            otlp.headers = {name: value for name, value in context.invocation_metadata() if isinstance(value, str)}
            answer = otlp.take(signal, request)
            otlp.closing.wait(answer.seconds)
            if answer.code != "OK":
                if answer.retry_seconds:
                    info = RetryInfo()
                    info.retry_delay.FromNanoseconds(int(answer.retry_seconds * 1e9))
                    context.set_trailing_metadata((("google.rpc.retryinfo-bin", info.SerializeToString()),))
                context.abort(grpc.StatusCode[answer.code], answer.words)
            return response(signal, answer)

        return call

    def servicer(base: Any, signal: str) -> Any:
        return type(base.__name__, (base,), {"Export": lambda _, request, context: export(signal)(request, context)})()

    with ThreadPoolExecutor(4) as pool:
        server = grpc.server(pool, options=[("grpc.max_receive_message_length", max_bytes)])
        logs_grpc.add_LogsServiceServicer_to_server(servicer(logs_grpc.LogsServiceServicer, "logs"), server)
        traces_grpc.add_TraceServiceServicer_to_server(servicer(traces_grpc.TraceServiceServicer, "traces"), server)
        metrics_grpc.add_MetricsServiceServicer_to_server(
            servicer(metrics_grpc.MetricsServiceServicer, "metrics"), server
        )
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        otlp.url = f"http://127.0.0.1:{port}"
        try:
            yield otlp
        finally:
            otlp.closing.set()
            server.stop(0).wait()
