"""Rule 3 under any order of steps: the journal, the counters and Loki agree, across crashes of each part.

A machine of hypothesis writes, syncs, rolls, kills writers, sidecar and sink, loses checkpoints, ships to a Loki that
misbehaves, and lets retention remove what it may. Whenever things are left to settle, every event that a writer
acknowledged is counted once, is in Loki once, and is in the journal or remembered in the base.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from deskwatch import base
from deskwatch.encoding import encode
from deskwatch.events import LogRecorded
from deskwatch.journal import Position, Writer, names
from deskwatch.journal.retention import Keep, Limits
from deskwatch.sidecar.feed import Feed
from deskwatch.sidecar.retention import Retention
from deskwatch.sinks.loki.sink import LokiSink, Pace
from deskwatch.sinks.trouble import Stopping
from tests.fakes import loki as fake_loki
from tests.lines import lines_in, segment_files
from tests.soak import count

BOT = "arb-1"
WRITERS = ("main", "hedger")
TYPE = "log_recorded"
GREEDY = Limits(bots=Keep(seconds=0.0, bytes=0, budget_bytes=10**9))
"""Whatever may go goes at once."""
STEPS = 50
RUNS = count(20, 500)
"""More than 200 steps in all, or more than 10,000: hypothesis ends many runs early."""
PACE = Pace(first_seconds=0.0005, most_seconds=0.001, push_bytes=4000)
ANSWERS = st.sampled_from((204, 204, 260, 429, 500, 503, 0, -204))
"""-204: stored, and hung up without a word."""


class RuleThree(RuleBasedStateMachine):
    """One home, two writers, a sidecar's feed and retention, a Loki sink and a Loki."""

    steps = 0

    def __init__(self) -> None:
        super().__init__()
        self.exits = contextlib.ExitStack()
        self.home = Path(self.exits.enter_context(tempfile.TemporaryDirectory())) / "home"
        self.home.mkdir()
        self.loop = asyncio.new_event_loop()
        self.exits.callback(self.loop.close)
        self.loki = self.exits.enter_context(fake_loki.running())
        self.written: Counter[str] = Counter()
        self.writers = {name: self._open(name) for name in WRITERS}
        self.feed = self._start_feed()
        self.sink = self._start_sink()
        self.is_replayed = False

    def _open(self, name: str) -> Writer:
        return Writer(names.writer_folder(self.home, BOT, name), segment_bytes=1500).open()

    def _start_feed(self) -> Feed:
        """The feed, ready to be moved step by step: its own tasks don't run."""
        feed = Feed(self.home, 3600)
        self.loop.run_until_complete(feed.__aenter__())
        for task in feed._tasks:
            task.cancel()
        self.loop.run_until_complete(asyncio.wait(feed._tasks))
        return feed

    def _start_sink(self) -> LokiSink:
        sink = LokiSink(self.home, self.loki.url, pace=PACE)
        sink._cursor.load()
        sink._planner.follower.open()
        sink._quarantine.load(sink._cursor.positions)
        sink._items = sink._planner.items_of_plan()
        return sink

    @rule(name=st.sampled_from(WRITERS), events=st.integers(1, 12), durable=st.booleans())
    def write(self, name: str, events: int, durable: bool) -> None:
        for number in range(events):
            event = LogRecorded(message=f"{name} {number}", levelname="INFO", name="bot")
            seq = self.writers[name].append(encode(event), durable=durable)
            self.written[name] += 1
            assert seq == self.written[name]

    @rule(name=st.sampled_from(WRITERS))
    def sync(self, name: str) -> None:
        self.writers[name].sync()

    @rule(name=st.sampled_from(WRITERS), torn=st.sampled_from((b"", b"{", b'{"v":1,"ts":17')))
    def kill_writer(self, name: str, torn: bytes) -> None:
        """SIGKILL; what a foreign hand may leave behind the last line is cut off at the next start."""
        self.writers[name].abandon()
        if torn:
            with segment_files(self.home, writer=name)[-1].open("ab") as file:
                file.write(torn)
        self.writers[name] = self._open(name)

    @rule(name=st.sampled_from(WRITERS))
    def close_and_open_writer(self, name: str) -> None:
        self.writers[name].close()
        self.writers[name] = self._open(name)

    @rule()
    def follow(self) -> None:
        self.feed._follower.discover()
        self.loop.run_until_complete(self.feed._fold_round(self.feed._follower.read))

    @rule()
    def save_checkpoint(self) -> None:
        self.loop.run_until_complete(self.feed.save())

    @rule()
    def kill_sidecar(self) -> None:
        self.feed._follower.close()
        self.feed = self._start_feed()

    @rule(how=st.sampled_from(("lost", "torn", "another version", "an old one")))
    def damage_checkpoint(self, how: str) -> None:
        """The sidecar dies, and its checkpoint is not what it was."""
        path = self.home / "checkpoint.json"
        kept = self.home / "kept.json"
        if how == "an old one":
            if kept.exists():
                shutil.copy(kept, path)
        elif path.exists():
            data = path.read_bytes()
            shutil.copy(path, kept)
            if how == "lost":
                path.unlink()
            elif how == "torn":
                path.write_bytes(data[: len(data) // 2])
            else:
                path.write_bytes(data.replace(b'"format":', b'"format":9', 1))
        self.kill_sidecar()

    @rule(answers=st.lists(ANSWERS, max_size=3))
    def ship(self, answers: list[int]) -> None:
        self.loki.answers.extend(answers)
        self.sink._deliver_next()
        self.loki.answers.clear()

    @rule(is_stored=st.booleans())
    def kill_sink_in_a_push(self, is_stored: bool) -> None:
        """It dies when Loki has the push, or has it not, and before it knows."""
        self.loki.answers.append(-204 if is_stored else 0)
        self.sink._stop.set()
        with contextlib.suppress(Stopping):
            self.sink._deliver_next()
        self.loki.answers.clear()
        self._restart_sink()

    @rule()
    def kill_sink(self) -> None:
        self._restart_sink()

    @rule()
    def write_down_what_is_delivered(self) -> None:
        self.sink._save()

    @rule()
    def retain(self) -> None:
        retention = Retention(self.home, GREEDY, self.feed, ["loki"])
        retention.base = base.load(self.home)
        retention.run(time.time() + 1)

    @precondition(lambda self: sum(self.written.values()) > 0)
    @rule()
    def settle(self) -> None:
        """Everything is read and delivered; then all three agree."""
        self.feed._follower.discover()
        while self.loop.run_until_complete(self.feed._fold_round(self.feed._follower.read)):
            pass
        while self.sink._deliver_next():
            pass
        counted = self.feed.projections.metrics.event_counts()
        shipped = Counter(json.loads(line)["seq"] for _, line in self.loki.entries())
        expected = Counter(seq for name in WRITERS for seq in range(1, self.written[name] + 1))
        assert shipped == expected
        assert self.sink._cursor.quarantined == 0
        removed = base.load(self.home).events
        for name in WRITERS:
            assert counted.get((BOT, name, TYPE), 0) == self.written[name]
            held = len(lines_in(self.home, writer=name)) if segment_files(self.home, writer=name) else 0
            stale = self._left_by_a_crash(name)
            assert held - stale + removed.get((BOT, name, TYPE), 0) == self.written[name]

    def _left_by_a_crash(self, name: str) -> int:
        """Lines in segments that the base holds already."""
        position = base.load(self.home).positions.get((BOT, name), Position())
        files = segment_files(self.home, writer=name)
        return sum(file.read_bytes().count(b"\n") for file in files if int(file.stem) < position.segment)

    @invariant()
    def nothing_is_counted_that_was_not_written(self) -> None:
        RuleThree.steps += 1
        counted = self.feed.projections.metrics.event_counts()
        for name in WRITERS:
            assert counted.get((BOT, name, TYPE), 0) <= self.written[name]

    @invariant()
    def no_fault_is_seen(self) -> None:
        metrics = self.feed.projections.metrics
        assert metrics.invalid_counts() == {}
        faults = next(family for family in metrics.families if family.name == "deskwatch_journal_faults")
        assert not any(faults.series.values())

    def teardown(self) -> None:
        try:
            self.loki.answers.clear()
            if sum(self.written.values()):
                self.settle()
        finally:
            self.sink._planner.close()
            self.feed._follower.close()
            for writer in self.writers.values():
                writer.close()
            self.exits.close()

    def _restart_sink(self) -> None:
        self.sink._planner.close()
        self.sink._push.close()
        self.sink = self._start_sink()


def test_the_journal_the_counters_and_loki_agree_whatever_happens() -> None:
    """RUNS machines of up to STEPS steps each; hypothesis tells the shortest order of steps that breaks the rule."""
    machine = settings(
        max_examples=RUNS,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(RuleThree, settings=machine)
    assert RuleThree.steps >= count(200, 10_000)
