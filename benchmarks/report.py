"""One JSON line for a benchmark: our figure and the baseline's from the same run, and the budget."""

from __future__ import annotations

import json
import sys


def report(
    name: str,
    *,
    ours: float,
    baseline: float | None,
    budget: float,
    most: bool = True,
    more: dict[str, float] | None = None,
) -> None:
    """Print the line. `most`: the budget is the most that is allowed, else the least."""
    line = {
        "name": name,
        "ours": round(ours, 4),
        "baseline": None if baseline is None else round(baseline, 4),
        "ratio": None if not baseline else round(ours / baseline, 4),
        "budget": budget,
        "ok": ours <= budget if most else ours >= budget,
        **{key: round(value, 4) for key, value in (more or {}).items()},
    }
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def percentile(values: list[float], share: float) -> float:
    """The value below which this share of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
