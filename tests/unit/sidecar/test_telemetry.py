"""A sidecar with an OTLP endpoint."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families as parse_text

from deskwatch.config import Settings
from deskwatch.errors import ConfigError
from deskwatch.events import HeartbeatSent, LogRecorded, OrderFilled
from deskwatch.sidecar.app import create
from tests.fakes import loki as fake_loki
from tests.fakes import otlp as fake_otlp
from tests.lines import write
from tests.unit.sidecar.serving import serving
from tests.waiting import eventually_async

TRACE = "0af7651916cd43dd8448eb211c80319c"
EVENTS = [
    HeartbeatSent(uptime_seconds=1.0, idle_seconds=0.0),
    LogRecorded(message="m", levelname="INFO", name="n"),
    OrderFilled(order_id="o", venue="v", symbol="s", side="buy", quantity=1, price=1, final=True, trace=TRACE),
]


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "100")


async def test_all_three_signals_are_sent_and_the_sidecar_tells_of_it(home: Path) -> None:
    write(home, EVENTS)
    with fake_otlp.running() as otlp, fake_loki.running() as loki:
        async with serving(home, otlp_endpoint=otlp.url, loki_url=loki.url) as desk:
            await desk.caught_up()
            await eventually_async(lambda: len(otlp.logs) == len(EVENTS) and otlp.spans and otlp.metrics, 20)
            assert [sink.name for sink in desk.parts.sinks] == ["loki", "otlp_logs", "otlp_traces"]
            await eventually_async(lambda: desk.parts.sinks[1].delivered == len(EVENTS))
            await eventually_async(lambda: desk.parts.sinks[2].delivered == 1)
            otlp.down = True
            await eventually_async(lambda: desk.parts.push is not None and desk.parts.push.failures["503"])
            families = {family.name: family for family in parse_text((await desk.ask("GET", "/metrics")).text)}
            await eventually_async(lambda: desk.parts.retention.base is not None)
            assert desk.parts.retention._sinks == {"loki", "otlp_logs", "otlp_traces"}  # segments wait for them
    delivered = {one.labels["kind"]: one.value for one in families["deskwatch_sink_delivered"].samples}
    assert (delivered["otlp_logs"], delivered["otlp_traces"]) == (len(EVENTS), 1)
    kinds = {one.labels["kind"] for one in families["deskwatch_backlog_bytes"].samples}
    assert kinds == {"feed", "loki", "otlp_logs", "otlp_traces"}
    assert {"kind": "otlp_metrics", "reason": "503"} in [
        one.labels for one in families["deskwatch_sink_failures"].samples
    ]
    sent = {
        metric.name
        for request in otlp.metrics
        for resource in request.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }
    assert {"deskwatch_events", "tradebot_fills", "deskwatch_backlog_bytes"} <= sent


async def test_an_endpoint_that_is_down_costs_nothing_but_its_backlog(home: Path) -> None:
    """Scrapes, figures and Loki go on."""
    write(home, EVENTS)
    with fake_otlp.running() as otlp, fake_loki.running() as loki:
        otlp.down = True
        async with serving(home, otlp_endpoint=otlp.url, loki_url=loki.url) as desk:
            await desk.caught_up()
            sinks = {sink.name: sink for sink in desk.parts.sinks}
            await eventually_async(lambda: sinks["otlp_logs"].failures["503"] >= 1)
            write(home, EVENTS)
            await eventually_async(lambda: sinks["loki"].delivered == 2 * len(EVENTS), 20)
            assert (await desk.ask("GET", "/metrics")).status_code == 200
            assert sinks["otlp_logs"].delivered == 0
            assert sinks["otlp_logs"].backlog_bytes() > sinks["loki"].backlog_bytes() == 0


async def test_counters_have_the_same_start_after_a_restart_and_the_sidecars_own_a_new_one(home: Path) -> None:
    write(home, EVENTS)
    starts = []
    for _ in range(2):
        with fake_otlp.running() as otlp:
            async with serving(home, otlp_endpoint=otlp.url) as desk:
                await desk.caught_up()
                await eventually_async(lambda: desk.parts.sinks[0].delivered == len(EVENTS))
            starts.append(
                {
                    metric.name: (metric.sum.data_points[0].start_time_unix_nano, metric.sum.data_points[0].as_double)
                    for metric in otlp.metrics[-1].resource_metrics[0].scope_metrics[0].metrics
                    if metric.HasField("sum")
                }
            )
    first, second = starts
    assert first["deskwatch_events"] == second["deskwatch_events"]
    assert first["deskwatch_sink_delivered"] == second["deskwatch_sink_delivered"]  # the cursor keeps it
    assert first["deskwatch_sink_delivered"][1] == len(EVENTS)
    assert first["deskwatch_stream_drops"][0] < second["deskwatch_stream_drops"][0]


async def test_the_standard_variables_alone_are_enough(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with fake_otlp.running() as otlp:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", f"{otlp.url}/v1/traces")
        async with serving(home) as desk:
            assert [sink.name for sink in desk.parts.sinks] == ["otlp_traces"]
            assert desk.parts.push is None


async def test_a_wrong_setting_stops_the_start(home: Path) -> None:
    with pytest.raises(ConfigError, match="expected --otlp-endpoint to start with"):
        async with serving(home, otlp_endpoint="collector:4318"):
            pass


def test_what_sends_is_imported_only_where_it_is_used() -> None:
    """Of OpenTelemetry, FastAPI itself imports the part that other libraries are to call, where it is installed."""
    code = (
        "import sys, deskwatch.sidecar.app, deskwatch.cli, deskwatch.sidecar.serve\n"
        "ours = ('opentelemetry.sdk', 'opentelemetry.exporter', 'opentelemetry.proto', 'requests', 'grpc', 'google')\n"
        "print([name for name in sys.modules if name.startswith(ours)])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_settings_without_an_endpoint_make_no_part(home: Path) -> None:
    assert create(Settings(home=home)) is not None
