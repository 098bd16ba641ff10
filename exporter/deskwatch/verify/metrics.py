"""What `/metrics` says of the journals: the counters, and how far each journal is folded into them."""

from __future__ import annotations

import ipaddress
import time
import urllib.parse
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import msgspec
import urllib3

from deskwatch.errors import ConfigError, DeskwatchError
from deskwatch.harmless import harmless
from deskwatch.journal import START, Position

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
WAIT_SECONDS = 20.0
"""How long a sidecar may take to follow the journals to where they ended when it was asked."""
_PAUSE_SECONDS = 0.1
_SEGMENT, _OFFSET = "deskwatch_followed_segment", "deskwatch_followed_offset_bytes"
_NAMES = ("deskwatch_events_total{", "deskwatch_invalid_lines_total{", f"{_SEGMENT}{{", f"{_OFFSET}{{")


class Unreachable(DeskwatchError):
    """A side that was to be compared can't be asked. The message says what to do."""


class Scrape(msgspec.Struct, frozen=True, kw_only=True):
    """The counters of one scrape.

    Attributes:
        events: By bot, writer and type.
        invalid: By bot, writer and reason.
        followed: By bot and writer: the journal's place that these very counters have come to. None where the sidecar
            doesn't tell: it is an older one.
    """

    events: Counter[tuple[str, str, str]]
    invalid: Counter[tuple[str, str, str]]
    followed: dict[tuple[str, str], Position] | None


class Metrics:
    """A sidecar's `/metrics`."""

    def __init__(self, url: str, token_file: Path | None, home: Path) -> None:
        self._url = url.rstrip("/") + "/metrics"
        self._headers = {"Accept": "text/plain"}
        token = _token(url, token_file, home)
        if token is not None:
            self._headers["Authorization"] = f"Bearer {token}"
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
        self._pool = urllib3.PoolManager(timeout=timeout, retries=False)

    def scrape(self) -> Scrape:
        """The counters of now; waits while the sidecar is catching up after its start.

        Raises:
            Unreachable: Nothing answers there, or it does not answer with metrics.
        """
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            try:
                response = self._pool.request("GET", self._url, headers=self._headers, redirect=False)
            except urllib3.exceptions.HTTPError as error:
                raise Unreachable(
                    f"expected metrics at {self._url}, but: {harmless(_words(error))}; start the sidecar, give its "
                    "--url, or leave this side out with --no-metrics"
                ) from None
            if response.status == 200:
                return parse(response.data.decode(errors="replace"))
            if response.status in (401, 403):
                raise Unreachable(
                    f"expected to be let in at {self._url}, was {response.status}; give a file with a token of that "
                    "sidecar: --token-file"
                )
            if response.status != 503 or time.monotonic() >= deadline:
                more = "; it is still reading the journals, try again later" if response.status == 503 else ""
                raise Unreachable(f"expected metrics at {self._url}, was status {response.status}{more}")
            time.sleep(_PAUSE_SECONDS)

    def scrape_at(self, goal: Mapping[tuple[str, str], Position]) -> Scrape:
        """A scrape that has come to these places in the journals, or the last one where it takes too long.

        Raises:
            Unreachable: As `scrape`.
        """
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            scrape = self.scrape()
            if scrape.followed is None or not behind(scrape, goal) or time.monotonic() >= deadline:
                return scrape
            time.sleep(_PAUSE_SECONDS)

    def close(self) -> None:
        """Close the connection."""
        self._pool.clear()


def behind(scrape: Scrape, goal: Mapping[tuple[str, str], Position]) -> list[tuple[str, str]]:
    """The journals that a scrape has not followed up to these places. An empty new segment is no distance."""
    followed = scrape.followed or {}
    return [key for key, at in goal.items() if at.offset > 0 and followed.get(key, START) < at]


def parse(text: str) -> Scrape:
    """The counters in a Prometheus text.

    Raises:
        Unreachable: It is no such text.
    """
    from prometheus_client.parser import text_string_to_metric_families  # noqa: PLC0415  only where it is needed

    events: Counter[tuple[str, str, str]] = Counter()
    invalid: Counter[tuple[str, str, str]] = Counter()
    places: dict[tuple[str, str], dict[str, int]] = {}
    # Only these lines: a sidecar may have ten thousand others.
    lines = "".join(line + "\n" for line in text.split("\n") if line.startswith(_NAMES))
    try:
        samples = [one for family in text_string_to_metric_families(lines) for one in family.samples]
    except (ValueError, KeyError) as error:
        raise Unreachable(f"expected metrics in Prometheus text, but: {harmless(str(error))}") from None
    for sample in samples:
        labels = sample.labels
        key = (labels.get("bot", ""), labels.get("writer", ""))
        if sample.name == "deskwatch_events_total":
            events[(*key, labels.get("type", ""))] += round(sample.value)
        elif sample.name == "deskwatch_invalid_lines_total":
            if sample.value:  # reasons that never came up start at 0
                invalid[(*key, labels.get("reason", ""))] += round(sample.value)
        else:
            places.setdefault(key, {})[sample.name] = round(sample.value)
    followed = {key: Position(at.get(_SEGMENT, 0), at.get(_OFFSET, 0)) for key, at in places.items()}
    return Scrape(events=events, invalid=invalid, followed=followed if places else None)


def _token(url: str, token_file: Path | None, home: Path) -> str | None:
    if token_file is not None:
        try:
            return token_file.read_text().strip()
        except OSError as error:
            raise ConfigError(f"expected a token in {token_file}: {error.strerror}") from None
    host = urllib.parse.urlsplit(url).hostname or ""
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    own = home / "token"
    return own.read_text().strip() if not loopback and own.exists() else None


def _words(error: Exception) -> str:
    """What went wrong, without the names of the library's objects."""
    return str(error).rpartition(": ")[2] or type(error).__name__
