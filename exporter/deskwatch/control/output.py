"""`ctl logs`: the last lines that a supervised bot printed."""

from __future__ import annotations

from deskwatch.harmless import as_json, harmless
from deskwatch.live.asking import Sidecar
from deskwatch.live.paths import path_of


def show(sidecar: Sidecar, bot: str, lines: int, file: str | None, *, as_document: bool) -> int:
    """Print them, made harmless for a terminal. Raises as `Sidecar.ask`."""
    query: dict[str, object] = {"lines": lines}
    if file is not None:
        query["file"] = file
    answer = sidecar.ask("GET", path_of("bots", bot, "logs"), query=query)
    if as_document:
        print(as_json(answer))
        return 0
    found = answer.get("lines") if isinstance(answer, dict) else None
    for line in found if isinstance(found, list) else []:
        print(harmless(str(line)).replace("\\t", "\t"))
    return 0
