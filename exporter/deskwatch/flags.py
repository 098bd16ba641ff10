"""The flags that several commands share: what a sidecar is told, and how to reach a Loki."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import msgspec

from deskwatch.config import DEFAULT_HOST, DEFAULT_PORT, Settings
from deskwatch.errors import ConfigError
from deskwatch.journal.names import default_home
from deskwatch.journal.retention import DAY_SECONDS, GIB, Keep, Limits
from deskwatch.origin import check_origin
from deskwatch.projections.metrics.guard import MAX_SERIES


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Add the flags of whatever starts a sidecar."""
    add_home(parser)
    add_config(parser)
    parser.add_argument("--host", default=DEFAULT_HOST, help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="port to listen on (default: %(default)s)")
    parser.add_argument("--allowed-host", action="append", default=[], help="a Host name that requests may be for")
    parser.add_argument(
        "--allowed-origin",
        action="append",
        default=[],
        metavar="ORIGIN",
        help="scheme, host and port of a web page elsewhere that may talk to the sidecar",
    )
    for name, words in (("cert", "the certificate, for HTTPS"), ("key", "that certificate's key")):
        value = os.environ.get(f"DESKWATCH_TLS_{name.upper()}")
        parser.add_argument(
            f"--tls-{name}", type=Path, metavar="FILE", default=value and Path(value), help=f"PEM file with {words}"
        )
    parser.add_argument(
        "--insecure-http",
        action="store_true",
        default=bool(os.environ.get("DESKWATCH_INSECURE_HTTP")),
        help="listen beyond this machine without TLS: whoever shares the network can read the tokens, and use them",
    )
    parser.add_argument("--read-token-file", type=Path, help="file with a token that may read, for Prometheus")
    keep = Limits()
    parser.add_argument(
        "--keep-days",
        type=float,
        default=keep.bots.seconds / DAY_SECONDS,
        help="age at which segments go (default: %(default)s)",
    )
    parser.add_argument(
        "--keep-gib", type=float, default=keep.bots.bytes / GIB, help="size of a bot's journals (default: %(default)s)"
    )
    parser.add_argument(
        "--budget-gib",
        type=float,
        default=keep.bots.budget_bytes / GIB,
        help="size beyond which even undelivered segments go (default: %(default)s)",
    )
    parser.add_argument(
        "--control-keep-days",
        type=float,
        default=keep.control.seconds / DAY_SECONDS,
        help="age at which control segments go (default: %(default)s)",
    )
    add_max_series(parser)
    add_loki(parser)
    parser.add_argument(
        "--otlp-endpoint",
        default=os.environ.get("DESKWATCH_OTLP_ENDPOINT"),
        help="base URL of an OTLP endpoint for logs, traces and metrics; OTEL_EXPORTER_OTLP_* say the rest",
    )


def add_home(parser: argparse.ArgumentParser) -> None:
    """Add `--home`."""
    parser.add_argument(
        "--home", type=Path, default=default_home(), help="folder of all journals (default: %(default)s)"
    )


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add `--config`."""
    value = os.environ.get("DESKWATCH_CONFIG")
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        default=Path(value) if value else None,
        help="deskwatch.toml: what to watch beside the bots that write journals",
    )


def add_max_series(parser: argparse.ArgumentParser) -> None:
    """Add `--max-series`."""
    parser.add_argument(
        "--max-series",
        type=int,
        default=MAX_SERIES,
        help="label sets of one bot in a family of metrics (default: %(default)s)",
    )


def max_series_of(arguments: argparse.Namespace) -> int:
    """The limit of `--max-series`.

    Raises:
        ConfigError: It is none.
    """
    number: int = arguments.max_series
    if number < 1:
        raise ConfigError(f"expected --max-series to be at least 1, was {number}")
    return number


def add_loki(parser: argparse.ArgumentParser) -> None:
    """Add the flags that say where a Loki is, and who asks; each has an environment variable too."""
    parser.add_argument("--loki-url", default=os.environ.get("DESKWATCH_LOKI_URL"), help="base URL of a Loki")
    parser.add_argument("--loki-tenant", default=os.environ.get("DESKWATCH_LOKI_TENANT"), help="tenant at that Loki")
    parser.add_argument("--loki-user", default=os.environ.get("DESKWATCH_LOKI_USER"), help="user at that Loki")
    for name, words in (
        ("password", "file with that user's password"),
        ("token", "file with a bearer token for that Loki"),
        ("ca", "PEM file with the CAs to check that Loki's certificate by"),
    ):
        value = os.environ.get(f"DESKWATCH_LOKI_{name.upper()}_FILE")
        parser.add_argument(f"--loki-{name}-file", type=Path, default=value and Path(value), help=words)


def loki_url_of(arguments: argparse.Namespace) -> str | None:
    """The URL of `--loki-url`.

    Raises:
        ConfigError: It is none, or holds a password.
    """
    url: str | None = arguments.loki_url
    if url is not None and not url.startswith(("http://", "https://")):
        raise ConfigError(f"expected --loki-url to start with http:// or https://, was {url!r}")
    if url is not None and "@" in url.partition("://")[2].partition("/")[0]:
        raise ConfigError("expected --loki-url without a password in it; use --loki-user and --loki-password-file")
    return url


def settings_of(arguments: argparse.Namespace) -> Settings:
    """The settings that the flags ask for.

    Raises:
        ConfigError: The port is none, Loki's URL is, or a limit is.
    """
    if not 0 <= arguments.port <= 65535:
        raise ConfigError(f"expected --port to be 0 to 65535, was {arguments.port}")
    if (arguments.tls_cert is None) is not (arguments.tls_key is None):
        raise ConfigError("expected --tls-cert and --tls-key together, was one of them; give both")
    return Settings(
        max_series=max_series_of(arguments),
        limits=_limits(arguments),
        home=arguments.home.absolute(),
        config=arguments.config,
        host=arguments.host,
        port=arguments.port,
        allowed_hosts=tuple(arguments.allowed_host),
        allowed_origins=tuple(check_origin(origin) for origin in arguments.allowed_origin),
        tls_cert=arguments.tls_cert,
        tls_key=arguments.tls_key,
        insecure_http=arguments.insecure_http,
        read_token_file=arguments.read_token_file,
        loki_url=loki_url_of(arguments),
        loki_tenant=arguments.loki_tenant,
        loki_user=arguments.loki_user,
        loki_password_file=arguments.loki_password_file,
        loki_token_file=arguments.loki_token_file,
        loki_ca_file=arguments.loki_ca_file,
        otlp_endpoint=arguments.otlp_endpoint or None,
        with_parent=getattr(arguments, "with_parent", None),
    )


def _limits(arguments: argparse.Namespace) -> Limits:
    for flag in ("keep_days", "keep_gib", "budget_gib", "control_keep_days"):
        if not getattr(arguments, flag) > 0:
            raise ConfigError(f"expected --{flag.replace('_', '-')} to be above 0, was {getattr(arguments, flag)}")
    if arguments.budget_gib < arguments.keep_gib:
        raise ConfigError(f"expected --budget-gib to be at least --keep-gib, was {arguments.budget_gib}")
    keep = Limits()
    return Limits(
        bots=Keep(
            seconds=arguments.keep_days * DAY_SECONDS,
            bytes=int(arguments.keep_gib * GIB),
            budget_bytes=int(arguments.budget_gib * GIB),
        ),
        control=msgspec.structs.replace(keep.control, seconds=arguments.control_keep_days * DAY_SECONDS),
    )
