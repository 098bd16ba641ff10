"""OTLP over gRPC: the exporters' stub, listened to.

The exporters have no public place for that, so a subclass puts the listener where the stub is made. Where a later
version has no such place, nothing is heard, and a batch that fails is tried again: nothing is put aside by mistake.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import grpc
from google.rpc.error_details_pb2 import RetryInfo
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

from deskwatch.sinks.answer import Answer
from deskwatch.sinks.otlp import partial_success
from deskwatch.sinks.otlp.destination import Destination

_COMPRESSIONS = {"none": grpc.Compression.NoCompression, "gzip": grpc.Compression.Gzip}
_TOO_LARGE = "larger than max"
"""What gRPC says of a message beyond the receiver's limit; its status is that of a busy server."""


class _Kept:
    """What was said to the last request. It is there before the exporter, whose constructor makes its stub."""

    answer: Answer | None = None


class _Stub:
    """Stands before an exporter's stub."""

    def __init__(self, stub: Any, kept: _Kept) -> None:  # Any: grpc is untyped
        self._stub = stub
        self._kept = kept

    def Export(self, **request: Any) -> Any:  # noqa: N802  the service's own name
        try:
            response = self._stub.Export(**request)
        except grpc.RpcError as error:
            self._kept.answer = judge(error)
            raise
        rejected, words = partial_success.of(response)
        self._kept.answer = Answer(outcome="stored", reason="OK", detail=words, rejected=rejected)
        return response


def judge(error: Any) -> Answer:  # Any: grpc is untyped
    """What a failed call means."""
    code, words = error.code(), str(error.details() or "")
    is_refused = code is grpc.StatusCode.INVALID_ARGUMENT or (
        code is grpc.StatusCode.RESOURCE_EXHAUSTED and _TOO_LARGE in words
    )
    return Answer(
        outcome="refused" if is_refused else "later",
        reason=code.name,
        detail=words,
        retry_after=_seconds(dict(error.trailing_metadata() or ())),
    )


def _seconds(metadata: Mapping[str, bytes]) -> float:
    info = RetryInfo()
    try:
        info.ParseFromString(metadata.get("google.rpc.retryinfo-bin", b""))
    except Exception:  # an endpoint's own idea of it
        return 0.0
    delay: float = info.retry_delay.seconds + info.retry_delay.nanos / 1e9
    return max(0.0, delay)


def open_exporting(
    destination: Destination,
) -> tuple[OTLPLogExporter | OTLPSpanExporter | OTLPMetricExporter, Callable[[], Answer | None]]:
    """An exporter, and how to ask what was said to it."""
    kept = _Kept()
    made = {"logs": OTLPLogExporter, "traces": OTLPSpanExporter, "metrics": OTLPMetricExporter}[destination.signal]

    class Listening(made):  # type: ignore[misc, valid-type]  # a class for each exporter, with this request's ear
        def _initialize_channel_and_stub(self) -> None:
            super()._initialize_channel_and_stub()
            self._client: Any = _Stub(self._client, kept)

    exporter = Listening(
        endpoint=destination.url,
        timeout=destination.timeout_seconds,
        compression=_COMPRESSIONS[destination.compression],
        retryable_error_codes=[grpc.StatusCode.OK],  # none: it is the sink that tries again
    )

    def take() -> Answer | None:
        answer, kept.answer = kept.answer, None
        return answer

    return exporter, take
