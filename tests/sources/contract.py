"""The contract of sources: what each kind has to pass, with its rig (`tests.sources.rig` says how to write one).

`tests/unit/sources/test_contract.py` has an example, and proves that each check can fail.
"""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from deskwatch.backoff import Backoff
from deskwatch.events import (
    CommandFailed,
    CommandStarted,
    CommandSucceeded,
    ConnectionChanged,
    HeartbeatSent,
    WatchStarted,
    WatchStopped,
)
from deskwatch.sources.health import Health
from deskwatch.sources.host import TURN_SECONDS
from deskwatch.sources.kinds import settings_type
from deskwatch.sources.source import Finding
from tests.sources.rig import Rig
from tests.sources.watching import Watching
from tests.standstill import Standstill
from tests.waiting import eventually_async, patience

QUICK_SECONDS = 0.3
"""A while in which a source that does too much would have done it."""
SLOW_SECONDS = 2.5
"""What an answer takes of a peer that is slow: longer than the source of a rig waits."""
STOP_SECONDS = 3.0
"""How long a source may take to end, whatever it does just then."""
STUCK_SECONDS = 1.0
"""How long a source's own loop may stand still."""
MOST_TRIES = 15
"""Of a peer that is away, in the first three seconds or so."""
_SENTENCE = re.compile(r"\S+ .+[.!?]", re.DOTALL)


