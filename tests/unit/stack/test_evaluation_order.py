"""promtool evaluates groups in an order that differs from run to run, unless the test's file names it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tests.rules import ROOT, Rule, rules

TESTS = sorted((ROOT / "prometheus" / "tests").glob("*.yml"))
RECORDED = re.compile(r"\b\w+:\w+:\w+")


def needs(evaluated: list[Rule]) -> set[tuple[str, str]]:
    """(group, a group that reads what the first records), among these rules."""
    made = {rule.name: rule.group for rule in evaluated if "record" in rule.json}
    read = {(made[name], rule.group) for rule in evaluated for name in RECORDED.findall(rule.expr) if name in made}
    return {(first, then) for first, then in read if first != then}


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.name)
def test_a_group_that_reads_another_ones_records_comes_after_it(path: Path) -> None:
    test = yaml.safe_load(path.read_text())
    files = {Path(file).name for file in test["rule_files"]}
    order = test.get("group_eval_order", [])
    for first, then in needs([rule for rule in rules() if rule.file in files]):
        assert {first, then} <= set(order), f"group_eval_order: [{first}, {then}]"
        assert order.index(first) < order.index(then)
