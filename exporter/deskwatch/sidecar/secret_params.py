"""Secrets in a command's parameters: refused. A bot must not act on `[redacted]`, nor the journal hold the secret.

What is named as one is one, whatever it looks like; but for a `token`, which may well be one that is traded.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from deskwatch.scrub import names_secret, scrub_value
from deskwatch.sidecar.problems import Problem


def refuse_secrets(params: dict[str, Any], is_secret: Callable[[str], bool]) -> None:
    """Look through a command's parameters.

    Raises:
        Problem: 422, one holds what looks like a secret.
    """
    names = sorted(
        name for name, value in params.items() if scrub_value(value, is_secret) != value or _names_one({name: value})
    )
    if names:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"expected params without secrets, as they are journaled; {', '.join(names)[:200]} looks like one: let the "
            "bot read it from where it keeps its secrets",
        )


def _names_one(value: Any) -> bool:  # Any: whatever JSON holds
    if isinstance(value, dict):
        return any(
            (isinstance(each, str) and each and _is_named(name)) or _names_one(each) for name, each in value.items()
        )
    return isinstance(value, list) and any(map(_names_one, value))


def _is_named(name: str) -> bool:
    words = name.lower()
    is_traded = words.endswith("token") and not words.endswith(("auth_token", "access_token", "api_token", "authtoken"))
    return (names_secret(name) and not is_traded) or words in ("mnemonic", "seed_phrase", "seedphrase")
