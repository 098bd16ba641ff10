"""Thresholds of alerts, for each bot: `thresholds.yml` becomes recording rules that alerts compare with.

    defaults:
      drawdown_warning_ratio: 0.10
    bots:
      arb-1:
        drawdown_warning_ratio: 0.05

makes the series `bot:drawdown_warning_ratio:threshold{bot="arb-1"}` 0.05, and 0.10 for every other bot that Prometheus
knows. An alert compares `X > on (bot) group_left () bot:drawdown_warning_ratio:threshold`.

A missing or misspelt name would silence an alert for ever, so that the names must be those that the rules use.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deskwatch.errors import ConfigError
from deskwatch.journal.names import check_name
from deskwatch.rules import origin

SOURCE = "thresholds.yml"
KNOWN = "bot:tradebot_known:group"
"""1 for each bot of the last ten minutes, so that a failed scrape leaves no alert without its number."""
_USE = re.compile(r"\bbot:([a-z][a-z0-9_]*):threshold\b")
_Numbers = dict[str, float]


def text(folder: Path) -> str:
    """The rules that `thresholds.yml` in a folder makes.

    Raises:
        ConfigError: The file is wrong; all that is wrong is told, a line each.
    """
    path = folder / SOURCE
    content = origin.read(path)
    faults = list(_faults(content, used(folder / "rules")))
    if faults:
        raise ConfigError("\n".join(f"{path}: {fault}" for fault in faults))
    return origin.heading(SOURCE) + _rules(content["defaults"], content.get("bots") or {})


def used(rules: Path) -> dict[str, str]:
    """Names of thresholds that hand-written rules use → a file that does."""
    return {
        name: path.name
        for path in sorted(rules.glob("*.yml"), reverse=True)
        if not (content := path.read_text()).startswith(origin.MADE_BY)
        for name in _USE.findall(content)
    }


def _faults(content: dict[str, Any], names: dict[str, str]) -> Iterator[str]:
    """What is wrong with a file's content, given the names that rules use."""
    for key in content:
        if key not in {"defaults", "bots"}:
            yield f"{key}: expected 'defaults' or 'bots'"
    defaults = content.get("defaults")
    if not isinstance(defaults, dict):
        yield "defaults: expected a number for each threshold"
        defaults = {}
    yield from _wrong_numbers("defaults", defaults, names)
    for name in names.keys() - defaults.keys():
        yield f"defaults.{name}: expected a number, since rules/{names[name]} uses it; was missing"
    bots = content.get("bots") or {}  # an empty mapping is written as nothing
    if not isinstance(bots, dict):
        yield f"bots: expected thresholds of bots, by their names, was {bots!r}"
        return
    yield from _out_of_order("defaults", defaults, defaults)
    for bot, numbers in bots.items():
        where = f"bots.{bot}"
        yield from _wrong_name(where, bot)
        if numbers is not None and not isinstance(numbers, dict):
            yield f"{where}: expected a number for some thresholds, was {numbers!r}"
            continue
        yield from _wrong_numbers(where, numbers or {}, names)
        if numbers:
            yield from _out_of_order(where, defaults, defaults | numbers)


def _wrong_name(where: str, bot: Any) -> Iterator[str]:
    if not isinstance(bot, str):
        yield f"{where}: expected the name of a bot, was {bot!r}; put it in quotes"
        return
    try:
        check_name("name of a bot", bot)
    except ConfigError as error:
        yield f"{where}: {error}"


def _wrong_numbers(where: str, numbers: dict[Any, Any], names: dict[str, str]) -> Iterator[str]:
    for name, number in numbers.items():
        if name not in names:
            near = difflib.get_close_matches(str(name), names, n=1)
            hint = f"; is {near[0]} meant?" if near else "; known are: " + ", ".join(sorted(names))
            yield f"{where}.{name}: expected a threshold that a rule uses{hint}"
        elif not _is_number(number):
            yield f"{where}.{name}: expected a number, 0 or more, was {number!r}"
        elif name.endswith("_ratio") and number > 1:
            yield f"{where}.{name}: expected a ratio from 0 to 1 (0.1 is 10 %), was {number!r}"


def _out_of_order(where: str, defaults: dict[str, Any], numbers: dict[str, Any]) -> Iterator[str]:
    """Warnings that would come after their critical step: by the defaults it is clear which of both is the worse."""
    for name in sorted(numbers, key=str):
        worse = str(name).replace("_warning_", "_critical_")
        if worse == name or not all(_is_number(some.get(one)) for some in (defaults, numbers) for one in (name, worse)):
            continue
        sign = 1 if defaults[name] <= defaults[worse] else -1
        if sign * numbers[name] > sign * numbers[worse]:
            side = "at most" if sign == 1 else "at least"
            yield f"{where}.{name}: expected {side} {worse} ({numbers[worse]!r}), was {numbers[name]!r}; set both"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0


def _rules(defaults: _Numbers, bots: dict[str, _Numbers | None]) -> str:
    """Rules as YAML. A bot's own number stands before the default: of series with the same labels the first wins."""
    lines = [
        "groups:",
        "  - name: thresholds",
        "    rules:",
        f"      - record: {KNOWN}",
        "        expr: group by (bot) (last_over_time(tradebot_last_event_timestamp_seconds[10m]))",
    ]
    for name in sorted(defaults):
        own = [
            f'{KNOWN}{{bot="{bot}"}} * {_shown(numbers[name])}'
            for bot, numbers in sorted(bots.items())
            if numbers and name in numbers
        ]
        terms = [*own, f"{KNOWN} * {_shown(defaults[name])}"]
        lines += ["", f"      - record: bot:{name}:threshold"]
        if len(terms) == 1:
            lines.append(f"        expr: {terms[0]}")
        else:
            lines += ["        expr: >-", f"          {terms[0]}", *(f"          or {term}" for term in terms[1:])]
    return "\n".join(lines) + "\n"


def _shown(number: float) -> str:
    """A number as PromQL reads it."""
    return repr(number)
