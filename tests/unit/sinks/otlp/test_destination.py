"""Where OTLP goes, by the flag and by the standard variables."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from deskwatch.errors import ConfigError
from deskwatch.sinks.otlp import Destination, check_installed, resolve


def urls(endpoint: str | None, **environ: str) -> dict[str, str]:
    return {signal: one.url for signal, one in resolve(endpoint, environ).items()}


def test_nothing_is_sent_where_nothing_asks_for_it() -> None:
    assert resolve(None, {"OTEL_METRIC_EXPORT_INTERVAL": "1000", "OTEL_EXPORTER_OTLP_HEADERS": "a=b"}) == {}


def test_a_base_url_serves_all_signals_by_their_paths() -> None:
    expected = {signal: f"http://collector:4318/v1/{signal}" for signal in ("logs", "traces", "metrics")}
    assert urls("http://collector:4318") == expected
    assert urls("http://collector:4318/") == expected
    assert urls(None, OTEL_EXPORTER_OTLP_ENDPOINT="http://collector:4318") == expected
    assert urls("http://collector:4318", OTEL_EXPORTER_OTLP_ENDPOINT="http://other") == expected


def test_a_signals_own_endpoint_is_taken_as_it_is_and_is_enough() -> None:
    own = "http://prometheus:9090/api/v1/otlp/v1/metrics"
    assert urls(None, OTEL_EXPORTER_OTLP_METRICS_ENDPOINT=own) == {"metrics": own}
    assert urls("http://c", OTEL_EXPORTER_OTLP_METRICS_ENDPOINT=own)["metrics"] == own


@pytest.mark.parametrize("word", ["none", "NONE", "prometheus", "console,prometheus"])
def test_one_signal_can_be_switched_off(word: str) -> None:
    assert urls("http://c", OTEL_LOGS_EXPORTER=word).keys() == {"traces", "metrics"}
    assert urls("http://c", OTEL_LOGS_EXPORTER="otlp, console").keys() == {"logs", "traces", "metrics"}


def test_grpc_has_no_paths() -> None:
    found = resolve("http://c:4317", {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"})
    assert {(one.url, one.protocol) for one in found.values()} == {("http://c:4317", "grpc")}
    found = resolve("http://c:4317", {"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "grpc"})
    assert found["traces"].protocol == "grpc"
    assert found["logs"].protocol == "http/protobuf"


def test_times_are_milliseconds_and_the_nearer_variable_wins() -> None:
    environ = {
        "OTEL_EXPORTER_OTLP_TIMEOUT": "5000",
        "OTEL_EXPORTER_OTLP_LOGS_TIMEOUT": "2500",
        "OTEL_METRIC_EXPORT_INTERVAL": "15000",
        "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
    }
    found = resolve("http://c", environ)
    assert (found["logs"].timeout_seconds, found["traces"].timeout_seconds) == (2.5, 5.0)
    assert found["metrics"].interval_seconds == 15.0
    assert found["metrics"].compression == "gzip"
    assert resolve("http://c", {})["metrics"] == Destination(signal="metrics", url="http://c/v1/metrics")


@pytest.mark.parametrize(
    ("endpoint", "environ", "words"),
    [
        ("collector:4318", {}, "expected --otlp-endpoint to start with http:// or https://, was 'collector:4318'"),
        ("http://", {}, "expected --otlp-endpoint to start with"),
        ("http://[", {}, "expected --otlp-endpoint to start with"),
        ("http://c:431b8", {}, "expected --otlp-endpoint to name a host, and a port from 1 to 65535 if any, was"),
        ("http://c:99999", {}, "to name a host, and a port from 1 to 65535"),
        ("http://:4318", {}, "to name a host"),
        (
            "https://me:secret@c",
            {},
            "expected --otlp-endpoint without a password in it; use OTEL_EXPORTER_OTLP_HEADERS",
        ),
        ("me:secret@c", {}, "was '…'"),
        (None, {"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "ftp://c"}, "expected OTEL_EXPORTER_OTLP_LOGS_ENDPOINT to start"),
        ("http://c", {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"}, "to be http/protobuf or grpc, was 'http/json'"),
        ("http://c", {"OTEL_EXPORTER_OTLP_COMPRESSION": "zstd"}, "to be gzip or none"),
        (
            "http://c",
            {"OTEL_EXPORTER_OTLP_COMPRESSION": "deflate", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            "to be gzip or none",
        ),
        ("http://c", {"OTEL_EXPORTER_OTLP_TIMEOUT": "10"}, "to be 100 milliseconds or more, was '10'"),
        ("http://c", {"OTEL_EXPORTER_OTLP_TIMEOUT": "nan"}, "to be 100 milliseconds or more"),
        ("http://c", {"OTEL_METRIC_EXPORT_INTERVAL": "soon"}, "OTEL_METRIC_EXPORT_INTERVAL to be 100 milliseconds"),
        (
            "http://c",
            {"OTEL_EXPORTER_OTLP_CERTIFICATE": "/nowhere.pem"},
            "OTEL_EXPORTER_OTLP_CERTIFICATE to name a PEM",
        ),
    ],
)
def test_mistakes_are_told_and_no_secret_with_them(endpoint: str | None, environ: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigError) as told:
        resolve(endpoint, environ)
    assert words in str(told.value)
    assert "secret" not in str(told.value)


def test_each_mistake_is_told_once_and_all_of_them() -> None:
    environ = {"OTEL_EXPORTER_OTLP_TIMEOUT": "1", "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL": "soap"}
    with pytest.raises(ConfigError) as told:
        resolve("http://c", environ)
    assert str(told.value).count("OTEL_EXPORTER_OTLP_TIMEOUT") == 1
    assert "soap" in str(told.value)


@pytest.mark.parametrize(("protocol", "missing"), [("http/protobuf", "http"), ("grpc", "grpc")])
def test_what_is_not_installed_is_told_with_the_way_out(
    protocol: Any, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    destinations: Any = {"logs": Destination(signal="logs", url="http://c", protocol=protocol)}
    check_installed(destinations)
    for name in [name for name in sys.modules if name.startswith("opentelemetry.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)  # what Python calls not to be found
    with pytest.raises(ConfigError) as told:
        check_installed(destinations)
    assert f"opentelemetry.exporter.otlp.proto.{missing}" in str(told.value)
    assert "pip install 'deskwatch[otlp]'" in str(told.value)


def test_a_certificate_that_is_there_is_taken(tmp_path: Path) -> None:
    pem = tmp_path / "ca.pem"
    pem.write_text("x")
    assert resolve("https://c", {"OTEL_EXPORTER_OTLP_CERTIFICATE": str(pem)}).keys() == {"logs", "traces", "metrics"}
