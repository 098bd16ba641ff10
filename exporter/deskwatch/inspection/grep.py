"""`deskwatch journal grep`: events whose line matches a pattern."""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterator
from pathlib import Path

from deskwatch.errors import ConfigError
from deskwatch.inspection.shown import Shown, Wanted, for_people, for_scripts, look
from deskwatch.journal.walk import Walk, select


def run(
    home: Path,
    bot: str | None,
    writer: str | None,
    wanted: Wanted,
    *,
    pattern: str,
    ignore_case: bool = False,
    only_count: bool = False,
    as_json: bool = False,
) -> int:
    """Print what matches, the writers merged by time; 0 where anything does, else 1.

    Raises:
        ConfigError: The pattern is no regular expression, or there is no such journal.
    """
    try:
        matcher = re.compile(pattern, re.IGNORECASE if ignore_case else 0)
    except re.error as error:
        raise ConfigError(f"expected a regular expression, was {pattern!r}: {error}") from None
    walks = [Walk(home, *each) for each in select(home, bot, writer)]
    found = heapq.merge(*(_matches(walk, matcher, wanted) for walk in walks), key=lambda shown: shown.ts or 0)
    count = 0
    for shown in found:
        count += 1
        if not only_count:
            print(for_scripts(shown) if as_json else for_people(shown))
    if only_count:
        print(f'{{"count":{count}}}' if as_json else count)
    return 0 if count else 1


def _matches(walk: Walk, matcher: re.Pattern[str], wanted: Wanted) -> Iterator[Shown]:
    for line in walk:
        if matcher.search(line.text.decode(errors="backslashreplace")):
            shown = look(line, walk.bot, walk.writer)
            if wanted.accepts(shown):
                yield shown
