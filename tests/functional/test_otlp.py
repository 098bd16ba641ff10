"""OTLP at real receivers: a Prometheus that is scraped and pushed to, a Loki, and the demo's trades as traces."""

from __future__ import annotations

import contextlib
import json
import re
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests import running, vocabulary
from tests.fakes import otlp as fake_otlp
from tests.fakes.otlp import FakeOtlp, Span
from tests.functional import loki_servers
from tests.lines import write, writer_of
from tests.sending import life, shipped, whole
from tests.servers import require_otlp_receiver
from tests.waiting import eventually

PULLED, PUSHED = "pulled", "deskwatch"
"""`job` of both roads: what the scrape's configuration says, and the sidecar's service name."""
MOVING = re.compile(
    r"_age_seconds$|_(process|host|container)_|^deskwatch_(?!events_total|invalid_lines|sink_delivered)"
)
"""Figures of the moment: they differ between any two readings."""
Series = dict[tuple[tuple[str, str], ...], float]


@contextlib.contextmanager
def prometheus(folder: Path, target_port: int) -> Iterator[tuple[running.Prometheus, str]]:
    """A Prometheus that scrapes a sidecar and takes OTLP, and the URL for that."""
    binary = require_otlp_receiver()
    port = running.free_port()
    config = folder / "prometheus.yml"
    config.write_text(
        "global: {scrape_interval: 1s, scrape_timeout: 1s}\n"
        f"scrape_configs: [{{job_name: {PULLED}, static_configs: [{{targets: ['127.0.0.1:{target_port}']}}]}}]\n"
    )
    argv = [binary, f"--config.file={config}", f"--storage.tsdb.path={folder / 'tsdb'}", "--log.level=warn"]
    argv += [f"--web.listen-address=127.0.0.1:{port}", "--web.enable-otlp-receiver"]
    with running.process([*argv, "--enable-feature=exemplar-storage"], folder / "prometheus.out"):
        url = f"http://127.0.0.1:{port}"
        eventually(lambda: _answers(f"{url}/-/ready"), 30, every=0.1)
        yield running.Prometheus(url), f"{url}/api/v1/otlp/v1/metrics"


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def series(server: running.Prometheus, job: str, promql: str) -> Series:
    """A query's result for one road, without the labels that tell the roads apart.

    Prometheus writes a whole bound as `le="1.0"` where it scrapes, and as `le="1"` where it is pushed to.
    """
    found: Series = {}
    for one in server.query(promql.replace("{", f'{{job="{job}",')):
        labels = {name: value for name, value in one["metric"].items() if name not in ("job", "instance")}
        if "le" in labels:
            labels["le"] = str(float(labels["le"]))
        found[tuple(sorted(labels.items()))] = float(one["value"][1])
    return found


def exemplars(server: running.Prometheus, job: str) -> set[tuple[str, float]]:
    """Trace id and value of each exemplar of one road."""
    now = time.time()
    query = urllib.parse.urlencode(
        {"query": f'{{__name__=~"tradebot_.+_bucket",job="{job}"}}', "start": now - 3600, "end": now + 60}
    )
    with urllib.request.urlopen(f"{server.url}/api/v1/query_exemplars?{query}", timeout=10) as answer:
        data = json.load(answer)["data"]
    return {(one["labels"]["trace_id"], float(one["value"])) for each in data for one in each["exemplars"]}


