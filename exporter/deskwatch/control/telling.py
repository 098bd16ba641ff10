"""How an outcome is told: one line for people, one JSON object for machines."""

from __future__ import annotations

import sys
from typing import Any

from deskwatch.console import coloured, quiet_end
from deskwatch.control.orders import Order
from deskwatch.control.outcome import EXIT_STATUS, Outcome, Told
from deskwatch.harmless import as_json, harmless

_LEVELS = {
    Outcome.SUCCEEDED: "info",
    Outcome.ACCEPTED: "strong",
    Outcome.FAILED: "error",
    Outcome.NOT_ASKED: "faint",
}
MAX_RESULT = 200


def tell(order: Order, told: Told, *, as_document: bool) -> int:
    """Print what came of an order; the exit status."""
    status = EXIT_STATUS[told.outcome]
    with quiet_end():  # whoever reads may be gone: the status is what it is all the same
        _print(order, told, status, as_document=as_document)
    return status


def _print(order: Order, told: Told, status: int, *, as_document: bool) -> None:
    if as_document:
        words = {"bot": order.bot, "asked": order.words, "outcome": told.outcome.value, "exit_status": status}
        more = {"seconds": round(told.seconds, 3), "words": told.words or None, "answer": told.document or None}
        print(as_json({**words, **more}))
    else:
        outcome = coloured(told.outcome.value, _LEVELS.get(told.outcome, "warning"))
        print(f"{harmless(order.bot)}: {harmless(order.words)}: {outcome}{_details(told)}")


def tell_progress(document: dict[str, Any]) -> None:
    """Print what a command is waiting for, to a person who watches."""
    waiting = document.get("waiting_for")
    if waiting and sys.stderr is not None and sys.stderr.isatty():
        print(f"  {harmless(str(document.get('status')))}, waiting for: {harmless(str(waiting))}", file=sys.stderr)


def _details(told: Told) -> str:
    details = [f" in {told.seconds:.2f} s"] if told.outcome is Outcome.SUCCEEDED else []
    if told.words:
        details.append(f": {harmless(told.words)}")
    result = told.document.get("result")
    if told.outcome is Outcome.SUCCEEDED and result is not None:
        text = as_json(result)
        details.append(f", result {text if len(text) <= MAX_RESULT else text[:MAX_RESULT] + '…'}")
    if isinstance(told.document.get("id"), str):
        details.append(f" (command {harmless(told.document['id'])})")
    elif "pid" in told.document:
        pid = told.document["pid"]
        details.append(f" (pid {pid})" if pid is not None else f" (ended, exit code {told.document.get('exit_code')})")
    return "".join(details)
