"""Renews the golden exposition."""

from __future__ import annotations

from tests.unit.projections.metrics import golden

if __name__ == "__main__":
    golden.METRICS.write_text(golden.exposition())
