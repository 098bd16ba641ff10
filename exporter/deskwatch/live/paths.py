"""Paths of a sidecar's API."""

from __future__ import annotations

from urllib.parse import quote


def path_of(*parts: str) -> str:
    """A path of these parts, whatever characters are in them."""
    return "".join("/" + (quote(part, safe="") if part.strip(".") else part.replace(".", "%2E")) for part in parts)
