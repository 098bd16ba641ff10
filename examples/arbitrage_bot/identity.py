"""Ids of orders, positions, decisions and traces: unique across restarts."""

from __future__ import annotations

import secrets


def new_id(kind: str) -> str:
    """An id such as `order-9f86d081884c`."""
    return f"{kind}-{secrets.token_hex(6)}"


def new_trace() -> str:
    """A W3C trace id: 32 hex digits."""
    return secrets.token_hex(16)
