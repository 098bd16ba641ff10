"""Metrics of starts, stops and heartbeats."""

from __future__ import annotations

from typing import Any

from deskwatch.events import (
    BlockObserved,
    BotStarted,
    BotStopped,
    CommandAccepted,
    EventsLost,
    HeartbeatSent,
    Mode,
    WatchStarted,
    WatchStopped,
)
from deskwatch.events.lifecycle import LOSS_REASONS
from deskwatch.journal import Record
from tests.lines import START_NS, record_of
from tests.unit.projections.folding import fold, samples, value

STARTED = BotStarted(pid=1, host="h", mode=Mode.STANDBY)


def beat(failures: int, nulls: int = 0, *, run: bytes = b"a", writer: str = "main") -> Record:
    event = HeartbeatSent(uptime_seconds=1.0, idle_seconds=0.5, sync_failures=failures, null_values=nulls)
    return record_of(event, run=run, writer=writer)


def test_a_bot_runs_from_its_start_to_an_orderly_stop() -> None:
    metrics = fold(record_of(STARTED, ts=START_NS))
    assert value(metrics, "tradebot_running", bot="arb-1") == 1
    assert value(metrics, "tradebot_start_timestamp_seconds") == START_NS / 1e9
    assert (value(metrics, "tradebot_starts_total"), value(metrics, "tradebot_stops_total")) == (1, 0)
    fold(BotStopped(reason="closed"), into=metrics)
    assert value(metrics, "tradebot_running") == 0
    assert value(metrics, "tradebot_stops_total") == 1


def test_of_several_processes_main_tells_whether_the_bot_runs() -> None:
    feeder = {"writer": "feeder"}
    metrics = fold(record_of(STARTED, **feeder))
    assert value(metrics, "tradebot_running") == 1
    fold(record_of(BotStopped(reason="closed"), **feeder), into=metrics)
    assert value(metrics, "tradebot_running") == 0
    fold(STARTED, record_of(STARTED, **feeder), record_of(BotStopped(reason="closed"), **feeder), into=metrics)
    assert value(metrics, "tradebot_running") == 1
    fold(BotStopped(reason="closed"), record_of(STARTED, **feeder), into=metrics)
    assert value(metrics, "tradebot_running") == 0


def test_heartbeats_carry_totals_of_a_run_and_are_counted_as_increases() -> None:
    metrics = fold(beat(0), beat(3, 1), beat(3, 1), beat(5, 4))
    assert value(metrics, "tradebot_heartbeats_total") == 4
    assert value(metrics, "tradebot_journal_sync_failures_total") == 5
    assert value(metrics, "tradebot_null_values_total") == 4
    assert value(metrics, "tradebot_idle_seconds") == 0.5
    fold(beat(2, 1, run=b"b"), into=metrics)
    assert value(metrics, "tradebot_journal_sync_failures_total") == 7


def test_the_totals_of_several_writers_add_up() -> None:
    metrics = fold(beat(1), beat(10, writer="feeder"), beat(2), beat(11, writer="feeder"))
    assert value(metrics, "tradebot_journal_sync_failures_total") == 13


def test_lost_events_are_counted_by_reason_from_what_the_bot_says_of_them_and_not_from_heartbeats() -> None:
    metrics = fold(record_of(STARTED))
    lost = dict.fromkeys(LOSS_REASONS, 0.0)
    assert {labels["reason"]: one for labels, one in samples(metrics, "tradebot_events_lost_total")} == lost
    fold(
        EventsLost(events=3, reason="disk_full"),
        HeartbeatSent(uptime_seconds=1.0, idle_seconds=0.5, lost_events=5),
        EventsLost(events=2, reason="disk_full"),
        EventsLost(events=1, reason="removed"),
        into=metrics,
    )
    lost |= {"disk_full": 5.0, "removed": 1.0}
    assert {labels["reason"]: one for labels, one in samples(metrics, "tradebot_events_lost_total")} == lost


def test_the_sidecars_words_are_no_sign_of_the_bots_life() -> None:
    accepted = CommandAccepted(command_id="c", command="ping", params={}, actor="a", expires_ts=1)
    assert samples(fold(accepted), "tradebot_last_event_timestamp_seconds") == []
    assert value(fold(record_of(STARTED, ts=START_NS)), "tradebot_last_event_timestamp_seconds") == START_NS / 1e9


def test_counters_of_a_bot_that_started_begin_at_zero() -> None:
    metrics = fold(STARTED)
    for name in ("stops", "heartbeats", "journal_sync_failures", "null_values"):
        assert value(metrics, f"tradebot_{name}_total", bot="arb-1") == 0
    assert value(metrics, "deskwatch_fold_failures_total", bot="arb-1") == 0


