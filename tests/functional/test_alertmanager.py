"""A real Alertmanager with the configuration that the stack gets, and stand-ins for Slack and Telegram on loopback."""

from __future__ import annotations

import http.server
import json
import queue
import re
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import pytest

from deskwatch import stack
from tests.servers import require
from tests.waiting import eventually

TEMPLATE = Path(__file__).parents[2] / "alertmanager" / "alertmanager.template.yml"
BOT_TOKEN = "123456:test-Token_1"
CHAT = -1001234567890
DEADLINE_SECONDS = 20.0
Message = dict[str, Any]  # Any: JSON as the servers got it


class Messengers:
    """Slack's incoming webhooks, Telegram's `sendMessage` and a heartbeat service, which keep what they are sent."""

    def __init__(self) -> None:
        self.slack: queue.Queue[Message] = queue.Queue()
        self.telegram: queue.Queue[Message] = queue.Queue()
        self.heartbeat: queue.Queue[Message] = queue.Queue()
        sent = {"message_id": 1, "date": 0, "chat": {"id": CHAT, "type": "supergroup"}}  # what a Message always has
        routes = {
            "/services/T0/B0/secret": (self.slack, "text/html", b"ok"),
            f"/bot{BOT_TOKEN}/sendMessage": (
                self.telegram,
                "application/json",
                json.dumps({"ok": True, "result": sent}).encode(),
            ),
            "/ping/uuid": (self.heartbeat, "text/plain", b"OK"),
        }

        class Answer(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                inbox, content_type, answer = routes.get(self.path, (None, "text/plain", b"no such path"))
                self.send_response(404 if inbox is None else 200)
                self.send_header("Content-Type", content_type)
                self.end_headers()
                self.wfile.write(answer)
                if inbox is not None:
                    inbox.put(json.loads(body))

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@dataclass(frozen=True)
class Alertmanager:
    """A running one."""

    url: str
    told: list[str]
    """Its log so far."""

    def post(self, name: str, bot: str, *, since: datetime, ended: bool = False, **more: Any) -> None:
        """Report one alert as Prometheus would; `more` overrides labels and annotations."""
        labels = {"alertname": name, "bot": bot, "severity": "critical", "instance": "deskwatch:9464"}
        annotations = {
            "summary": "The bot is down.",
            "description": f"{bot} has written nothing for 42s.",
            "action": "Look whether its process lives.",
            "dashboard_url": f"http://localhost:3000/d/deskwatch-overview?var-bot={bot}",
            "runbook_url": "docs/runbooks/botdown.md",
        }
        alert = {
            "labels": labels | more.get("labels", {}),
            "annotations": annotations | more.get("annotations", {}),
            "startsAt": since.isoformat(),
            "endsAt": (datetime.now(UTC) + timedelta(seconds=0 if ended else 600)).isoformat(),
        }
        request = urllib.request.Request(
            f"{self.url}/api/v2/alerts", json.dumps([alert]).encode(), {"Content-Type": "application/json"}
        )
        urllib.request.urlopen(request, timeout=5).close()

    def state_of(self, name: str, bot: str) -> str | None:
        """`active` or `suppressed`; None while it is unknown."""
        with urllib.request.urlopen(f"{self.url}/api/v2/alerts", timeout=5) as answer:
            for alert in json.load(answer):
                if (alert["labels"]["alertname"], alert["labels"].get("bot")) == (name, bot):
                    return str(alert["status"]["state"])
        return None


@pytest.fixture(scope="module")
def messengers() -> Iterator[Messengers]:
    with Messengers() as running:
        yield running


@pytest.fixture(scope="module")
def alertmanager(messengers: Messengers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alertmanager]:
    binary = require("prometheus-alertmanager")
    folder = tmp_path_factory.mktemp("alertmanager")
    config = _prepared(folder, messengers.url)
    command = [
        binary,
        f"--config.file={config}",
        f"--storage.path={folder / 'data'}",
        "--web.listen-address=127.0.0.1:0",
        "--web.external-url=http://localhost:9093",
        "--cluster.listen-address=",
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        told: list[str] = []
        address: queue.Queue[str] = queue.Queue()
        assert process.stderr is not None
        reader = threading.Thread(target=_read, args=(process.stderr, told, address))
        reader.start()
        try:
            yield Alertmanager(f"http://{address.get(timeout=DEADLINE_SECONDS)}", told)
        finally:
            process.terminate()
            process.wait(DEADLINE_SECONDS)
            reader.join()


def _prepared(folder: Path, url: str) -> Path:
    """The repository's configuration with three things changed: where Telegram is, the secrets, and less patience."""
    secrets, template = folder / "secrets", folder / "source" / "alertmanager.template.yml"
    secrets.mkdir()
    template.parent.mkdir()
    (secrets / "slack_webhook_url").write_text(f"{url}/services/T0/B0/secret\n")
    (secrets / "telegram_bot_token").write_text(f"{BOT_TOKEN}\n")
    (secrets / "telegram_chat_id").write_text(f"{CHAT}\n")
    (secrets / "heartbeat_url").write_text(f"{url}/ping/uuid\n")
    text = TEMPLATE.read_text().replace("https://api.telegram.org", url)
    text = re.sub(r"group_wait: \S+", "group_wait: 100ms", text)
    text = re.sub(r"group_interval: \S+", "group_interval: 500ms", text)
    template.write_text(text)
    (template.parent / "templates").symlink_to(TEMPLATE.parent / "templates")
    assert stack.prepare(secrets, template, folder / "out") == []
    return folder / "out" / "alertmanager" / "alertmanager.yml"


def _read(stream: Any, told: list[str], address: queue.Queue[str]) -> None:
    for line in stream:
        told.append(line)
        if found := re.search(r"Listening on.*address=(\S+)", line):
            address.put(found[1])


def _about(inbox: queue.Queue[Message], bot: str, told: list[str]) -> Message:
    """The next message that names this bot."""
    until = time.monotonic() + DEADLINE_SECONDS
    while True:
        try:
            message = inbox.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            pytest.fail(f"no message about {bot}; Alertmanager said:\n{''.join(told[-10:])}")
        if bot in json.dumps(message):
            return message


def test_a_page_says_what_which_bot_since_when_and_what_to_do(
    alertmanager: Alertmanager, messengers: Messengers
) -> None:
    """A critical alert reaches Slack and Telegram as one readable message each, and so does its end."""
    since = datetime.now(UTC) - timedelta(minutes=2)
    alertmanager.post("BotDown", "arb-1", since=since)

    telegram = _about(messengers.telegram, "arb-1", alertmanager.told)
    assert int(telegram["chat_id"]) == CHAT
    assert telegram["parse_mode"] == "HTML"
    assert telegram["text"] == (
        "🚨 <b>arb-1</b>: BotDown\n"
        "\n"
        "<b>The bot is down.</b>\n"
        "arb-1 has written nothing for 42s.\n"
        f"Since {since:%H:%M:%S} UTC on {since.day} {since:%b}\n"
        "<b>Do:</b> Look whether its process lives.\n"
        '<a href="http://localhost:3000/d/deskwatch-overview?var-bot=arb-1">Dashboard</a>'
        " · Runbook: docs/runbooks/botdown.md"
    )
    (slack,) = _about(messengers.slack, "arb-1", alertmanager.told)["attachments"]
    assert slack["title"] == "🚨 arb-1: BotDown"
    assert slack["color"] == "danger"
    assert slack["text"].strip() == (
        "*The bot is down.*\n"
        "arb-1 has written nothing for 42s.\n"
        f"Since {since:%H:%M:%S} UTC on {since.day} {since:%b}\n"
        "*Do:* Look whether its process lives.\n"
        "<http://localhost:3000/d/deskwatch-overview?var-bot=arb-1|Dashboard> · Runbook: docs/runbooks/botdown.md"
    )

    alertmanager.post("BotDown", "arb-1", since=since, ended=True)
    over = _about(messengers.telegram, "arb-1", alertmanager.told)["text"]
    assert over.startswith("✅ <b>arb-1</b>: BotDown is over\n\n✅ Over: The bot is down.\nIt lasted 2m ")
    (slack,) = _about(messengers.slack, "arb-1", alertmanager.told)["attachments"]
    assert slack["title"] == "✅ arb-1: BotDown is over"
    assert slack["color"] == "good"


def test_text_from_outside_is_shown_and_does_nothing(alertmanager: Alertmanager, messengers: Messengers) -> None:
    """Markup in a description arrives escaped: no tag that makes Telegram refuse the message, no call of a channel."""
    hostile = "asset <b>SCAM & Co</i> <!channel> <http://evil.example|click>"
    alertmanager.post("BotDrawdown", "arb-2", since=datetime.now(UTC), annotations={"description": hostile})

    text = _about(messengers.telegram, "arb-2", alertmanager.told)["text"]
    assert "asset &lt;b&gt;SCAM &amp; Co&lt;/i&gt; &lt;!channel&gt;" in text
    (slack,) = _about(messengers.slack, "arb-2", alertmanager.told)["attachments"]
    assert "asset &lt;b&gt;SCAM &amp; Co&lt;/i&gt; &lt;!channel&gt; &lt;http://evil.example|click&gt;" in slack["text"]


def test_what_can_wait_makes_no_sound(alertmanager: Alertmanager, messengers: Messengers) -> None:
    """A warning comes by the same channels, but Telegram is asked not to ring."""
    alertmanager.post("BotGasPriceHigh", "arb-3", since=datetime.now(UTC), labels={"severity": "warning"})

    message = _about(messengers.telegram, "arb-3", alertmanager.told)
    assert message["disable_notification"] in {True, "true"}
    assert message["text"].startswith("⚠️ <b>arb-3</b>: BotGasPriceHigh")
    (slack,) = _about(messengers.slack, "arb-3", alertmanager.told)["attachments"]
    assert slack["color"] == "warning"


def test_a_dead_bot_is_not_reported_twice(alertmanager: Alertmanager) -> None:
    """While a bot is down its symptoms are suppressed; another bot's are not."""
    now = datetime.now(UTC)
    alertmanager.post("BotDown", "arb-4", since=now)
    alertmanager.post("BotOrderFailures", "arb-4", since=now, labels={"severity": "warning"})
    alertmanager.post("BotOrderFailures", "arb-5", since=now, labels={"severity": "warning"})

    eventually(lambda: alertmanager.state_of("BotOrderFailures", "arb-4") == "suppressed")
    eventually(lambda: alertmanager.state_of("BotOrderFailures", "arb-5") == "active")


def test_nothing_is_said_of_bots_while_their_sidecar_is_down(alertmanager: Alertmanager) -> None:
    """DeskwatchDown suppresses the alerts of the bots that it serves, and of no others."""
    now = datetime.now(UTC)
    down = {"bot": "", "instance": "other:9464", "job": "deskwatch"}
    alertmanager.post("DeskwatchDown", "", since=now, labels=down)
    alertmanager.post("BotDown", "arb-6", since=now, labels={"instance": "other:9464", "job": "deskwatch"})
    alertmanager.post("BotDown", "arb-7", since=now, labels={"instance": "third:9464", "job": "deskwatch"})

    eventually(lambda: alertmanager.state_of("BotDown", "arb-6") == "suppressed")
    eventually(lambda: alertmanager.state_of("BotDown", "arb-7") == "active")


def test_the_watchdog_feeds_the_heartbeat_and_nobody_else(alertmanager: Alertmanager, messengers: Messengers) -> None:
    """Watchdog is posted to the heartbeat service and is never a message to people."""
    labels = {"bot": "", "instance": "", "severity": "none"}
    alertmanager.post("Watchdog", "", since=datetime.now(UTC), labels=labels)

    beat = messengers.heartbeat.get(timeout=DEADLINE_SECONDS)
    assert beat["status"] == "firing"
    people = [*messengers.slack.queue, *messengers.telegram.queue]
    assert not [message for message in people if "Watchdog" in json.dumps(message)]
