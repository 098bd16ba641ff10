"""Objectives of each bot: `objectives.yml`, read strictly.

objectives:
  execution_latency: {objective: 0.99, within_seconds: 5, least_requests: 20, least_failures: 3}
bots:
  arb-1:
    execution_latency: {within_seconds: 30}
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deskwatch.errors import ConfigError
from deskwatch.journal.names import check_name
from deskwatch.projections.metrics.buckets import SECONDS
from deskwatch.rules import origin

SOURCE = "objectives.yml"
FASTEST_BURN = 14.4
"""Times that a budget may be used up too fast before somebody is woken; see `deskwatch.rules.burn`."""
LEAST = 1 - 1 / FASTEST_BURN
"""An objective below could not burn so fast even if everything failed."""
SIDECAR = "sidecar_availability"
_GUARDS = ("least_requests", "least_failures")
_KEYS: dict[str, tuple[str, ...]] = {
    "order_success": ("objective", *_GUARDS),
    "execution_latency": ("objective", "within_seconds", *_GUARDS),
    "command_confirmation": ("objective", *_GUARDS),
    "data_freshness": ("objective", "within_seconds", *_GUARDS),
    SIDECAR: ("objective", *_GUARDS),
}
_Numbers = dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Objective:
    """One promise, for all bots and for single ones."""

    slo: str
    numbers: _Numbers
    """`objective`, `within_seconds` (where there is one), `least_requests`, `least_failures`, for most bots."""
    of_bots: dict[str, _Numbers]
    """Bot → the numbers of these that are its own."""

    def of(self, name: str) -> dict[float, list[str]]:
        """A number's values other than the default → the bots that have it."""
        found: dict[float, list[str]] = {}
        for bot, numbers in sorted(self.of_bots.items()):
            if name in numbers and numbers[name] != self.numbers[name]:
                found.setdefault(numbers[name], []).append(bot)
        return found


def read(folder: Path) -> list[Objective]:
    """The objectives in a folder's `objectives.yml`, in the order of `_KEYS`.

    Raises:
        ConfigError: The file is wrong; all that is wrong is told, a line each.
    """
    path = folder / SOURCE
    content = origin.read(path)
    faults = list(_faults(content))
    if faults:
        raise ConfigError("\n".join(f"{path}: {fault}" for fault in faults))
    bots = content.get("bots") or {}
    return [
        Objective(
            slo=slo,
            numbers=content["objectives"][slo],
            of_bots={bot: own[slo] for bot, own in bots.items() if own and own.get(slo)},
        )
        for slo in _KEYS
    ]


def _faults(content: dict[str, Any]) -> Iterator[str]:
    for key in content:
        if key not in {"objectives", "bots"}:
            yield f"{key}: expected 'objectives' or 'bots'"
    objectives = content.get("objectives")
    if not isinstance(objectives, dict):
        yield f"objectives: expected {', '.join(_KEYS)}, was {objectives!r}"
        objectives = {}
    for slo in _KEYS:
        if slo not in objectives:
            yield f"objectives.{slo}: expected its numbers, was missing"
    yield from _wrong_numbers("objectives", objectives, _KEYS, whole=True)
    bots = content.get("bots") or {}  # an empty mapping is written as nothing
    if not isinstance(bots, dict):
        yield f"bots: expected objectives of bots, by their names, was {bots!r}"
        return
    own = {slo: _own(keys) for slo, keys in _KEYS.items() if slo != SIDECAR}
    for bot, given in bots.items():
        yield from _wrong_name(bot)
        yield from _wrong_numbers(f"bots.{bot}", {} if given is None else given, own, whole=False)


def _own(keys: tuple[str, ...]) -> tuple[str, ...]:
    """What a bot may have of its own: how few are too few to judge is the same for all."""
    return tuple(key for key in keys if key not in _GUARDS)


def _wrong_name(bot: Any) -> Iterator[str]:
    if not isinstance(bot, str):
        yield f"bots.{bot}: expected the name of a bot, was {bot!r}; put it in quotes"
        return
    try:
        check_name("name of a bot", bot)
    except ConfigError as error:
        yield f"bots.{bot}: {error}"


def _wrong_numbers(where: str, given: Any, known: dict[str, tuple[str, ...]], *, whole: bool) -> Iterator[str]:
    """What is wrong with the numbers of some objectives; `whole`: none may be missing."""
    if not isinstance(given, dict):
        yield f"{where}: expected objectives and their numbers, was {given!r}"
        return
    for slo, numbers in given.items():
        if slo not in known:
            yield f"{where}.{slo}: expected an objective{_hint(slo, known)}"
        elif numbers is None and not whole:
            continue  # an empty mapping is written as nothing
        elif not isinstance(numbers, dict):
            yield f"{where}.{slo}: expected {', '.join(known[slo])}, was {numbers!r}"
        else:
            for key in numbers:
                if key not in known[slo]:
                    yield f"{where}.{slo}.{key}: expected a number's name{_hint(key, known[slo])}"
            for key in known[slo]:
                if key in numbers:
                    yield from (f"{where}.{slo}.{key}: {fault}" for fault in _wrong(slo, key, numbers[key]))
                elif whole:
                    yield f"{where}.{slo}.{key}: expected a number, was missing"


def _wrong(slo: str, key: str, value: Any) -> Iterator[str]:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value) or value < 0:
        yield f"expected a number, 0 or more, was {value!r}"
    elif key == "objective" and not LEAST < value < 1:
        yield f"expected a part of 1, above {LEAST:.3f} and below 1, was {value!r}"
    elif key == "within_seconds" and slo == "execution_latency" and value not in SECONDS:
        yield f"expected one of {', '.join(f'{bound:g}' for bound in SECONDS)}, was {value!r}"


def _hint(name: Any, known: Any) -> str:
    near = difflib.get_close_matches(str(name), known, n=1)
    return f"; is {near[0]} meant?" if near else "; known are: " + ", ".join(known)
