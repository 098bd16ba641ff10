"""The way from another freqtrade exporter: every query of the table is PromQL over series that exist."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import yaml

from tests.reference import served
from tests.reference.catalogue import entries
from tests.servers import require

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "how-to" / "migrate-from-freqtrade-exporters.md"
NAME = re.compile(r"\b(?:tradebot|deskwatch)_\w+")
SUFFIX = re.compile(r"_(?:sum|count|bucket)$")


def _rows() -> list[tuple[str, str]]:
    """What they call it, and what is said of it here."""
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("| `freqtrade_")]
    cells = [re.split(r"(?<!\\)\|", line.strip("| ")) for line in lines]
    return [(theirs.strip(), ours.strip().replace("\\|", "|")) for theirs, ours in cells]


def _queries() -> list[str]:
    """What is asked here: all code in the right column but the names of modes, reasons and commands."""
    found = [code for _, ours in _rows() for code in re.findall(r"`([^`]+)`", ours)]
    return [code for code in found if re.search(r"\b(?:tradebot|deskwatch|bot:)", code) and "doctor" not in code]


def test_the_table_has_all_that_the_exporters_are_known_by() -> None:
    theirs = " ".join(left for left, _ in _rows())
    for name in ("trade_total", "trade_winning", "trade_losing", "trade_open_current", "trade_open_max", "up"):
        assert f"freqtrade_{name}" in theirs
    assert len(_rows()) > 40
    assert len(_queries()) > 40


def test_every_series_that_is_named_exists() -> None:
    known = served.names([entry.family for entry in entries()])
    recorded = {
        rule["record"]
        for path in (ROOT / "prometheus" / "rules").glob("*.yml")
        for group in yaml.safe_load(path.read_text())["groups"]
        for rule in group["rules"]
        if "record" in rule
    }
    for query in _queries():
        for name in re.findall(r"\bbot:\w+:\w+", query):
            assert name in recorded, query
        for name in NAME.findall(re.sub(r"\bbot:\w+:\w+", "", query)):
            assert name in known or SUFFIX.sub("", name) in known, query


def test_every_query_is_promql(tmp_path: Path) -> None:
    rules = [{"record": f"migration:query{at}:value", "expr": query} for at, query in enumerate(_queries())]
    path = tmp_path / "queries.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "migration", "rules": rules}]}))
    command = [require("promtool"), "check", "rules", str(path)]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr
