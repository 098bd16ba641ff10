"""What can be asked for: each as a request to the sidecar."""

from __future__ import annotations

from typing import Any

import msgspec

from deskwatch.live.paths import path_of


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """A request that changes something.

    Attributes:
        words: What is asked, in short: `standby`, `close ETH/USDC`.
        is_command: Whether the bot carries it out and a resource tells of it; else it is about the bot's process, and
            the answer itself says that it is done.
        runs: Whether the process runs once that is done; None where it is not about the process.
        question: What a person confirms before it is sent; None where nobody is asked.
        headers: What it stands on: an If-Match.
    """

    bot: str
    method: str
    path: str
    body: dict[str, Any]
    words: str
    is_command: bool = True
    runs: bool | None = None
    question: str | None = None
    headers: dict[str, str] = {}


MODES = {"standby": "standby", "active": "active", "close-only": "closing", "halt": "halted"}
"""Word on the command line → mode."""
MODE_WORDS = {
    "active": "it trades",
    "standby": "it watches and may close, opens nothing",
    "closing": "it reduces to flat, then stands by",
    "halted": "it sends nothing until a person sets another mode; positions stay open",
}
"""Mode → what the bot does in it."""
PROCESS_ACTIONS = ("start", "stop", "restart", "kill")


def mode(bot: str, name: str, reason: str | None, *, etag: str | None = None) -> Order:
    """To be in a mode. Only `active` raises the risk, so only that is asked about.

    Args:
        bot: The bot.
        name: The mode.
        reason: The operator's words.
        etag: Tag of the mode that the operator saw: `active` is refused where it is another by now.
    """
    return Order(
        bot=bot,
        method="PUT",
        path=path_of("bots", bot, "mode"),
        body=_with_reason({"mode": name}, reason),
        words=f"mode {name}",
        question=f"Let {bot} trade (mode active)?" if name == "active" else None,
        headers={"If-Match": f'"{etag}"'} if name == "active" and etag else {},
    )


def command(bot: str, kind: str, params: dict[str, Any], reason: str | None, *, words: str | None = None) -> Order:
    """A command to the bot's own code."""
    raises = kind == "set_mode" and params.get("mode") == "active"
    return Order(
        bot=bot,
        method="POST",
        path=path_of("bots", bot, "commands"),
        body=_with_reason({"type": kind, "params": params}, reason),
        words=words or kind,
        question=f"Let {bot} trade (mode active)?" if raises else None,
    )


def process(bot: str, action: str, reason: str | None) -> Order:
    """To start, stop, restart or kill the bot's process."""
    return Order(
        bot=bot,
        method="POST",
        path=path_of("bots", bot, "process", action),
        body=_with_reason({}, reason),
        words=f"{action} the process",
        is_command=False,
        runs=action in ("start", "restart"),
        question=f"Kill the process of {bot} (its cancel hook first, then SIGKILL)?" if action == "kill" else None,
    )


def _with_reason(body: dict[str, Any], reason: str | None) -> dict[str, Any]:
    return body if reason is None else {**body, "reason": reason}
