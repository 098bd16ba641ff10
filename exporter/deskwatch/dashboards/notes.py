"""Words on a dashboard: what a reader must know before the figures say anything."""

from __future__ import annotations

from grafana_foundation_sdk.builders import text
from grafana_foundation_sdk.models.text import TextMode

from deskwatch.dashboards.drawing import WIDTH


def note(panel_id: int, title: str, words: str, *, span: int = WIDTH, height: int = 3) -> text.Panel:
    """Markdown. Right for how to read what follows; seldom needed, as each panel has its description."""
    return text.Panel().id(panel_id).title(title).span(span).height(height).mode(TextMode.MARKDOWN).content(words)
