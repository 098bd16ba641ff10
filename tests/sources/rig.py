"""A peer that stands in for a real one, as the contract test needs it. Each kind of source brings one.

How to write one, in `tests/unit/sources/<kind>/rig.py`, and the test that uses it, `test_contract.py` beside it:

    class TestFreqtrade(SourceContract):
        @pytest.fixture
        async def rig(self) -> AsyncIterator[Rig]:
            async with FreqtradeRig() as rig:
                yield rig

A *fact* is something that the peer does once and the source has to tell once: a trade that opened, a transaction that
was mined, an order that was filled. `happen` makes one, and gives its key; `fact_of` finds the key in the event that
tells it. One event for each fact: where a fact makes several, choose one of them (a position's `PositionOpened`).

All of it runs on the test's own loop, as the source has a thread of its own. Let the peer listen on a free port of
127.0.0.1, and keep it between `go_away` and `come_back`. Choose settings that make the source quick: polls of 50 ms,
and no more than 1 s for an answer (`slow` is above that).
"""

from __future__ import annotations

from typing import Any, Protocol

from deskwatch.events import Event


class Rig(Protocol):
    """One peer, running from `__aenter__` to `__aexit__`.

    Attributes:
        kind: The kind of source.
        module: Where that kind is, for one that is not in `deskwatch.sources.KINDS`; else None.
        keeps_history: Whether what happened while nobody listened can be read back. (Where not, the contract asks for
            facts that happen while the peer is reachable, and for no others.)
        has_commands: Whether the source carries out commands (all do `ping`), or fails them with words.
    """

    kind: str
    module: str | None
    keeps_history: bool
    has_commands: bool

    @property
    def changes(self) -> int:
        """How often the peer was asked for something that changes it. `doctor` must leave it as it is."""

    def block(self) -> dict[str, Any]:
        """What a `[[source]]` block says beside `kind`, `bot` and `writer`."""

    async def happen(self) -> str:
        """Let a new fact happen, also while nobody can reach the peer; its key, which no other has."""

    def fact_of(self, event: Event) -> str | None:
        """The key of the fact that an event tells; None where it tells none."""

    async def go_away(self) -> None:
        """From now on the peer can't be reached: connections are cut, and new ones refused. It lives on behind that."""

    async def come_back(self) -> None:
        """The peer can be reached again, at the same address, and is neither slow nor wrong."""

    async def slow(self, seconds: float) -> None:
        """Each answer takes this much longer."""

    async def garble(self) -> None:
        """Answers are wrong from now on: no JSON, wrong types, missing keys, nulls, huge texts, control characters."""

    async def restart(self) -> None:
        """The peer ends and starts anew, with what it keeps on disk; connections are cut."""
