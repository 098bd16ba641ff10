"""Where OTLP goes: by the flag, and by the variables that OpenTelemetry's specification names.

`--otlp-endpoint` stands in the place of OTEL_EXPORTER_OTLP_ENDPOINT; a variable for one signal is nearer and wins.
Headers and certificates are read from their variables by the exporters themselves; here it is only checked that the
files can be read, so that a mistake is told at the start.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from deskwatch.errors import ConfigError

Signal = Literal["logs", "traces", "metrics"]
SIGNALS: tuple[Signal, ...] = ("logs", "traces", "metrics")
Protocol = Literal["http/protobuf", "grpc"]
Compression = Literal["none", "gzip", "deflate"]

TIMEOUT_SECONDS = 10.0
INTERVAL_SECONDS = 60.0
LEAST_MILLISECONDS = 100
"""Less is a figure in seconds, which the specification does not have."""
_PREFIX = "OTEL_EXPORTER_OTLP"
_COMPRESSIONS: dict[str, Compression] = {"none": "none", "gzip": "gzip", "deflate": "deflate"}


class Destination(msgspec.Struct, frozen=True, kw_only=True):
    """Where one signal goes.

    Attributes:
        signal: Which.
        url: With the signal's path where the protocol is HTTP.
        protocol: How.
        compression: Of the requests.
        timeout_seconds: How long an answer may take.
        interval_seconds: Time between two readings of the metrics.
    """

    signal: Signal
    url: str
    protocol: Protocol = "http/protobuf"
    compression: Compression = "none"
    timeout_seconds: float = TIMEOUT_SECONDS
    interval_seconds: float = INTERVAL_SECONDS


def resolve(endpoint: str | None, environ: Mapping[str, str]) -> dict[Signal, Destination]:
    """The signals that are sent, and where to; empty where nothing asks for OTLP.

    Args:
        endpoint: What `--otlp-endpoint` says.
        environ: The environment.

    Raises:
        ConfigError: All that is wrong, in one message.
    """
    faults: list[str] = []
    found: dict[Signal, Destination] = {}
    for signal in SIGNALS:
        exporters = environ.get(f"OTEL_{signal.upper()}_EXPORTER") or "otlp"
        if "otlp" not in (one.strip().lower() for one in exporters.split(",")):
            continue
        try:
            one = _resolve_one(signal, endpoint, environ)
        except ConfigError as error:
            faults += [str(error)] if str(error) not in faults else []
            continue
        if one is not None:
            found[signal] = one
    if faults:
        raise ConfigError("; ".join(faults))
    return found


def check_installed(destinations: Mapping[Signal, Destination]) -> None:
    """See that what sends OTLP is installed.

    Raises:
        ConfigError: It is not.
    """
    for protocol in {one.protocol for one in destinations.values()}:
        module = "opentelemetry.exporter.otlp.proto." + ("grpc" if protocol == "grpc" else "http")
        try:
            is_there = importlib.util.find_spec(module) and importlib.util.find_spec("opentelemetry.sdk")
        except ModuleNotFoundError:
            is_there = None
        if not is_there:
            raise ConfigError(
                f"expected {module} to be installed for sending OTLP; install it with: pip install 'deskwatch[otlp]'"
            )


def _resolve_one(signal: Signal, endpoint: str | None, environ: Mapping[str, str]) -> Destination | None:
    own, name = environ.get(f"{_PREFIX}_{signal.upper()}_ENDPOINT"), f"{_PREFIX}_{signal.upper()}_ENDPOINT"
    base = endpoint or environ.get(f"{_PREFIX}_ENDPOINT")
    if not own:
        name = "--otlp-endpoint" if endpoint else f"{_PREFIX}_ENDPOINT"
    url = own or base
    if not url:
        return None
    _check_url(name, url)
    protocol, name = _value(signal, "PROTOCOL", environ)
    chosen: Protocol = "grpc" if protocol == "grpc" else "http/protobuf"
    if protocol not in ("", chosen):
        raise ConfigError(f"expected {name} to be http/protobuf or grpc, was {protocol!r}")
    if not own and chosen != "grpc":
        url = f"{url.rstrip('/')}/v1/{signal}"
    word, name = _value(signal, "COMPRESSION", environ)
    compression = _COMPRESSIONS.get(word.strip().lower() or "none")
    if compression is None or (compression, chosen) == ("deflate", "grpc"):
        raise ConfigError(f"expected {name} to be gzip or none (or deflate, over HTTP), was {word!r}")
    for what in ("CERTIFICATE", "CLIENT_CERTIFICATE", "CLIENT_KEY"):
        path, name = _value(signal, what, environ)
        if path and not (Path(path).is_file() and os.access(path, os.R_OK)):
            raise ConfigError(f"expected {name} to name a PEM file that can be read, was {path}")
    timeout, name = _value(signal, "TIMEOUT", environ)
    interval = environ.get("OTEL_METRIC_EXPORT_INTERVAL", "")
    return Destination(
        signal=signal,
        url=url,
        protocol=chosen,
        compression=compression,
        timeout_seconds=_seconds(name, timeout) if timeout else TIMEOUT_SECONDS,
        interval_seconds=_seconds("OTEL_METRIC_EXPORT_INTERVAL", interval) if interval else INTERVAL_SECONDS,
    )


def _value(signal: Signal, what: str, environ: Mapping[str, str]) -> tuple[str, str]:
    """A variable's value for a signal, and which variable it is of."""
    own = f"{_PREFIX}_{signal.upper()}_{what}"
    if environ.get(own):
        return environ[own], own
    return environ.get(f"{_PREFIX}_{what}", ""), f"{_PREFIX}_{what}"


def _check_url(name: str, url: str) -> None:
    try:
        parts = urlsplit(url)
        host = parts.netloc
    except ValueError:
        host = ""
    if "@" in host:
        raise ConfigError(f"expected {name} without a password in it; use {_PREFIX}_HEADERS")
    if not url.startswith(("http://", "https://")) or not host:
        raise ConfigError(f"expected {name} to start with http:// or https://, was {_shown(url)!r}")
    try:
        is_place = bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_place = False
    if not is_place:
        raise ConfigError(f"expected {name} to name a host, and a port from 1 to 65535 if any, was {_shown(url)!r}")


def _shown(url: str) -> str:
    """A URL without what may be a password."""
    return "…" if "@" in url else url[:200]


def _seconds(name: str, milliseconds: str) -> float:
    try:
        number = float(milliseconds)
    except ValueError:
        number = 0.0
    if not LEAST_MILLISECONDS <= number < float("inf"):
        raise ConfigError(f"expected {name} to be {LEAST_MILLISECONDS} milliseconds or more, was {milliseconds!r}")
    return number / 1000
