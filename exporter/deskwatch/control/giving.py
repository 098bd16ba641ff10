"""Giving an order to a sidecar, and waiting for the proof that it was done.

A command is sent with an Idempotency-Key, so that it may be sent again after a connection broke: it is given once. It
is then watched until its resource says how it ended; `accepted` and `running` never count as done. What is about the
process has no key: it is sent again only where the last try surely did not arrive.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Any

import msgspec

from deskwatch.backoff import Backoff
from deskwatch.control.orders import Order
from deskwatch.control.outcome import Outcome, Told
from deskwatch.errors import Declined, NotAllowed, SidecarError, Unreachable
from deskwatch.live.asking import READ_SECONDS, Sidecar
from deskwatch.live.paths import path_of

FIRST_RETRY_SECONDS = 0.1
MOST_RETRY_SECONDS = 2.0
FIRST_LOOK_SECONDS = 0.02
MOST_LOOK_SECONDS = 0.25
"""Time between two looks at a command; it grows by half from the first to this."""
MIN_READ_SECONDS = 0.5
_FINAL = {
    "succeeded": Outcome.SUCCEEDED,
    "failed": Outcome.FAILED,
    "refused": Outcome.REFUSED,
    "expired": Outcome.EXPIRED,
}


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How long is waited, and for what."""

    timeout_seconds: float = 60.0
    """For everything: reaching the sidecar, and the confirmation."""
    waits: bool = True
    """Whether to wait for the confirmation at all."""
    key: str | None = None
    """The Idempotency-Key; None for a new one."""


def give(order: Order, sidecar: Sidecar, patience: Patience, tell: Callable[[dict[str, Any]], None]) -> Told:
    """Give an order and wait for its end.

    Args:
        order: What is asked.
        sidecar: Of whom.
        patience: How long to wait.
        tell: Called with the command's resource whenever its status or what it waits for has changed; before there is
            one, with what keeps the sidecar from answering.

    Raises:
        ConfigError: The token file can't be read.
    """
    giving = _Giving(order, sidecar, patience, tell)
    told = giving.run()
    return msgspec.structs.replace(told, seconds=time.monotonic() - giving.began)


