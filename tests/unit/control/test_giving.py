"""Giving an order: it is done, and proven, or it says truthfully what is known."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections import deque
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from deskwatch.control import orders
from deskwatch.control.giving import Patience, give
from deskwatch.control.outcome import EXIT_STATUS, Outcome, Told
from deskwatch.control.telling import tell
from deskwatch.errors import NotAllowed
from deskwatch.live import Access
from deskwatch.live.asking import Sidecar
from tests.fakes.http_server import serving

BREAK = 0
"""In place of a status: the connection is closed without an answer."""


class Desk:
    """A sidecar that answers as it is told to: to what is posted, and then to each look at the command."""

    def __init__(self) -> None:
        self.taken: deque[tuple[int, dict[str, Any]]] = deque()
        self.looks: deque[tuple[int, dict[str, Any]]] = deque()
        self.keys: list[str | None] = []
        self.asked: list[tuple[str, str, Any]] = []
        self.url = ""


def command(status: str, **more: object) -> tuple[int, dict[str, Any]]:
    return 202, {"id": "c1", "bot": "arb-1", "status": status, **more}


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            desk.keys.append(self.headers["Idempotency-Key"])
            desk.asked.append((self.command, self.path, json.loads(body)))
            self._answer(desk.taken)

        def do_PUT(self) -> None:
            self.do_POST()

        def do_GET(self) -> None:
            self._answer(desk.looks)

        def _answer(self, answers: deque[tuple[int, dict[str, Any]]]) -> None:
            status, document = answers.popleft() if len(answers) > 1 else answers[0]
            if status == BREAK:
                self.close_connection = True
                return
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with serving(Handler, 0, None, threading.Event()) as desk.url:
        yield desk


def ask(desk: Desk, order: orders.Order | None = None, **patience: Any) -> Told:
    order = order or orders.mode("arb-1", "standby", "lunch")
    with contextlib.closing(Sidecar(Access(url=desk.url))) as sidecar:
        return give(order, sidecar, Patience(**{"timeout_seconds": 30.0, **patience}), lambda _: None)


def test_only_what_is_confirmed_succeeded(desk: Desk) -> None:
    desk.taken.append(command("accepted"))
    desk.looks.extend([command("accepted"), command("running", reported="succeeded"), command("succeeded", result=1)])
    told = ask(desk)
    assert told.outcome is Outcome.SUCCEEDED
    assert told.document["result"] == 1
    assert desk.asked == [("PUT", "/bots/arb-1/mode", {"mode": "standby", "reason": "lunch"})]


@pytest.mark.parametrize(
    ("status", "outcome"),
    [("failed", Outcome.FAILED), ("refused", Outcome.REFUSED), ("expired", Outcome.EXPIRED)],
)
def test_an_end_that_is_no_success_is_told_with_its_reason(desk: Desk, status: str, outcome: Outcome) -> None:
    desk.taken.append(command("accepted"))
    desk.looks.append(command(status, error="it can't"))
    told = ask(desk)
    assert (told.outcome, told.words) == (outcome, "it can't")


def test_what_keeps_it_from_being_given_is_told_once_while_it_tries_again(desk: Desk) -> None:
    shown: list[dict[str, Any]] = []
    away = (503, {"detail": "the journals are still being read"})
    desk.taken.extend([away, away, command("succeeded")])
    with contextlib.closing(Sidecar(Access(url=desk.url))) as sidecar:
        told = give(orders.mode("arb-1", "standby", None), sidecar, Patience(timeout_seconds=5.0), shown.append)
    assert told.outcome is Outcome.SUCCEEDED
    trouble = [one["waiting_for"] for one in shown if one["status"] == "no answer yet"]
    assert len(trouble) == 1
    assert "the journals are still being read" in trouble[0]


@pytest.mark.parametrize(
    ("has_file", "more"),
    [
        (False, "was none; name that home by --home, or a token's file by --token-file"),
        (True, "was none; sent was the one in {}"),
    ],
)
def test_who_is_not_let_in_is_told_which_token_was_sent(desk: Desk, tmp_path: Path, has_file: bool, more: str) -> None:
    file = tmp_path / "token"
    file.write_text("w" * 20)
    desk.taken.append((401, {"detail": "was none"}))
    access = Access(url=desk.url, token_file=file if has_file else None)
    with contextlib.closing(Sidecar(access)) as sidecar, pytest.raises(NotAllowed) as told:
        sidecar.ask("POST", "/", {})
    assert str(told.value).endswith(more.format(file))


def test_a_connection_that_breaks_is_asked_again_with_the_same_key(desk: Desk) -> None:
    desk.taken.extend([(BREAK, {}), (503, {"detail": "the journals are still being read"}), command("succeeded")])
    assert ask(desk).outcome is Outcome.SUCCEEDED
    assert len(desk.keys) == 3
    assert len(set(desk.keys)) == 1
    assert desk.keys[0]


def test_what_may_have_arrived_is_unknown_and_names_its_key(desk: Desk) -> None:
    desk.taken.append((BREAK, {}))
    told = ask(desk, timeout_seconds=0.5, key="k-17")
    assert told.outcome is Outcome.UNKNOWN
    assert "--key k-17" in told.words


def test_what_surely_did_not_arrive_is_unreachable(desk: Desk) -> None:
    desk.url = "http://127.0.0.1:1"
    assert ask(desk, timeout_seconds=0.3).outcome is Outcome.UNREACHABLE


def test_a_process_is_not_restarted_twice(desk: Desk) -> None:
    desk.taken.append((BREAK, {}))
    told = ask(desk, orders.process("arb-1", "restart", None))
    assert told.outcome is Outcome.UNKNOWN
    assert len(desk.asked) == 1
    assert desk.keys == [None]


@pytest.mark.parametrize("waiting", [None, "the position to be gone"])
def test_what_is_not_confirmed_in_time_is_no_success(desk: Desk, waiting: str | None) -> None:
    desk.taken.append(command("accepted"))
    desk.looks.append(command("running", reported="succeeded", waiting_for=waiting))
    told = ask(desk, timeout_seconds=1.5)
    assert told.outcome is Outcome.TIMEOUT
    assert (waiting or "running") in told.words


def test_unknown_is_waited_for_until_the_state_settles_it(desk: Desk) -> None:
    desk.taken.append(command("accepted"))
    desk.looks.extend([command("unknown"), command("unknown"), command("succeeded")])
    assert ask(desk).outcome is Outcome.SUCCEEDED
    desk.looks[0] = command("unknown", error="the bot died")
    told = ask(desk, timeout_seconds=1.5)
    assert (told.outcome, told.words) == (Outcome.UNKNOWN, "the bot died")


def test_looks_that_fail_are_repeated(desk: Desk) -> None:
    desk.taken.append(command("accepted"))
    desk.looks.extend([(BREAK, {}), (500, {}), command("succeeded")])
    assert ask(desk).outcome is Outcome.SUCCEEDED


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (401, Outcome.NOT_ALLOWED),
        (403, Outcome.NOT_ALLOWED),
        (421, Outcome.NOT_ALLOWED),
        (404, Outcome.REFUSED),
        (409, Outcome.REFUSED),
        (422, Outcome.REFUSED),
        (307, Outcome.REFUSED),
    ],
)
def test_an_answer_that_is_no_is_taken_for_one_at_once(desk: Desk, status: int, outcome: Outcome) -> None:
    desk.taken.append((status, {"detail": "no"}))
    assert ask(desk).outcome is outcome
    assert len(desk.asked) == 1


def test_a_command_that_may_not_be_watched_is_unknown(desk: Desk) -> None:
    desk.taken.append(command("accepted"))
    desk.looks.append((403, {"detail": "expected a token that may read"}))
    told = ask(desk)
    assert told.outcome is Outcome.UNKNOWN
    assert "c1" in told.words


def test_without_waiting_accepted_is_enough(desk: Desk) -> None:
    desk.taken.append(command("accepted"))
    assert ask(desk, waits=False).outcome is Outcome.ACCEPTED


@pytest.mark.parametrize("status", [401, 403, 404, 422])
def test_a_no_to_the_second_try_says_nothing_about_the_first(desk: Desk, status: int) -> None:
    desk.taken.extend([(BREAK, {}), (status, {"detail": "no"})])
    told = ask(desk, key="k-17")
    assert told.outcome is Outcome.UNKNOWN
    assert "--key k-17" in told.words


@pytest.mark.parametrize(
    ("action", "document", "outcome"),
    [
        ("restart", {"running": True, "pid": 7}, Outcome.SUCCEEDED),
        ("restart", {"running": False, "exit_code": 1}, Outcome.FAILED),
        ("stop", {"running": False, "exit_code": 0}, Outcome.SUCCEEDED),
        ("kill", {"running": True, "pid": 7}, Outcome.FAILED),
        ("kill", {}, Outcome.UNKNOWN),
    ],
)
def test_a_process_action_succeeded_only_if_the_answer_shows_it(
    desk: Desk, action: str, document: dict[str, Any], outcome: Outcome
) -> None:
    desk.taken.append((200, document))
    assert ask(desk, orders.process("arb-1", action, None)).outcome is outcome


@pytest.mark.parametrize("outcome", [Outcome.SUCCEEDED, Outcome.EXPIRED, Outcome.UNKNOWN])
@pytest.mark.parametrize("is_open", [True, False])
def test_the_exit_status_is_told_also_where_nobody_reads_the_words(
    outcome: Outcome, is_open: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as gone:
        monkeypatch.setattr("sys.stdout", gone if is_open else None)
        status = tell(orders.mode("arb-1", "standby", None), Told(outcome=outcome), as_document=False)
    assert status == EXIT_STATUS[outcome]