class SourceContract:
    """Inherit from it in a class that pytest collects, with a fixture `rig`.

    Attributes:
        seconds: How long to wait for what has to come, on an idle machine.
    """

    seconds = 10.0

    @pytest.fixture
    def watching(self, rig: Rig, tmp_path: Path) -> Watching:
        """A new home, and a source for it."""
        home = tmp_path / "home"
        home.mkdir(mode=0o700)
        return Watching(rig, home)

    @pytest.fixture
    def pauses(self, monkeypatch: pytest.MonkeyPatch) -> list[float]:
        """How long it was waited between tries, each with jitter."""
        return self.noted(monkeypatch)

    def noted(self, monkeypatch: pytest.MonkeyPatch) -> list[float]:
        """Each pause that a Backoff gives from now on."""
        found: list[float] = []
        next_seconds = Backoff.next_seconds

        def note(backoff: Backoff, at_least: float = 0.0) -> float:
            found.append(next_seconds(backoff, at_least))
            return found[-1]

        monkeypatch.setattr(Backoff, "next_seconds", note)
        return found

    async def test_tells_what_happens_once_and_what_happened_before(self, rig: Rig, watching: Watching) -> None:
        """And says when it began and that it ended; its thread is gone then."""
        facts = [await rig.happen() for _ in range(2)] if rig.keeps_history else []
        async with watching.running() as health:
            await self._wait(lambda: health.is_up)
            facts += [await rig.happen() for _ in range(2)]
            await self._tells(watching, facts)
            assert health.restarts == 0
            assert health.answered is not None
        kinds = [type(event).__name__ for event in watching.of(WatchStarted, WatchStopped)]
        assert kinds == ["WatchStarted", "WatchStopped"]
        assert watching.told() == Counter(facts)
        await self._wait(lambda: not [one for one in threading.enumerate() if one.name.startswith("deskwatch-source")])

    async def test_a_restart_of_the_watch_tells_nothing_twice(self, rig: Rig, watching: Watching) -> None:
        """Nor does one of the peer; what happened in between is told."""
        facts = []
        for _ in range(2):
            async with watching.running() as health:
                await self._wait(lambda health=health: health.is_up)
                facts.append(await rig.happen())
                await self._tells(watching, facts)
            facts += [await rig.happen()] if rig.keeps_history else []
        async with watching.running() as health:
            await self._tells(watching, facts)
            await rig.restart()
            await self._wait(lambda: health.is_up)
            facts.append(await self._happens_until_told(rig, watching))
            await asyncio.sleep(QUICK_SECONDS)
        assert {fact: count for fact, count in watching.told().items() if count > 1} == {}
        assert set(facts) <= set(watching.told())

    async def test_a_peer_that_is_away_is_waited_for(self, rig: Rig, watching: Watching, pauses: list[float]) -> None:
        """From the start, and later on; with pauses that differ. That it is away shows, and that it is back."""
        await rig.go_away()
        facts = [await rig.happen()] if rig.keeps_history else []
        async with watching.running() as health:
            await self._wait(lambda: health.failures.total() >= 2)
            assert not health.is_up
            assert health.failures.total() <= len(pauses) + MOST_TRIES
            assert len(set(pauses)) == len(pauses) > 0
            assert watching.of(HeartbeatSent) == []
            await rig.come_back()
            await self._wait(lambda: health.is_up)
            facts.append(await self._happens_until_told(rig, watching))
            await rig.go_away()
            await self._wait(lambda: not health.is_up)
            facts += [await rig.happen()] if rig.keeps_history else []
            answered, tries = health.answered, health.failures.total() - len(pauses)
            await asyncio.sleep(QUICK_SECONDS)
            assert health.answered == answered
            assert health.failures.total() - len(pauses) <= tries + MOST_TRIES
            await rig.come_back()
            await self._wait(lambda: health.is_up)
            await self._tells(watching, facts)
            assert health.restarts == 0
            await self._wait(lambda: _ups(watching)[-1:] == [True])
        ups = _ups(watching)
        assert False in ups
        assert True in ups[ups.index(False) :]

    async def test_a_peer_that_is_slow_or_wrong_is_survived(self, rig: Rig, watching: Watching) -> None:
        """The source neither hangs nor ends, and tells all that happened once the peer is well again."""
        facts = []
        async with watching.running() as health:
            await self._wait(lambda: health.is_up)
            for spoil in (lambda: rig.slow(SLOW_SECONDS), rig.garble):
                before = health.failures.total()
                await spoil()
                facts += [await rig.happen()] if rig.keeps_history else []
                await self._wait(lambda before=before: health.failures.total() > before)
                await rig.come_back()
                facts.append(await self._happens_until_told(rig, watching))
                await self._tells(watching, facts)
            assert health.restarts == 0
        assert {fact: count for fact, count in watching.told().items() if count > 1} == {}

    async def test_it_ends_at_once_whatever_its_peer_does(self, rig: Rig, watching: Watching) -> None:
        await rig.slow(60.0)
        for spoil in (rig.go_away, None):
            async with watching.running():
                await asyncio.sleep(QUICK_SECONDS)  # it is in the middle of asking
                began = time.monotonic()
            assert time.monotonic() - began < STOP_SECONDS * patience()
            assert len(watching.of(WatchStarted)) == len(watching.of(WatchStopped))
            await (spoil() if spoil is not None else rig.come_back())

    async def test_a_kill_loses_nothing_and_tells_nothing_twice(self, rig: Rig, watching: Watching) -> None:
        """The process is killed while it tells, twice."""
        facts: list[str] = []
        for _ in range(2):
            async with watching.elsewhere():
                await self._wait(lambda: _ups(watching)[-1:] == [True])
                facts += [await rig.happen() for _ in range(3)]
                await self._wait(lambda fact=facts[-3]: fact in watching.told())
        async with watching.running() as health:
            await self._wait(lambda: health.is_up)
            if rig.keeps_history:
                await self._tells(watching, facts)
            await self._happens_until_told(rig, watching)
            await asyncio.sleep(QUICK_SECONDS)
        assert {fact: count for fact, count in watching.told().items() if count > 1} == {}

    async def test_commands_are_begun_only_while_the_peer_can_be_reached(self, rig: Rig, watching: Watching) -> None:
        """Each once, and each ends: also one that nobody knows; a source that carries out none fails all but a ping."""
        async with watching.running() as health:
            await self._wait(lambda: health.is_up)
            refused = ["no_such_command"] if rig.has_commands else ["no_such_command", "close_all", "reload_config"]
            done = [watching.give(command) for command in ("ping", *refused)]
            await self._wait(lambda: len(_ends(watching)) >= len(done))
            await rig.go_away()
            await self._wait(lambda: not health.is_up)
            late = watching.give("ping", seconds=0.5)
            await asyncio.sleep(1.0)
            await rig.come_back()
            await self._wait(lambda: health.is_up)
            await asyncio.sleep(QUICK_SECONDS)
        begun: list[str] = [event.command_id for event in watching.of(CommandStarted)]
        assert sorted(begun) == sorted(done)
        assert late not in begun
        ping, *others = (next(end for end in _ends(watching) if end.command_id == name) for name in done)
        assert isinstance(ping, CommandSucceeded)
        assert all(isinstance(end, CommandFailed) and end.error for end in others)

    async def test_doctor_says_in_words_what_it_finds_and_changes_nothing(self, rig: Rig, watching: Watching) -> None:
        """Of a peer that is well there is nothing wrong; of one that is away there is, with what to do."""
        well = await self._examine(watching)
        assert well
        assert [one for one in well if one.ok is False] == []
        for spoil in (rig.go_away, rig.garble):
            await spoil()
            ill = [one for one in await self._examine(watching) if one.ok is False]
            assert ill
            assert all(one.cure for one in ill)
            await rig.come_back()
        assert rig.changes == 0
        assert watching.events() == []

    def test_each_of_its_settings_is_described(self, rig: Rig) -> None:
        """For the flags' help and the reference."""
        from deskwatch.sources.conversion import description

        cls = settings_type(rig.kind)
        assert {name for name in cls.__struct_fields__ if not description(cls).get(name)} == set()
        assert cls.__struct_config__.frozen
        assert cls.__struct_config__.forbid_unknown_fields

    async def _wait(self, condition: object) -> None:
        assert callable(condition)
        await eventually_async(condition, self.seconds, every=0.02)

    async def _tells(self, watching: Watching, facts: list[str]) -> None:
        """These and no others are told, each once."""
        await self._wait(lambda: set(facts) <= set(watching.told()))
        assert {fact: count for fact, count in watching.told().items() if count > 1} == {}

    async def _happens_until_told(self, rig: Rig, watching: Watching) -> str:
        """A fact that is told. Where there is no history, one that comes too early may go unseen."""
        for _ in range(20):
            fact = await rig.happen()
            deadline = time.monotonic() + (self.seconds if rig.keeps_history else 0.5) * patience()
            while time.monotonic() < deadline:
                if fact in watching.told():
                    return fact
                await asyncio.sleep(0.02)
            if rig.keeps_history:
                break
        raise AssertionError(f"expected the fact {fact} to be told, was {watching.told()}")

    async def _examine(self, watching: Watching) -> list[Finding]:
        try:
            async with asyncio.timeout(self.seconds * patience()):
                found = [finding async for finding in watching.source().examine()]
        except TimeoutError:
            raise AssertionError(f"expected doctor to end within {self.seconds} s") from None
        assert all(_SENTENCE.fullmatch(one.what) for one in found), found
        return found

    @pytest.fixture(autouse=True)
    def _no_loop_stands_still(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        """A source's loop turns at all times: what blocks it would hold up an operator's halt."""
        yield from self.turning(monkeypatch)

    def turning(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        """Measures how long loops stand still until it is asked for more."""
        gaps: list[float] = []
        last: dict[Health, float] = {}
        turned = Health.turned

        def note(health: Health) -> None:
            now = time.monotonic()
            gaps.append(now - last.get(health, now))
            last[health] = now
            turned(health)

        monkeypatch.setattr(Health, "turned", note)
        with Standstill() as machine:
            yield
        assert max(gaps, default=0.0) < TURN_SECONDS + STUCK_SECONDS * patience() + machine.longest


def _ups(watching: Watching) -> list[bool]:
    """What was told of connections, in order."""
    return [event.up for event in watching.of(ConnectionChanged)]


def _ends(watching: Watching) -> list[CommandSucceeded | CommandFailed]:
    return watching.of(CommandSucceeded, CommandFailed)
