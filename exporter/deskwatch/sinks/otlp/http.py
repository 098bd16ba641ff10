"""OTLP over HTTP: the exporters' session, listened to.

OTLP 1.x: any 2xx is a yes, with a partial success in its body where some of it was refused; 429, 502, 503 and 504 are
to be tried again. So is here whatever else may be mended at the endpoint (a wrong path or token, a proxy in between) or
on our side of it (a URL or a header that can't be sent): only 400, 413 and 422 are about the content. A page of HTML is
no yes, whatever its status, and with 400 it is a proxy's word, not about the content; so is what a server with TLS says
to a request without.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

from deskwatch.sinks.answer import Answer
from deskwatch.sinks.otlp import partial_success
from deskwatch.sinks.otlp.destination import Destination, Signal

MAX_ANSWER_BYTES = 16 * 1024
_REFUSED = frozenset({400, 413, 422})
_NO_TLS = b"HTTP request to an HTTPS server"
"""What a Go server says, with 400, to a request that should have come over TLS."""
_COMPRESSIONS = {"none": Compression.NoCompression, "gzip": Compression.Gzip, "deflate": Compression.Deflate}


class Unanswered(Exception):
    """The session has kept what happened. The exporter takes this for a failure that it doesn't try again."""


class ListeningSession(requests.Session):
    """A session that keeps what the endpoint said to the last request.

    Attributes:
        answer: That; None before the first request.
    """

    def __init__(self, signal: Signal) -> None:
        super().__init__()
        self.answer: Answer | None = None
        self._signal = signal

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:  # Any: passed on
        """Make a request of it, and send that.

        Raises:
            Unanswered: The endpoint did not say yes, or could not be asked.
        """
        try:
            return super().request(*args, **kwargs)
        except Unanswered:
            raise
        except Exception as error:  # it was never sent: the URL or a header is wrong, and not the content
            is_secret = isinstance(error, requests.exceptions.InvalidHeader)  # it quotes the header's value
            words = "a header that is set can't be sent" if is_secret else str(error)[:300]
            self.answer = Answer(outcome="later", reason=type(error).__name__, detail=words)
            raise Unanswered from error

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:  # Any: passed on
        """Send a request once.

        Raises:
            Unanswered: The endpoint did not say yes.
        """
        kwargs["stream"] = True  # the body is read here, and not all of an endless one
        try:
            response = super().send(request, **kwargs)
            body = response.raw.read(MAX_ANSWER_BYTES, decode_content=True)
            if response.raw.length_remaining == 0:
                response.raw.release_conn()
            else:
                response.close()
        except Exception as error:  # requests' own errors, urllib3's, the system's
            self.answer = Answer(outcome="later", reason=type(error).__name__, detail=str(error)[:300])
            raise Unanswered from error
        self.answer = judge(response, body, self._signal)
        if self.answer.outcome != "stored":
            raise Unanswered
        return response

    def take(self) -> Answer | None:
        """What was said, once."""
        answer, self.answer = self.answer, None
        return answer


def judge(response: requests.Response, body: bytes, signal: Signal) -> Answer:
    """What an endpoint's answer means."""
    status = response.status_code
    content_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if 200 <= status < 300 and content_type != "text/html":
        is_ours = content_type == "application/x-protobuf"
        rejected, words = partial_success.read(signal, body) if is_ours else (0, "")
        return Answer(outcome="stored", reason=str(status), detail=words, rejected=rejected)
    words = (
        partial_success.status_words(body)
        if content_type == "application/x-protobuf"
        else body.decode(errors="replace")
    )
    is_refused = status in _REFUSED and not (status == 400 and (content_type == "text/html" or _NO_TLS in body))
    return Answer(
        outcome="refused" if is_refused else "later",
        reason=str(status) if status >= 300 else "not_otlp",
        detail=words,
        retry_after=seconds(response.headers.get("Retry-After")),
    )


def seconds(retry_after: str | None) -> float:
    """`Retry-After` in seconds: it is a number of them, or a date."""
    try:
        return max(0.0, float(retry_after or 0))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(retry_after or "").timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return 0.0


def open_exporting(
    destination: Destination,
) -> tuple[OTLPLogExporter | OTLPSpanExporter | OTLPMetricExporter, Callable[[], Answer | None]]:
    """An exporter, and how to ask what was said to it."""
    session = ListeningSession(destination.signal)
    made = {"logs": OTLPLogExporter, "traces": OTLPSpanExporter, "metrics": OTLPMetricExporter}[destination.signal]
    exporter = made(
        endpoint=destination.url,
        timeout=destination.timeout_seconds,
        compression=_COMPRESSIONS[destination.compression],
        session=session,
    )
    return exporter, session.take
