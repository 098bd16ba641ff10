"""`python -m tests.reference` writes the pages."""

from __future__ import annotations

from tests.reference import page, sources

page.PATH.write_text(page.page())
sources.PATH.write_text(sources.page())
