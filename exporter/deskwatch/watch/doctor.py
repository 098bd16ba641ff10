"""`deskwatch doctor`: tries sources against their real peers, changes nothing there, and says what it finds."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from deskwatch.console import coloured, quiet_end
from deskwatch.harmless import harmless
from deskwatch.scrub import scrub
from deskwatch.sources.kinds import Configured, assign
from deskwatch.sources.source import Finding, Source

EXAMINE_SECONDS = 60.0
"""How long one finding may take after the one before."""
_MARKS = {True: ("✓", "info"), None: ("!", "warning"), False: ("✗", "error")}


def run(configured: Sequence[Configured]) -> int:
    """Examine each, print what is found; 1 where something can't work so, else 0.

    Raises:
        ConfigError: A source can't be opened.
    """
    sources = assign(configured)
    with quiet_end():
        return int(asyncio.run(_examine_all([one.source for one in sources], [one.bot for one in sources])))


async def _examine_all(sources: Sequence[Source], bots: Sequence[str]) -> bool:
    """Whether something is wrong."""
    is_wrong = False
    for source, bot in zip(sources, bots, strict=True):
        print(coloured(harmless(f"{bot}: {source.kind} at {source.peer}"), "strong"), flush=True)
        is_wrong |= await _examine(source)
    return is_wrong


async def _examine(source: Source) -> bool:
    findings = source.examine()
    is_wrong = False
    seen = 0
    try:
        async with asyncio.timeout(EXAMINE_SECONDS) as patience:
            async for finding in findings:
                patience.reschedule(asyncio.get_running_loop().time() + EXAMINE_SECONDS)
                seen += 1
                is_wrong |= finding.ok is False
                _show(finding)
    except TimeoutError:
        is_wrong = True
        _show(
            Finding(
                ok=False,
                what=f"Nothing more was found out for {EXAMINE_SECONDS:g} s.",
                cure="See whether the peer is reachable from here, and how fast it answers.",
            )
        )
    except Exception as error:  # a fault of the source's is a finding too: the others are still looked at
        is_wrong = True
        _show(Finding(ok=False, what=scrub(f"The look failed: {type(error).__name__}: {error}")))
    finally:
        with contextlib.suppress(Exception):  # what it leaves behind is no finding
            await getattr(findings, "aclose", _nothing)()
    if not seen and not is_wrong:
        _show(Finding(ok=None, what="Nothing was looked at."))
    return is_wrong


async def _nothing() -> None:
    pass


def _show(finding: Finding) -> None:
    mark, style = _MARKS[finding.ok]
    print(f"  {coloured(mark, style)} {harmless(finding.what)}")
    if finding.cure:
        print(f"    {coloured('→ ' + harmless(finding.cure), 'faint')}", flush=True)
