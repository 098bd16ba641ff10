"""`python -m tests.reference` writes the page."""

from __future__ import annotations

from tests.reference.page import PATH, page

PATH.write_text(page())
