"""Reading: state, activity, metrics, health, the page."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from deskwatch.events import BotStarted, DecisionMade, ErrorOccurred, HeartbeatSent, LogRecorded, Mode
from deskwatch.exposition import OPENMETRICS, TEXT
from deskwatch.sidecar.feed import Feed
from tests.fakes.loki import running
from tests.lines import write
from tests.unit.sidecar.serving import READER, Desk, connected, serving
from tests.waiting import eventually_async

EVENTS = [
    BotStarted(pid=os.getpid(), host=os.uname().nodename, mode=Mode.STANDBY),
    LogRecorded(message="m", levelname="INFO", name="n"),
    HeartbeatSent(uptime_seconds=1.0, idle_seconds=0.0),
    DecisionMade(decision_id="d1", action="buy", provider="gpt", symbol="ETH"),
    DecisionMade(decision_id="d2", action="buy", provider="rules", symbol="BTC"),
    ErrorOccurred(component="c", kind="k", message="m"),
]


@pytest.fixture
async def desk(home: Path) -> AsyncIterator[Desk]:
    write(home, EVENTS)
    async with serving(home) as one:
        yield await one.caught_up()


async def test_bots_and_snapshots_tell_their_position(desk: Desk) -> None:
    bots = (await desk.ask("GET", "/bots")).json()
    assert bots["position"] == len(EVENTS)
    assert [bot["bot"] for bot in bots["bots"]] == ["arb-1"]
    assert list(bots["cursor"]) == ["arb-1/main"]
    again = (await desk.ask("GET", "/snapshot")).json()
    assert {**again, "now": 0} == {**bots, "now": 0}
    assert again["now"] >= bots["now"]
    one = (await desk.ask("GET", "/bots/arb-1/snapshot")).json()
    assert {**one, "now": 0} == {
        "epoch": bots["epoch"],
        "position": len(EVENTS),
        "cursor": bots["cursor"],
        "now": 0,
        "bot": bots["bots"][0],
    }
    assert (await desk.ask("GET", "/bots/arb-9/snapshot")).status_code == 404


@pytest.mark.parametrize(
    ("path", "types"),
    [
        ("recent", ["error_occurred", "decision_made", "decision_made", "log_recorded", "bot_started"]),
        ("recent?limit=2", ["error_occurred", "decision_made"]),
        ("recent?level=warning", ["error_occurred"]),
        ("recent?kind=logs", ["error_occurred", "log_recorded"]),
        ("recent?type=bot_started", ["bot_started"]),
        ("recent?symbol=ETH", ["decision_made"]),
        ("recent?bot=arb-2", []),
        ("ai-decisions", ["decision_made", "decision_made"]),
        ("ai-decisions?provider=rules", ["decision_made"]),
    ],
)
async def test_activity_is_filtered_newest_first(path: str, types: list[str], desk: Desk) -> None:
    answer = (await desk.ask("GET", f"/activity/{path}")).json()
    assert answer["position"] == len(EVENTS)
    assert [event["type"] for event in answer["events"]] == types
    assert all(event["raw"]["type"] == event["type"] for event in answer["events"])


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=many", "level=loud"])
async def test_a_filter_that_makes_no_sense_is_told(query: str, desk: Desk) -> None:
    answer = await desk.ask("GET", f"/activity/recent?{query}")
    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"


async def test_metrics_come_as_text_or_openmetrics(desk: Desk) -> None:
    text = await desk.ask("GET", "/metrics")
    assert text.headers["Content-Type"] == TEXT
    families = {family.name: family for family in parse_text(text.text)}
    assert sum(one.value for one in families["deskwatch_events"].samples) == len(EVENTS)
    assert families["tradebot_process_up"].samples[0].value == 1
    assert {"deskwatch_backlog_bytes", "deskwatch_stream_clients", "deskwatch_checkpoint_failures"} <= families.keys()
    openmetrics = await desk.ask("GET", "/metrics", Accept="application/openmetrics-text; version=1.0.0")
    assert openmetrics.headers["Content-Type"] == OPENMETRICS
    list(parse_openmetrics(openmetrics.text))


async def test_metrics_are_compressed_for_whoever_takes_it(desk: Desk) -> None:
    plain = await desk.ask("GET", "/metrics", Accept_Encoding="identity")
    assert "Content-Encoding" not in plain.headers
    packed = await desk.ask("GET", "/metrics", Accept_Encoding="gzip")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["Vary"] == "Accept, Accept-Encoding"
    for answer in (plain, packed):
        assert "deskwatch_events" in {family.name for family in parse_text(answer.text)}


async def test_metrics_and_readiness_wait_until_the_journals_are_read(home: Path) -> None:
    write(home, EVENTS)
    slow = pytest.MonkeyPatch()
    slow.setattr(Feed, "_check_caught_up", lambda _: None)
    async with serving(home) as desk:
        answer = await desk.ask("GET", "/metrics")
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
        ready = await desk.ask("GET", "/readyz")
        assert ready.status_code == 503
        assert ready.json()["checks"]["caught_up"] is False
        assert (await desk.ask("GET", "/healthz")).json() == {"status": "alive"}
        await eventually_async(lambda: desk.parts.feed.projections.state.bots)
        command = await desk.operate("PUT", "/bots/arb-1/mode", {"mode": "standby"})
        assert command.status_code == 503  # a key that was used before is not known yet
        slow.undo()
        await desk.caught_up()
        assert (await desk.ask("GET", "/metrics")).status_code == 200
        assert (await desk.ask("GET", "/readyz")).json() == {
            "status": "ready",
            "checks": {"journals_readable": True, "checkpoint_writable": True, "caught_up": True},
        }


async def test_a_sinks_figures_are_among_the_metrics(home: Path) -> None:
    write(home, EVENTS)
    with running() as loki:
        loki.answers.append(500)
        async with serving(home, loki_url=loki.url) as desk:
            await desk.caught_up()
            (sink,) = desk.parts.sinks
            await eventually_async(lambda: sink.delivered == len(EVENTS))
            families = {family.name: family for family in parse_text((await desk.ask("GET", "/metrics")).text)}
    assert families["deskwatch_sink_delivered"].samples[0].value == len(EVENTS)
    for name in ("deskwatch_sink_late", "deskwatch_sink_quarantined", "deskwatch_sink_rereads"):
        assert [(one.labels, one.value) for one in families[name].samples] == [({"kind": "loki"}, 0)]
    assert families["deskwatch_sink_lag_seconds"].samples[0].labels == {"kind": "loki"}
    assert families["deskwatch_sink_failures"].samples[0].labels == {"kind": "loki", "reason": "500"}
    assert {one.labels["kind"] for one in families["deskwatch_backlog_bytes"].samples} == {"feed", "loki"}


READS = ["/bots", "/metrics", "/activity/recent", "/activity/stream", "/stream", "/commands/x"]


@pytest.mark.parametrize("path", READS)
async def test_beyond_loopback_reading_needs_a_token(path: str, home: Path, tmp_path: Path) -> None:
    (tmp_path / "reader").write_text(READER)
    async with serving(home, host="0.0.0.0", read_token_file=tmp_path / "reader") as desk:
        await desk.caught_up()
        assert (await desk.ask("GET", path)).status_code == 401
        if "stream" not in path:
            answer = await desk.ask("GET", path, Authorization=f"Bearer {READER}")
            assert answer.status_code in (200, 404)


@pytest.mark.parametrize("path", READS)
async def test_a_page_elsewhere_cant_read_through_a_visitors_browser(path: str, desk: Desk) -> None:
    answer = await desk.ask("GET", path, Host="evil.example:9464")
    assert answer.status_code == 421
    assert "--allowed-host" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("path", "kind"), [("/", "text/html"), ("/page.js", "text/javascript"), ("/page.css", "text/css")]
)
async def test_the_page_comes_with_a_policy_that_lets_nothing_else_in(path: str, kind: str, desk: Desk) -> None:
    answer = await desk.ask("GET", path)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith(kind)
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_activity_streams_what_is_kept_and_then_what_comes(desk: Desk, home: Path) -> None:
    async with connected(desk, "http", "/activity/stream?since=4&level=info") as stream:
        head = await stream.message()
        assert head["status"] == 200
        assert (b"content-type", b"text/event-stream; charset=utf-8") in head["headers"]
        assert [(await stream.json())["number"] for _ in range(2)] == [5, 6]
        write(home, [LogRecorded(message="late", levelname="INFO", name="n")])
        late = await stream.json()
        assert (late["number"], late["raw"]["message"]) == (7, "late")


async def test_a_silent_activity_stream_says_that_it_lives(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deskwatch.sidecar.api.activity.IDLE_SECONDS", 0.02)
    async with connected(desk, "http", "/activity/stream?since=6") as stream:
        await stream.message()
        assert await stream.json() == {"type": "heartbeat", "position": len(EVENTS)}
