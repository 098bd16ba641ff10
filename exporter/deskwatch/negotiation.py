"""What a scraper asks for by `Accept` and `Accept-Encoding` (RFC 9110, 12.5)."""

from __future__ import annotations

from collections.abc import Iterator

from deskwatch.exposition import OPENMETRICS, TEXT

_FORMS = {"application/openmetrics-text": OPENMETRICS, "text/plain": TEXT}


def content_type(accept: str) -> str:
    """The form that is asked for most; text where neither is, or both are alike."""
    wishes: dict[str, float] = {}
    for name, weight in _weighted(accept):
        if name in _FORMS:
            wishes[name] = max(weight, wishes.get(name, 0.0))
    text = wishes.get("text/plain", 0.0)
    return OPENMETRICS if wishes.get("application/openmetrics-text", 0.0) > text else TEXT


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether the answer may be compressed."""
    weights = dict(_weighted(accept_encoding))
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def _weighted(header: str) -> Iterator[tuple[str, float]]:
    """Each item's name and its `q`, which is 1 where there is none, and 0 where it can't be read."""
    for item in header.split(","):
        name, *parameters = (part.strip().lower() for part in item.split(";"))
        weight = "1"
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key.strip() == "q":
                weight = value.strip()
        try:
            yield name, float(weight)
        except ValueError:
            yield name, 0.0
