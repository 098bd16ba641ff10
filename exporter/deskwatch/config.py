"""What a sidecar is told: by flags, or by environment variables where a flag is absent."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import msgspec

from deskwatch.journal.retention import Limits
from deskwatch.projections.metrics.guard import MAX_SERIES

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 9464
"""OpenTelemetry's port for a Prometheus exporter."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of one sidecar."""

    home: Path
    """Folder of all journals."""
    config: Path | None = None
    """`deskwatch.toml`: what to watch for bots that write no journal; None for nothing."""
    host: str = DEFAULT_HOST
    """Address to listen on. Reading needs no token only where this is a loopback address."""
    port: int = DEFAULT_PORT
    """TCP port; 0 for any free one."""
    allowed_hosts: tuple[str, ...] = ()
    """Host names that a request may be for, beside loopback names (a guard against DNS rebinding)."""
    allowed_origins: tuple[str, ...] = ()
    """Origins (scheme, host and port) of web pages elsewhere that may talk to the sidecar, beside its own."""
    tls_cert: Path | None = None
    """PEM file with the certificate, and those between it and its CA; None for plain HTTP."""
    tls_key: Path | None = None
    """PEM file with that certificate's key."""
    insecure_http: bool = False
    """Whether to listen beyond this machine although nothing encrypts the tokens on their way."""
    read_token_file: Path | None = None
    """File with a token that may read and change nothing, for Prometheus."""
    loki_url: str | None = None
    """Base URL of a Loki, for the log sink; None for none."""
    loki_tenant: str | None = None
    """X-Scope-OrgID, where Loki has tenants."""
    loki_user: str | None = None
    """User for basic authentication at Loki; its password is in `loki_password_file`."""
    loki_password_file: Path | None = None
    """File with that password alone; read again when it changes."""
    loki_token_file: Path | None = None
    """File with a bearer token for Loki, in place of a user; read again when it changes."""
    loki_ca_file: Path | None = None
    """PEM file with the CAs that Loki's certificate is checked against; None for those that the system trusts."""
    otlp_endpoint: str | None = None
    """Base URL of an OTLP endpoint; None where only the environment may name one (see `deskwatch.sinks.otlp`)."""
    limits: Limits = Limits()
    """How much of the journals is kept."""
    max_series: int = MAX_SERIES
    """Label sets that a family of metrics holds of one bot."""
    checkpoint_seconds: float = 30.0
    """Time between checkpoints."""
    with_parent: int | None = None
    """Stop when this process, which started the sidecar, is gone."""

    @property
    def is_exposed(self) -> bool:
        """Whether tokens would travel beyond this machine in plain text."""
        return not self.is_loopback and self.tls_cert is None

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the sidecar."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"
