"""What an OTLP answer says beside its status: how many records were refused, and why."""

from __future__ import annotations

from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from deskwatch.sinks.otlp.destination import Signal

Response = ExportLogsServiceResponse | ExportTraceServiceResponse | ExportMetricsServiceResponse


def read(signal: Signal, body: bytes) -> tuple[int, str]:
    """How many records an answer's body says were refused, and its words; 0 where it can't be read."""
    try:
        if signal == "logs":
            return of(ExportLogsServiceResponse.FromString(body))
        if signal == "traces":
            return of(ExportTraceServiceResponse.FromString(body))
        return of(ExportMetricsServiceResponse.FromString(body))
    except DecodeError:
        return 0, ""


def of(response: Response) -> tuple[int, str]:
    """The same of an answer that is decoded."""
    partial = response.partial_success
    if isinstance(response, ExportLogsServiceResponse):
        rejected = response.partial_success.rejected_log_records
    elif isinstance(response, ExportTraceServiceResponse):
        rejected = response.partial_success.rejected_spans
    else:
        rejected = response.partial_success.rejected_data_points
    return max(int(rejected), 0), str(partial.error_message)


def status_words(body: bytes) -> str:
    """The message of a `google.rpc.Status`, which an error's body is; nothing where it is none."""
    try:
        return str(Status.FromString(body).message)
    except DecodeError:
        return ""
