"""The query side of the fake Loki: `query_range` over what was pushed, as Loki 3 answers it.

What it keeps to: a stream selector of equal labels, then filters on labels and metadata (`=`, `=~`, `or`);
`start` inclusive, `end` exclusive; `limit` over all streams together, refused above the configured most; direction;
structured metadata merged into the stream's labels, unless the request asks for them apart; a too long time refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

MAX_ENTRIES = 5000
MAX_LENGTH_NS = 721 * 3600 * 10**9
CONFIG = "ingester:\n  query_store_max_look_back_period: -1ns\n"
_MATCHER = re.compile(r'(\w+)\s*(=~|=)\s*"([^"]*)"')

Labels = tuple[tuple[str, str], ...]
Stored = Mapping[Labels, Any]  # Any: the entries, or what has them as `entries`


def answer(streams: Stored, target: str, headers: Mapping[str, str], max_entries: int = MAX_ENTRIES) -> tuple[int, str]:
    """Status and body of the answer to a GET."""
    url = urlsplit(target)
    if url.path == "/config":
        return 200, CONFIG
    if url.path != "/loki/api/v1/query_range":
        return 404, "404 page not found"
    fields = {name: values[0] for name, values in parse_qs(url.query).items()}
    start, end, limit = int(fields["start"]), int(fields["end"]), int(fields.get("limit", 100))
    if limit > max_entries:
        return 400, (
            f"max entries limit per query exceeded, limit > max_entries_limit_per_query ({limit} > {max_entries})"
        )
    if end - start > MAX_LENGTH_NS:
        length = (end - start) // 3600 // 10**9
        return 400, f"the query time range exceeds the limit (query length: {length}h0m0s, limit: 30d1h)"
    if end < start:
        return 400, "end timestamp must not be before or equal to start time"
    apart = "categorize-labels" in headers.get("X-Loki-Response-Encoding-Flags", "")
    found = [
        (ts, line, stream, metadata)
        for stream, entries in streams.items()
        for ts, line, metadata in entries_of(entries)
        if start <= ts < end and _accepts(fields["query"], dict(stream), dict(metadata))
    ]
    found.sort(key=lambda one: one[0], reverse=fields.get("direction", "backward") == "backward")
    data = {"resultType": "streams", "result": _result(found[:limit], apart=apart)}
    if apart:
        data["encodingFlags"] = ["categorize-labels"]
    return 200, json.dumps({"status": "success", "data": data})


def entries_of(stream: Any) -> list[tuple[int, str, Any]]:  # Any: as above; metadata as pairs or as a dict
    """The entries of a stored stream."""
    found: list[tuple[int, str, Any]] = getattr(stream, "entries", stream)
    return found


def _result(found: list[tuple[int, str, Labels, Any]], *, apart: bool) -> list[dict[str, Any]]:
    streams: dict[Labels, list[list[Any]]] = {}
    for ts, line, stream, metadata in found:
        if apart:
            more = {"structuredMetadata": dict(metadata)} if metadata else {}
            streams.setdefault(stream, []).append([str(ts), line, more])
        else:
            streams.setdefault(tuple(sorted({**dict(stream), **dict(metadata)}.items())), []).append([str(ts), line])
    return [{"stream": dict(labels), "values": values} for labels, values in streams.items()]


def _accepts(query: str, stream: dict[str, str], metadata: dict[str, str]) -> bool:
    selector, *filters = query.split("|")
    every = {**stream, **metadata}
    return all(_holds(match, stream) for match in _MATCHER.findall(selector)) and all(
        any(_holds(match, every) for match in _MATCHER.findall(one)) for one in filters
    )


def _holds(match: tuple[str, str, str], labels: dict[str, str]) -> bool:
    name, how, wanted = match
    value = labels.get(name, "")
    if how == "=":
        return value == wanted
    # As Loki 3.7: a pattern that begins with `.*` and goes on with plain text means "has this text".
    if wanted.startswith(".*") and wanted[2:].isalnum():
        return wanted[2:] in value
    return re.fullmatch(wanted, value) is not None
