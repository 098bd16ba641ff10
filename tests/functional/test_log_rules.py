"""Alerts of Loki's ruler, in a real Loki: the lines are those that the sink would push, and a stub is Alertmanager."""

from __future__ import annotations

import http.server
import json
import threading
import time
import urllib.request
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import yaml

from deskwatch.events import (
    CommandAccepted,
    ErrorOccurred,
    Event,
    OrderRejected,
    RequestCompleted,
    TokenMade,
)
from deskwatch.sinks.loki.entries import Entry, as_entry, as_late, labels
from tests import running
from tests.functional.loki_servers import running_real
from tests.lines import line_of, writer_of
from tests.waiting import eventually

RULES = running.ROOT / "loki" / "rules"
WINDOW_SECONDS = 15
"""What the rules' windows of minutes are here, so that an alert clears while one waits."""
ALERTS = [
    {"alertname": "BotFundsInsufficient", "severity": "warning", "bot": "arb-1", "venue": "kraken"},
    {"alertname": "BotLogsCritical", "severity": "critical", "bot": "arb-1", "component": "wallet"},
    {"alertname": "BotRateLimited", "severity": "warning", "bot": "arb-1", "venue": "kraken"},
    {"alertname": "DeskwatchTradeTokenMade", "severity": "warning", "name": "night-shift"},
    {"alertname": "DeskwatchUnusualOperator", "severity": "warning", "actor": "stranger"},
]
"""What `lines` should raise: all that the rules know."""
DAY_NS = 24 * 3600 * 10**9
Alert = dict[str, str]


class Alertmanager:
    """Alertmanager's API for incoming alerts. It keeps the last word on each."""

    def __init__(self) -> None:
        self.last: dict[tuple[tuple[str, str], ...], dict[str, Any]] = {}
        told = self.last

        class Answer(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                alerts = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                here = self.path == "/api/v2/alerts"  # the one that an Alertmanager of today has
                told.update({tuple(sorted(one["labels"].items())): one for one in alerts} if here else {})
                self.send_response(200 if here else 404)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def fired(self) -> list[Alert]:
        """Labels of all alerts that ever came, sorted by name."""
        return sorted((one["labels"] for one in list(self.last.values())), key=lambda one: str(one["alertname"]))

    @property
    def is_firing(self) -> bool:
        """Whether one has not ended."""
        now = time.time()
        return any(datetime.fromisoformat(one["endsAt"]).timestamp() > now for one in list(self.last.values()))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def hurried(folder: Path) -> Path:
    """A copy of the rules that looks every second, at seconds in place of minutes."""
    for path in RULES.glob("*/*.yml"):
        content = yaml.safe_load(path.read_text())
        for group in content["groups"]:
            group["interval"] = "1s"
            for rule in group["rules"]:
                rule.pop("for", None)
                for minutes in ("5m", "10m", "15m"):
                    rule["expr"] = rule["expr"].replace(f"[{minutes}]", f"[{WINDOW_SECONDS}s]")
                rule["expr"] = rule["expr"].replace("offset 15m", f"offset {WINDOW_SECONDS}s")
        copy = folder / path.relative_to(RULES)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(yaml.safe_dump(content))
    return folder


def push(url: str, entries: list[Entry]) -> None:
    """Send entries, oldest first in each stream, as Loki wants them."""
    streams: dict[tuple[str, str, str], list[list[Any]]] = {}
    for entry in sorted(entries, key=lambda entry: entry.ts):
        streams.setdefault(entry.stream, []).append([str(entry.ts), entry.line, entry.metadata])
    body = {"streams": [{"stream": labels(stream), "values": values} for stream, values in streams.items()]}
    request = urllib.request.Request(
        f"{url}/loki/api/v1/push", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        assert answer.status == 204


def test_every_log_rule_is_tried() -> None:
    """The alerts that are looked for are those that the rules know."""
    contents = [yaml.safe_load(path.read_text()) for path in RULES.glob("*/*.yml")]
    names = [rule["alert"] for content in contents for group in content["groups"] for rule in group["rules"]]
    assert sorted(names) == [alert["alertname"] for alert in ALERTS]


def failed(reason: str) -> Event:
    """A request that a venue did not answer as it should."""
    return RequestCompleted(venue="kraken", operation="place_order", ok=False, latency_seconds=0.1, reason=reason)


def refused(number: int, message: str) -> Event:
    """An order that a venue refused, in its own words."""
    return OrderRejected(order_id=f"o-{number}", venue="kraken", symbol="ETH/USDC", reason="refused", message=message)


def lines() -> Iterator[tuple[str, Event, int]]:
    """Whose, what and how long ago (ns): what should raise alerts, and what is like it and should not."""
    critical = ErrorOccurred(component="wallet", kind="KeyError", message="key is gone", levelname="CRITICAL")
    yield "arb-1", critical, 0
    yield "calm", ErrorOccurred(component="wallet", kind="KeyError", message="nothing critical"), 0
    for _ in range(5):
        yield "arb-1", failed("rate_limited"), 0
        yield "calm", failed("timeout"), 0
    for number in range(3):
        yield "arb-1", refused(number, "EOrder:Insufficient funds"), 0
        yield "calm", refused(number, "EOrder:Post only"), 0
    for actor, command, ago in (
        ("stranger", "close_all", 0),
        ("pinger", "ping", 0),
        ("trader", "close_all", 0),
        ("trader", "close_all", 2 * DAY_NS),
    ):
        yield "arb-1", CommandAccepted(command_id="c-1", command=command, params={}, actor=actor, expires_ts=0), ago
    yield "_sidecar", TokenMade(name="night-shift", scopes=["read", "trade"]), 0
    yield "_sidecar", TokenMade(name="grafana", scopes=["read"]), 0


def test_log_rules_fire_by_lines_as_the_sink_sends_them_and_clear(tmp_path: Path) -> None:
    """Each alert fires for the bot, venue, token it is about, for no other, and ends when its lines are past."""
    rules = hurried(tmp_path / "rules")
    ruler = {"storage": {"type": "local", "local": {"directory": str(rules)}}, "poll_interval": "1s"}
    with (
        Alertmanager() as alertmanager,
        running_real(tmp_path, ruler=ruler | {"alertmanager_url": alertmanager.url}) as loki,
    ):
        now = time.time_ns()
        entries = [
            as_entry(line_of(event, seq=seq, ts=now - ago + seq), bot, writer_of(event))
            for seq, (bot, event, ago) in enumerate(lines(), 1)
        ]
        old = as_entry(
            line_of(ErrorOccurred(component="a", kind="b", message="c", levelname="CRITICAL"), seq=99, ts=now),
            "caught-up",
            "main",
        )
        push(loki.url, [*entries, as_late(old, now)])
        eventually(lambda: len(alertmanager.fired) >= len(ALERTS), 60, every=0.2)
        (told,) = [one for one in alertmanager.last.values() if one["labels"]["alertname"] == "BotFundsInsufficient"]
        assert told["annotations"]["description"].startswith("kraken refused 3 orders of arb-1 in the last 10 minutes")
        eventually(lambda: not alertmanager.is_firing, 60, every=0.5)
        assert alertmanager.fired == ALERTS