class _Giving:
    def __init__(
        self, order: Order, sidecar: Sidecar, patience: Patience, tell: Callable[[dict[str, Any]], None]
    ) -> None:
        self._order = order
        self._sidecar = sidecar
        self._patience = patience
        self._tell = tell
        self._key = patience.key or uuid.uuid4().hex
        self.began = time.monotonic()

    def run(self) -> Told:
        try:
            document = self._send()
        except _Ended as ended:
            return ended.told
        if not self._order.is_command:
            return self._process(document)
        if not isinstance(document.get("id"), str):
            return Told(outcome=Outcome.UNKNOWN, words="the sidecar's answer names no command", document=document)
        self._tell(document)
        if not self._patience.waits:
            return Told(outcome=Outcome.ACCEPTED, document=document)
        return self._watch(document)

    def _process(self, document: dict[str, Any]) -> Told:
        """What an answer about the process shows."""
        running = document.get("running")
        if running is self._order.runs:
            return Told(outcome=Outcome.SUCCEEDED, document=document)
        if isinstance(running, bool):
            words = f"the process {'runs' if running else 'does not run'}"
            return Told(outcome=Outcome.FAILED, words=words, document=document)
        words = "the sidecar's answer does not say whether the process runs"
        return Told(outcome=Outcome.UNKNOWN, words=words, document=document)

    def _left(self) -> float:
        return self._patience.timeout_seconds - (time.monotonic() - self.began)

    def _read_seconds(self) -> float:
        most = READ_SECONDS if self._order.is_command else self._patience.timeout_seconds
        return max(MIN_READ_SECONDS, min(most, self._left()))

    def _send(self) -> dict[str, Any]:
        """The sidecar's answer.

        Raises:
            _Ended: There is none to wait for.
        """
        backoff = Backoff(FIRST_RETRY_SECONDS, MOST_RETRY_SECONDS)
        headers = {**self._order.headers, **({"Idempotency-Key": self._key} if self._order.is_command else {})}
        may_have_arrived, shown = False, ""
        while True:
            try:
                answer = self._sidecar.ask(
                    self._order.method,
                    self._order.path,
                    self._order.body,
                    headers=headers,
                    read_seconds=self._read_seconds(),
                )
                return answer if isinstance(answer, dict) else {}
            except (NotAllowed, Declined) as error:
                if may_have_arrived:  # the answer to an earlier try was lost: this no is not about that one
                    raise self._gave_up(error, may_have_arrived=True) from None
                outcome = Outcome.NOT_ALLOWED if isinstance(error, NotAllowed) else Outcome.REFUSED
                raise _Ended(outcome, str(error)) from None
            except Unreachable as error:
                may_have_arrived |= error.arrived
                pause = backoff.next_seconds(error.retry_seconds)
                is_repeatable = self._order.is_command or not error.arrived
                if not is_repeatable or pause >= self._left():
                    raise self._gave_up(error, may_have_arrived=may_have_arrived) from None
                if str(error) != shown:  # whoever named the wrong place need not wait until the end to see it
                    shown = str(error)
                    self._tell({"status": "no answer yet", "waiting_for": f"the sidecar ({shown})"})
                time.sleep(pause)

    def _gave_up(self, error: SidecarError, *, may_have_arrived: bool) -> _Ended:
        if not may_have_arrived:
            return _Ended(Outcome.UNREACHABLE, str(error))
        again = f"; to ask again without doing it twice: --key {self._key}" if self._order.is_command else ""
        return _Ended(Outcome.UNKNOWN, f"{error}; it may have been given all the same{again}")

    def _watch(self, document: dict[str, Any]) -> Told:
        """Look at the command until it has ended. `unknown` may still be settled by the bot's state."""
        pause, shown, trouble = FIRST_LOOK_SECONDS, _news(document), ""
        while True:
            status = document.get("status")
            if status in _FINAL:
                return Told(outcome=_FINAL[status], words=str(document.get("error") or ""), document=document)
            if self._left() <= 0:
                return self._not_confirmed(document, trouble)
            time.sleep(min(pause, max(0.0, self._left())))
            pause = min(MOST_LOOK_SECONDS, pause * 1.5)
            try:
                document = self._look(document["id"]) or document
                trouble = ""
            except (NotAllowed, Declined) as error:
                words = f"it was given as command {document['id']}, but can't be watched: {error}"
                return Told(outcome=Outcome.UNKNOWN, words=words, document=document)
            except Unreachable as error:
                trouble = str(error)
            if _news(document) != shown:
                shown = _news(document)
                self._tell(document)

    def _look(self, command_id: str) -> dict[str, Any] | None:
        answer = self._sidecar.ask("GET", path_of("commands", command_id), read_seconds=self._read_seconds())
        return answer if isinstance(answer, dict) and answer.get("id") == command_id else None

    def _not_confirmed(self, document: dict[str, Any], trouble: str) -> Told:
        if document.get("status") == "unknown":
            return Told(outcome=Outcome.UNKNOWN, words=str(document.get("error") or ""), document=document)
        words = [f"within {self._patience.timeout_seconds:g} s it was only {document.get('status')}"]
        if document.get("waiting_for"):
            words.append(f"still waiting for: {document['waiting_for']}")
        if trouble:
            words.append(trouble)
        return Told(outcome=Outcome.TIMEOUT, words="; ".join(words), document=document)


class _Ended(Exception):
    """Nothing is to be waited for."""

    def __init__(self, outcome: Outcome, words: str) -> None:
        super().__init__(words)
        self.told = Told(outcome=outcome, words=words)


def _news(document: dict[str, Any]) -> tuple[object, ...]:
    return tuple(document.get(name) for name in ("status", "reported", "waiting_for"))
