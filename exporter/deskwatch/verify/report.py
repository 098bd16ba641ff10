"""Telling what a verification came to: a table and words for people, one JSON document for scripts."""

from __future__ import annotations

from typing import Any

import msgspec

from deskwatch import console
from deskwatch.harmless import as_json, harmless
from deskwatch.verify.audit import Result
from deskwatch.verify.findings import ALL, Row, lines_of

MAX_TOLD = 40
"""Differences told in words; the JSON document has all."""
_NONE = "-"
_FAULTS = ("quarantined", "missing", "duplicates", "gaps")


def print_json(result: Result) -> None:
    """Print the whole of it as one JSON document."""
    findings = result.findings
    document: dict[str, Any] = {  # Any: what JSON holds
        "ok": findings.ok,
        "home": str(result.question.home),
        "metrics": result.question.metrics_url,
        "loki": result.with_loki,
        "rows": msgspec.to_builtins(findings.rows),
        "differences": msgspec.to_builtins(findings.differences),
        "hints": findings.hints,
        "notes": findings.notes,
        "repaired": msgspec.to_builtins(result.repaired),
    }
    print(as_json(document))


def print_table(result: Result) -> None:
    """Print the table, each difference in words, and a line that sums it up."""
    findings = result.findings
    _print_rows([row for row in findings.rows if row.journal or not row.ok] or findings.rows)
    print()
    for note in findings.notes:
        print(f"note: {harmless(note)}")
    for one in findings.differences[:MAX_TOLD]:
        kind = "" if one.kind == ALL else f" {one.kind}"
        where = console.coloured(harmless(f"{one.bot}/{one.writer}{kind}"), "error")
        print(f"{where}: {harmless(one.words)}")
    more = len(findings.differences) - MAX_TOLD
    if more > 0:
        print(f"and {more:,} more; --json tells all")
    for hint in findings.hints:
        print(f"hint: {harmless(hint)}")
    _print_repair(result)
    sides = ["the journals"]
    sides += ["/metrics"] if result.question.metrics_url is not None else []
    sides += ["Loki"] if result.with_loki else []
    together = " and ".join([", ".join(sides[:-1]), sides[-1]])
    if findings.ok:
        print(console.coloured(f"{together} agree on {lines_of(result.lines)}", "info"))
    else:
        count = len(findings.differences)
        words = f"{together} differ: {count:,} difference{'' if count == 1 else 's'} over {lines_of(result.lines)}"
        print(console.coloured(words, "error"))


def _print_repair(result: Result) -> None:
    done = result.repaired
    if done is None:
        return
    words = f"repair: {lines_of(done.shipped)} shipped again into the late lane"
    if done.refused:
        words += f", {lines_of(done.refused)} refused by Loki ({done.reason})"
    if not done.complete:
        words += f"; not all, as the time was over ({done.reason}); give more with --repair-seconds, or run it again"
    print(words + "; the table is of afterwards")


def _print_rows(rows: list[Row]) -> None:
    counts = [name for name in ("metrics", "loki") if any(getattr(row, name) is not None for row in rows)]
    faults = [name for name in _FAULTS if any(getattr(row, name) is not None for row in rows)]
    numbers = ["journal", *counts, *faults]
    columns = [("bot", False), ("writer", False), ("kind", False), ("seq", False)]
    columns += [(name, True) for name in numbers]
    columns.append(("ok", False))
    table = []
    for row in rows:
        style = "strong" if row.kind == ALL else ""
        cells = [(row.bot, style), (row.writer, style), (row.kind, style), (_seq(row), style)]
        for name in numbers:
            is_fault = name in _FAULTS[1:] and getattr(row, name)
            cells.append((_number(row, name), "error" if is_fault else style))
        cells.append(("yes", "info") if row.ok else ("NO", "error"))
        table.append(cells)
    nothing = [name for name in faults if not any(getattr(row, name) for row in rows)]
    left_out = console.print_table(columns, table, nothing)
    if left_out:
        print(f"all 0: {', '.join(left_out)}")


def _seq(row: Row) -> str:
    return _NONE if row.first_seq is None else f"{row.first_seq}..{row.last_seq}"


def _number(row: Row, name: str) -> str:
    number = getattr(row, name)
    return _NONE if number is None else f"{number:,}"