def version(text: str | None, writer: str = "main") -> Record:
    return record_of(BotStarted(pid=1, host="h", mode=Mode.STANDBY, version=text), writer=writer)


def versions(metrics: Any) -> dict[str, float]:
    return {labels.get("version", ""): one for labels, one in samples(metrics, "tradebot_info")}


def test_the_version_is_that_of_the_last_start() -> None:
    metrics = fold(version("1.0"), version("1.1"))
    assert versions(metrics) == {"1.1": 1}
    assert versions(fold(version(None), into=metrics)) == {"": 1}


def test_writers_of_several_versions_show_each_of_them() -> None:
    metrics = fold(version("1.0"), version("1.0", "feeder"), version("1.1", "feeder"))
    assert versions(metrics) == {"1.0": 1, "1.1": 1}
    assert versions(fold(version("1.1"), into=metrics)) == {"1.1": 1}


def test_when_it_beat_last_and_how_late_its_loop_was_is_shown() -> None:
    def told(lag: float | None, idle: float = 0.5) -> Record:
        return record_of(HeartbeatSent(uptime_seconds=1.0, idle_seconds=idle, loop_lag_seconds=lag), ts=START_NS)

    metrics = fold(told(0.25), told(None))
    assert value(metrics, "tradebot_event_loop_lag_seconds", bot="arb-1") == 0.25
    assert value(metrics, "tradebot_heartbeat_timestamp_seconds", bot="arb-1") == START_NS / 1e9
    fold(told(-1.0, -1.0), into=metrics)
    assert value(metrics, "tradebot_event_loop_lag_seconds") == 0.25
    assert value(metrics, "tradebot_idle_seconds") == 0.5
    assert sum(one for _, one in samples(metrics, "deskwatch_refused_values_total")) == 2


WATCHED = WatchStarted(source="freqtrade", peer="http://127.0.0.1:8080")
UNWATCHED = WatchStopped(source="freqtrade", reason="closed")


def test_whether_a_bot_runs_that_nobody_watches_any_more_is_not_known() -> None:
    metrics = fold(WATCHED, STARTED, UNWATCHED)
    assert value(metrics, "tradebot_running") is None
    fold(WATCHED, into=metrics)  # watched again: it runs until it is silent for too long
    assert value(metrics, "tradebot_running") == 1
    fold(BotStopped(reason="closed"), UNWATCHED, WATCHED, into=metrics)
    assert value(metrics, "tradebot_running") == 0


def test_a_bot_runs_again_when_its_own_source_is_back_whichever_of_several_came_first() -> None:
    """Else nobody would be paged when it falls silent then."""
    chain = {"writer": "chain"}
    metrics = fold(WATCHED, STARTED, record_of(WATCHED, **chain), UNWATCHED, record_of(UNWATCHED, **chain))
    fold(record_of(WATCHED, **chain), into=metrics)
    assert value(metrics, "tradebot_running") is None
    fold(WATCHED, into=metrics)
    assert value(metrics, "tradebot_running") == 1


def test_a_bot_that_journaled_itself_and_stopped_does_not_run_because_it_is_watched_again() -> None:
    metrics = fold(WATCHED, STARTED, UNWATCHED, STARTED, BotStopped(reason="closed"), WATCHED)
    assert value(metrics, "tradebot_running") == 0


def test_a_source_beside_a_bots_own_journal_is_no_sign_of_the_bots_life() -> None:
    chain = {"writer": "chain"}
    block = BlockObserved(chain="base", block=1, block_timestamp_seconds=1.0)
    late = START_NS + 60_000_000_000
    metrics = fold(
        record_of(WATCHED, ts=START_NS, **chain), record_of(STARTED, ts=START_NS), record_of(block, ts=late, **chain)
    )
    assert value(metrics, "tradebot_last_event_timestamp_seconds") == START_NS / 1e9
    fold(record_of(UNWATCHED, ts=late, **chain), into=metrics)
    assert value(metrics, "tradebot_running") == 1


def test_a_source_that_stands_alone_tells_of_life_although_nothing_was_started() -> None:
    metrics = fold(record_of(WATCHED, ts=START_NS, writer="chain"))
    assert value(metrics, "tradebot_last_event_timestamp_seconds") == START_NS / 1e9
    assert value(metrics, "tradebot_running") is None


def test_a_helper_of_the_bot_itself_is_a_sign_of_its_life() -> None:
    late = START_NS + 60_000_000_000
    sign = HeartbeatSent(uptime_seconds=1.0, idle_seconds=0.5)
    metrics = fold(record_of(STARTED, ts=START_NS), record_of(sign, ts=late, writer="feeder"))
    assert value(metrics, "tradebot_last_event_timestamp_seconds") == late / 1e9
