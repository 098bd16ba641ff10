"""Panels that don't apply to a freqtrade, and why: each shows nothing on the journal of one that was watched."""

from __future__ import annotations

from tests.dashboards.committed import Target

NOT_FOR_FREQTRADE: dict[str, str] = {}
"""A panel's id (`dashboard-number-title`), or with `-A`, `-B` one of its queries → the reason."""


def reason_for(target: Target) -> str | None:
    """Why a query shows nothing of a freqtrade; None where it has to show something."""
    return NOT_FOR_FREQTRADE.get(target.id) or NOT_FOR_FREQTRADE.get(target.panel.id)
