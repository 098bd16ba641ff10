"""What a sidecar shows of its sources."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from deskwatch.sidecar.own_metrics.sources import families
from deskwatch.sources.health import Health


def test_of_several_sources_of_a_kind_the_worst_is_shown() -> None:
    """In any order: one that is down must not hide behind another that answers."""
    down, up, other = Health("a", "evm"), Health("a", "evm"), Health("b", "evm")
    for one in (up, other):
        one.heard(0.5)
    down.heard(2.0)
    down.answered = 1.0
    down.lost()
    for healths in ([down, up, other], [up, other, down]):
        found: dict[str, Any] = {
            family.name: family for family in families(cast("Any", SimpleNamespace(sources=healths)))
        }
        figures = [
            found[f"deskwatch_source_{name}"] for name in ("up", "last_answer_timestamp_seconds", "latency_seconds")
        ]
        assert [one.get(("a", "evm")) for one in figures] == [0.0, 1.0, 2.0]
        assert found["deskwatch_source_up"].get(("b", "evm")) == 1