def test_both_roads_into_prometheus_give_the_same_figures(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a journal with every type of event, which no longer grows: every series, by name, labels and value."""
    home.mkdir(mode=0o700)
    found = list(vocabulary.events(20))
    write(home, [event for number in range(30) for event in life(number)])
    write(home, vocabulary.of_bot(iter(found)))
    write(home, [event for event in found if writer_of(event) == "control"], writer="control")
    port = running.free_port()
    with prometheus(tmp_path, port) as (server, url):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", url)
        monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "500")
        with running.sidecar(home, port=port):

            def shown(job: str) -> Series:
                everything = series(server, job, '{__name__=~"(tradebot|deskwatch)_.+"}')
                return {key: value for key, value in everything.items() if not MOVING.search(dict(key)["__name__"])}

            def names(job: str) -> set[str]:
                return {dict(key)["__name__"] for key in series(server, job, '{__name__=~"(tradebot|deskwatch)_.+"}')}

            def same(promql: str) -> bool:
                return series(server, PULLED, promql) == series(server, PUSHED, promql) != {}

            eventually(lambda: shown(PULLED) and shown(PUSHED), 30, every=0.2)
            eventually(lambda: shown(PULLED) == shown(PUSHED) or None, 10, every=0.5)
            assert len(shown(PUSHED)) > 300
            eventually(lambda: names(PULLED) == names(PUSHED), 20, every=0.2)  # those of the moment, too, as they come
            for promql in (
                "sum by (side) (tradebot_fills_total{})",
                "sum by (bot) (tradebot_orders_failed_total{}) / sum by (bot) (tradebot_orders_submitted_total{})",
                "histogram_quantile(0.9, sum by (le) (tradebot_order_latency_seconds_bucket{}))",
                'count by (__name__) ({__name__=~"tradebot_.+"})',
            ):
                eventually(partial(same, promql), 20, every=0.2)
            traces = {f"{number + 1:032x}" for number in range(30)}
            eventually(lambda: {trace for trace, _ in exemplars(server, PUSHED)} & traces, 10, every=0.2)
            eventually(lambda: exemplars(server, PULLED) & exemplars(server, PUSHED), 20, every=0.2)


def test_a_real_loki_takes_the_journal_as_otlp_logs(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each line once, under the bot as the service, with its ids as structured metadata."""
    home.mkdir(mode=0o700)
    write(home, [event for number in range(30) for event in life(number)])
    with loki_servers.running_real(tmp_path) as loki:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", f"{loki.url}/otlp/v1/logs")
        with running.sidecar(home):

            def stored() -> list[tuple[dict[str, str], str]]:
                query = {"query": '{service_name="arb-1"}', "limit": "1000", "since": "1h"}
                url = f"{loki.url}/loki/api/v1/query_range?{urllib.parse.urlencode(query)}"
                with urllib.request.urlopen(url, timeout=20) as answer:
                    streams = json.load(answer)["data"]["result"]
                return [(one["stream"], line) for one in streams for _, line in one["values"]]

            eventually(lambda: len(stored()) >= 240, 30, every=0.2)
            found = stored()
    lines = [line.decode() for line in running.journal_lines(home)["arb-1", "main"]]
    assert sorted(line for _, line in found) == sorted(lines)
    labels, _ = found[0]
    assert labels["service_namespace"] == "deskwatch"
    assert labels["deskwatch_type"]
    assert labels["trace_id"]


def test_the_demos_arbitrage_arrives_as_a_whole_trace(tmp_path: Path) -> None:
    """From the opportunity to the sale: two orders, each with its transaction, and the position between them."""
    with fake_otlp.running() as otlp, running.demo(tmp_path, "--otlp-endpoint", otlp.url) as demo:
        trade = eventually(lambda: _whole_trade(otlp), 90, every=0.5)
        by_name: dict[str, list[Span]] = {}
        for span in sorted(trade.values(), key=lambda one: one.start):
            by_name.setdefault(span.name, []).append(span)
        (found,), buy, (position,), sell = (
            by_name["opportunity"],
            by_name["order"][0],
            by_name["position"],
            by_name["order"][-1],
        )
        decisions = {span.id for span in by_name["decision"]}
        assert found.parent == ""
        assert {span.parent for span in by_name["decision"]} == {found.id}
        assert buy.parent in decisions
        assert (buy.attributes["deskwatch.side"], sell.attributes["deskwatch.side"]) == ("buy", "sell")
        assert position.parent == buy.id
        assert sell.parent == position.id
        assert {span.parent for span in by_name["transaction"]} == {span.id for span in by_name["order"]}
        assert [name for name, _, _ in sell.events] == ["acknowledged", "fill"]
        assert found.start <= buy.start <= position.start <= sell.start <= sell.end <= position.end
        lines = {line.decode() for line in running.journal_lines(demo.home)["arb-1", "main"]}
        eventually(lambda: lines <= {line for _, line in shipped(otlp)}, 20, every=0.2)


def _whole_trade(otlp: FakeOtlp) -> Any:
    """The spans of a trace whose position was closed by a sale that did not fail."""
    with otlp.lock:
        spans = list(otlp.spans)
    for trace in whole(
        [span for span in spans if span.trace in {one.trace for one in spans if one.name == "position"}]
    ).values():
        ends = [span for span in trace.values() if span.name == "prediction resolved"]
        if ends and all(span.failure is None for span in trace.values()):
            return trace
    return None
