"""What has to be known of a Hummingbot to watch it."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from msgspec import Meta

from deskwatch.sources.secret import Secret
from deskwatch.sources.settings import SourceSettings

PORTS = {"mqtt": 1883, "mqtts": 8883}
"""Scheme → the port that it has by default."""
_NO_TOPIC = frozenset("+#/ \x00")


class Settings(SourceSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of a Hummingbot whose MQTT bridge is on (`mqtt_bridge` in its `conf_client.yml`)."""

    url: Annotated[str, Meta(description="where the MQTT broker listens: mqtt://127.0.0.1:1883, or mqtts://… with TLS")]
    instance: Annotated[str, Meta(description="instance_id of Hummingbot's conf_client.yml")]
    namespace: Annotated[str, Meta(description="mqtt_namespace of Hummingbot's conf_client.yml")] = "hbot"
    user: Annotated[str | None, Meta(description="the broker's user, where it wants one")] = None
    password_file: Annotated[Path | None, Meta(description="file that holds that user's password alone")] = None
    password_env: Annotated[str | None, Meta(description="environment variable that holds that password")] = None
    ca_file: Annotated[
        Path | None, Meta(description="certificates to trust for mqtts, PEM; by default the system's")
    ] = None
    reply_topic: Annotated[
        str, Meta(description="topic below which Hummingbot's replies to commands come; deskwatch may read below it")
    ] = "deskwatch/reply"
    venue: Annotated[
        str | None,
        Meta(description="its connector, where it trades on one only: orders don't say theirs; by default of history"),
    ] = None
    strategy: Annotated[str | None, Meta(description="what its strategy is called here; by default nothing")] = None
    script: Annotated[
        str | None, Meta(description="script that `set_mode active` starts, as Hummingbot's start command takes it")
    ] = None
    conf: Annotated[str | None, Meta(description="the configuration file of that script")] = None
    history_days: Annotated[
        float, Meta(ge=0, le=3650, description="days of trades that are told at the first contact")
    ] = 30.0
    poll_seconds: Annotated[float, Meta(ge=1, le=3600, description="time between asking whether its strategy runs")] = (
        30.0
    )
    silent_seconds: Annotated[
        float, Meta(ge=1, le=3600, description="it is away once it sent no heartbeat for so long; it sends one in 10 s")
    ] = 30.0
    reply_seconds: Annotated[
        float, Meta(ge=0.1, le=300, description="most time for a reply; Hummingbot itself gives up after 30 s")
    ] = 35.0
    confirm_seconds: Annotated[
        float, Meta(ge=0.1, le=600, description="most time until it shows what a command asked for")
    ] = 60.0

    def __post_init__(self) -> None:
        """Refuse what can't be meant.

        Raises:
            ValueError: The URL is none, or holds a password; a name can't be part of a topic.
        """
        try:
            parts = urlsplit(self.url)
            host, _ = parts.hostname, parts.port
        except ValueError as error:
            raise ValueError(f"expected url like mqtt://127.0.0.1:1883, but: {error}") from None
        if "@" in parts.netloc:
            raise ValueError("expected url without user and password; give them as user and password_file")
        if parts.scheme not in PORTS or not host:
            raise ValueError(
                f"expected url like mqtt://127.0.0.1:1883, was {self.url!r}; begin with mqtt:// or mqtts://"
            )
        if parts.path.strip("/") or parts.query or parts.fragment:
            raise ValueError(f"expected url of scheme, host and port alone, was {self.url!r}")
        if not self.instance or not self.instance.isprintable() or _NO_TOPIC & set(self.instance):
            raise ValueError(
                f"expected instance as in conf_client.yml, without + # / and blanks; was {self.instance!r}"
            )
        for name, topic in (("namespace", self.namespace), ("reply_topic", self.reply_topic)):
            if not topic.strip("/") or not topic.isprintable() or set("+# ") & set(topic):
                raise ValueError(f"expected {name} to be a topic without + # and blanks, was {topic!r}")
        if self.user is None and self.password.is_given():
            raise ValueError("expected user beside its password; give user, or leave the password out")

    @property
    def _parts(self) -> SplitResult:
        return urlsplit(self.url)

    @property
    def host(self) -> str:
        """The broker's host."""
        return self._parts.hostname or ""

    @property
    def port(self) -> int:
        """The broker's port."""
        return self._parts.port or PORTS[self._parts.scheme]

    @property
    def is_tls(self) -> bool:
        """Whether what is sent is encrypted."""
        return self._parts.scheme == "mqtts"

    @property
    def is_local(self) -> bool:
        """Whether what is sent stays on this machine."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost" or self.host.endswith(".localhost")

    @property
    def password(self) -> Secret:
        """Where the password is."""
        return Secret("password", self.password_file, self.password_env)

    @property
    def prefix(self) -> str:
        """Where all topics of this Hummingbot begin. It cuts one `/` or `.` off its namespace's end, and so do we."""
        namespace = self.namespace[:-1] if self.namespace[-1] in "/." else self.namespace
        return f"{namespace}/{self.instance}"

    @property
    def peer(self) -> str:
        """What is watched, as people know it."""
        return f"{self._parts.scheme}://{self._parts.netloc}/{self.prefix}"
