"""Where the numbers of alerts about trading come from: a threshold, or the rule itself, which then says why."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from deskwatch.rules import thresholds

PROMETHEUS = Path(__file__).parents[3] / "prometheus"
FILES = ["funding", "lifecycle", "losses", "market", "modes", "orders", "positions", "risk"]
_BEGIN = re.compile(r"((?:^ *#.*\n)*)^ +- (?:alert|record): ", re.MULTILINE)
_NO_NUMBERS = re.compile(r'"[^"]*"|\[[^\]]*\]|\boffset \w+|[a-zA-Z_:][\w:]*')
"""Strings, ranges, offsets and names: what is left of an expression has its numbers."""


def rules() -> Iterator[Any]:
    """Each rule's comment and expression."""
    for name in FILES:
        text = (PROMETHEUS / "rules" / f"{name}.yml").read_text()
        found = [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]
        for rule, comment in zip(found, _BEGIN.findall(text), strict=True):
            yield pytest.param(comment, rule["expr"], id=f"{name}-{rule.get('alert') or rule['record']}")


def numbers(expression: str) -> set[str]:
    """Numbers that an expression holds; 0 and 1 are yes and no, and need no reason."""
    return set(re.findall(r"\d+(?:\.\d+)?", _NO_NUMBERS.sub(" ", expression))) - {"0", "1"}


def test_numbers_are_told_from_names_ranges_and_strings() -> None:
    """So that the test below can fail."""
    assert numbers('x:p95_15m{le="0.5"}[5m] * 60 > 0.25 and y offset 10m == 1') == {"60", "0.25"}


@pytest.mark.parametrize(("comment", "expression"), list(rules()))
def test_a_number_in_a_rule_is_explained_above_it(comment: str, expression: str) -> None:
    """All others are thresholds, which each bot may have of its own."""
    assert numbers(expression) <= set(re.findall(r"\d+(?:\.\d+)?", comment))


def test_every_threshold_is_used_and_every_used_one_has_a_default() -> None:
    """`rules build` refuses anything else; this holds the committed files."""
    defaults = yaml.safe_load((PROMETHEUS / "thresholds.yml").read_text())["defaults"]
    assert defaults.keys() == thresholds.used(PROMETHEUS / "rules").keys()


def test_every_default_says_what_it_is_for() -> None:
    """Beside it, in the file that people edit."""
    text = (PROMETHEUS / "thresholds.yml").read_text()
    for name in yaml.safe_load(text)["defaults"]:
        (line,) = re.findall(rf"^  {name}: .*$", text, re.MULTILINE)
        assert "#" in line or name.replace("_critical_", "_warning_") != name, line
