"""Secrets in a command's parameters: refused. A bot must not act on `[redacted]`, nor the journal hold the secret."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from deskwatch.scrub import scrub_value
from deskwatch.sidecar.problems import Problem


def refuse_secrets(params: dict[str, Any], is_secret: Callable[[str], bool]) -> None:
    """Look through a command's parameters.

    Raises:
        Problem: 422, one holds what looks like a secret.
    """
    names = sorted(name for name, value in params.items() if scrub_value(value, is_secret) != value)
    if names:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"expected params without secrets, as they are journaled; {', '.join(names)[:200]} looks like one: let the "
            "bot read it from where it keeps its secrets",
        )
