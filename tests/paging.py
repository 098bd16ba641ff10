"""A real Alertmanager with the configuration that the stack gets, and stand-ins for Slack and Telegram on loopback."""

from __future__ import annotations

import contextlib
import http.server
import json
import queue
import re
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import pytest

from deskwatch import stack
from tests.servers import require
from tests.waiting import patience

TEMPLATE = Path(__file__).parents[1] / "alertmanager" / "alertmanager.template.yml"
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


def alert(name: str, bot: str, *, since: datetime, ended: bool = False, **more: Any) -> Message:
    """One alert as Prometheus would report it; `more` overrides labels and annotations."""
    labels = {"alertname": name, "bot": bot, "severity": "critical", "instance": "deskwatch:9464"}
    annotations = {
        "summary": "The bot is down.",
        "description": f"{bot} has written nothing for 42s.",
        "action": "Look whether its process lives.",
        "dashboard_url": f"http://localhost:3000/d/deskwatch-overview?var-bot={bot}",
        "runbook_url": "docs/runbooks/botdown.md",
    }
    return {
        "labels": labels | more.get("labels", {}),
        "annotations": annotations | more.get("annotations", {}),
        "startsAt": since.isoformat(),
        "endsAt": (datetime.now(UTC) + timedelta(seconds=0 if ended else 600)).isoformat(),
    }


@dataclass(frozen=True)
class Alertmanager:
    """A running one."""

    url: str
    told: list[str]
    """Its log so far."""

    def report(self, *alerts: Message) -> None:
        """Report alerts, all at once."""
        request = urllib.request.Request(
            f"{self.url}/api/v2/alerts", json.dumps(alerts).encode(), {"Content-Type": "application/json"}
        )
        urllib.request.urlopen(request, timeout=30).close()

    def state_of(self, name: str, bot: str) -> str | None:
        """`active` or `suppressed`; None while it is unknown."""
        found = [one for one in self.alerts(bot) if one["labels"]["alertname"] == name]
        return found[0]["status"]["state"] if found else None

    def alerts(self, bot: str) -> list[Message]:
        """A bot's alerts as their groups hold them: only there it is told what the quiet hours mute."""
        with urllib.request.urlopen(f"{self.url}/api/v2/alerts/groups", timeout=30) as answer:
            alerts = [one for group in json.load(answer) for one in group["alerts"]]
        return [one for one in alerts if one["labels"].get("bot") == bot]

    def message_about(self, inbox: queue.Queue[Message], words: str, seconds: float = DEADLINE_SECONDS) -> Message:
        """The next message of an inbox that has these words; a failure with Alertmanager's log if none comes."""
        until = time.monotonic() + seconds * patience()
        while True:
            try:
                message = inbox.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                pytest.fail(f"no message about {words}; Alertmanager said:\n{''.join(self.told[-10:])}")
            if words in json.dumps(message, ensure_ascii=False):
                return message


@contextlib.contextmanager
def alertmanager(
    folder: Path,
    messengers: Messengers,
    *,
    change: Callable[[str], str] = lambda text: text,
    preferences: stack.Preferences = stack.Preferences(),  # noqa: B008 — frozen
) -> Iterator[Alertmanager]:
    """An Alertmanager with the repository's configuration, after `change`, and its messengers here."""
    config = _prepared(folder, messengers.url, change, preferences)
    command = [
        require("prometheus-alertmanager"),
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


def less_patient(text: str) -> str:
    """The configuration with groups that wait for next to nothing."""
    text = re.sub(r"group_wait: \S+", "group_wait: 100ms", text)
    return re.sub(r"group_interval: \S+", "group_interval: 500ms", text)


def _prepared(folder: Path, url: str, change: Callable[[str], str], preferences: stack.Preferences) -> Path:
    """The repository's configuration, with secrets that lead here."""
    secrets, template = folder / "secrets", folder / "source" / "alertmanager.template.yml"
    secrets.mkdir(parents=True)
    template.parent.mkdir()
    (secrets / "slack_webhook_url").write_text(f"{url}/services/T0/B0/secret\n")
    (secrets / "telegram_bot_token").write_text(f"{BOT_TOKEN}\n")
    (secrets / "telegram_chat_id").write_text(f"{CHAT}\n")
    (secrets / "heartbeat_url").write_text(f"{url}/ping/uuid\n")
    template.write_text(change(TEMPLATE.read_text().replace("https://api.telegram.org", url)))
    (template.parent / "templates").symlink_to(TEMPLATE.parent / "templates")
    assert stack.prepare(secrets, template, folder / "out", preferences=preferences) == []
    return folder / "out" / "alertmanager" / "alertmanager.yml"


def _read(stream: Any, told: list[str], address: queue.Queue[str]) -> None:
    for line in stream:
        told.append(line)
        if found := re.search(r"Listening on.*address=(\S+)", line):
            address.put(found[1])
