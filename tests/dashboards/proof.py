"""Asking every query of every dashboard of servers that hold the life of the lively bots."""

from __future__ import annotations

import contextlib
import json
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tests import running
from tests.dashboards import committed
from tests.dashboards.committed import Variable
from tests.dashboards.filling import Choices, Chosen, View, everything, fill, least_step, step
from tests.fakes import loki as fake_loki
from tests.functional.loki_servers import running_real
from tests.lively.running import lively
from tests.servers import find
from tests.waiting import eventually

LIFE_SECONDS = 400.0
"""Patience until all has happened that takes its time; about 75 s where the machine has nothing else to do."""
HAPPENED = (
    "count(tradebot_commands_unconfirmed_total > 0)",
    "count(tradebot_starts_total{bot='arb-1'} > 1)",
    "count(deskwatch_checkpoint_size_bytes)",
    "count(deskwatch_tokens_revoked_total > 0)",
    "count(tradebot_commands_expired_total > 0)",
    "count(tradebot_risk_alert == 1)",
    "count(count_over_time(tradebot_equity[10m]) > 50)",
)
"""Each has an answer once the bots have lived long enough."""
LOOKS = (0.0, 5.0, 10.0)
"""Seconds before the end at which what shows one moment is looked at: positions come and go."""
_LABEL_VALUES = re.compile(r"label_values\((?:(?P<metric>.+),)?\s*(?P<label>\w+)\s*\)", re.DOTALL)
_QUERY_RESULT = re.compile(r"query_result\((?P<query>.+)\)", re.DOTALL)


class Answer(NamedTuple):
    """What came of a query."""

    query: str
    """As it was sent."""
    error: str | None
    series: list[dict[str, str]]
    """Labels of each series or stream."""
    values: int
    """Samples, or lines."""


class Servers(NamedTuple):
    """The servers that hold the data."""

    prometheus: running.Prometheus
    loki: str | None
    """URL of a real Loki, None where there is none."""


class Proof:
    """All answers of one run, by the id of what was asked.

    Attributes:
        all: Targets with All chosen of each variable.
        chosen: The same with every value chosen by name.
        variables: Values of the query variables.
        annotations: Queries of annotations.
        trees: By target, the syntax tree of its PromQL.
        families: Names of all series that Prometheus holds.
    """

    def __init__(self, servers: Servers, view: View) -> None:
        self.has_loki = servers.loki is not None
        self._servers = servers
        self._view = view
        self.variables: dict[str, list[str]] = {}
        self.all: dict[str, list[Answer]] = {}
        self.chosen: dict[str, list[Answer]] = {}
        self.annotations: dict[str, Answer] = {}
        self.trees: dict[str, Any] = {}
        self.families: set[str] = set(servers.prometheus.ask("label/__name__/values"))
        for name in committed.DASHBOARDS:
            self._ask_dashboard(name)

    def _ask_dashboard(self, name: str) -> None:
        widest, narrow = self._choices(name)
        for target in committed.targets("prometheus") + committed.targets("loki"):
            if target.panel.dashboard != name or (target.source == "loki" and not self.has_loki):
                continue
            least = least_step(target.panel.json, target.json)
            instant = bool(target.json.get("instant")) or target.json.get("queryType") == "instant"
            query, narrowed = (
                fill(target.expr, target.source, self._view, one, least, is_instant=instant) for one in (widest, narrow)
            )
            if target.source == "prometheus":
                ways: list[float | None] = [self._view.end - one for one in LOOKS] if instant else []
                ways += [None] * (bool(target.json.get("range")) or not instant)
                self.all[target.id] = [self._ask_prometheus(query, one, least) for one in ways]
                self.chosen[target.id] = [self._ask_prometheus(narrowed, one, least) for one in ways]
                self.trees[target.id] = _tree(self._servers.prometheus, query)
            else:
                self.all[target.id] = [self._ask_loki(query, is_instant=instant)]
                self.chosen[target.id] = [self._ask_loki(narrowed, is_instant=instant)]
        for annotation in committed.annotation_queries():
            if annotation.dashboard == name and self.has_loki:
                query = fill(annotation.expr, "loki", self._view, widest)
                self.annotations[annotation.id] = self._ask_loki(query, is_instant=False)

    def _choices(self, name: str) -> tuple[Choices, Choices]:
        """All, and every value by name. A variable may ask by those before it."""
        widest: dict[str, Chosen] = {}
        narrow: dict[str, Chosen] = {}
        for variable in committed.variables(name):
            kind, label = variable.json["type"], variable.json["name"]
            if kind == "query":
                values = self._values(variable, widest)
                self.variables[variable.id] = values
                widest[label] = everything(variable, values)
                is_multi = bool(variable.json.get("multi"))
                narrow[label] = Chosen(tuple(values if is_multi else values[:1]), is_multi=is_multi)
            elif kind == "custom":
                values = [one.rpartition(" : ")[2].strip() for one in str(variable.query).split(",")]
                is_multi = bool(variable.json.get("multi"))
                has_all = bool(variable.json.get("includeAll"))
                narrow[label] = Chosen(tuple(values if is_multi else values[:1]), is_multi=is_multi)
                widest[label] = everything(variable, values) if has_all else narrow[label]
            elif kind != "datasource":
                current = variable.json.get("current") or {}
                value = str(current.get("value") or variable.json["query"]).split(",")[0]  # an interval, or some text
                widest[label] = narrow[label] = Chosen((value,), is_multi=False)
        return widest, narrow

    def _values(self, variable: Variable, choices: Choices) -> list[str]:
        source = variable.json["datasource"]["type"]
        if source == "loki":
            return self._loki_values(variable, choices) if self.has_loki else []
        query = str(variable.query)
        asked = fill(query, source, self._view, choices)
        if (match := _LABEL_VALUES.fullmatch(asked)) is not None:
            more = {"match[]": match["metric"]} if match["metric"] else {}
            path = f"label/{match['label']}/values"
            values: list[str] = self._servers.prometheus.ask(path, start=self._view.start, end=self._view.end, **more)
            return values
        match = _QUERY_RESULT.fullmatch(asked)
        assert match is not None, f"expected label_values(…) or query_result(…), was {asked}"
        rows = [str(one["metric"]) for one in self._servers.prometheus.query(match["query"])]
        pattern = variable.json.get("regex") or "(.+)"
        return [found[1] for row in rows if (found := re.search(pattern.strip("/"), row))]

    def _loki_values(self, variable: Variable, choices: Choices) -> list[str]:
        query = variable.query
        assert isinstance(query, dict), f"expected Grafana's form of a question to Loki, was {query!r}"
        asked = {"query": fill(query.get("stream") or "", "loki", self._view, choices)} if query.get("stream") else {}
        answer = _get(f"{self._servers.loki}/loki/api/v1/label/{query['label']}/values", self._nanoseconds() | asked)
        return list(answer["data"])

    def _ask_prometheus(self, query: str, at: float | None, least: str | None) -> Answer:
        """At one time; or, where that is None, over the view."""
        times: dict[str, object] = {"time": at}
        if at is None:
            times = {"start": self._view.start, "end": self._view.end, "step": step(self._view, least)}
        path = "query_range" if at is None else "query"
        try:
            data = self._servers.prometheus.ask(path, query=query, **times)
        except urllib.error.HTTPError as error:
            with error:
                return Answer(query, error.read().decode(), [], 0)
        if data["resultType"] == "scalar":
            return Answer(query, None, [{}], 1)
        samples = [[one["value"]] if "value" in one else one["values"] for one in data["result"]]
        numbers = sum(value not in {"NaN", "+Inf", "-Inf"} for some in samples for _, value in some)
        return Answer(query, None, [one["metric"] for one in data["result"]], numbers)

    def _ask_loki(self, query: str, *, is_instant: bool) -> Answer:
        asked: dict[str, object] = {"query": query, "limit": 100}
        path = "query" if is_instant else "query_range"
        asked |= {"time": round(self._view.end * 1e9)} if is_instant else {**self._nanoseconds(), "step": "5s"}
        try:
            data = _get(f"{self._servers.loki}/loki/api/v1/{path}", asked)["data"]
        except urllib.error.HTTPError as error:
            with error:
                return Answer(query, error.read().decode(), [], 0)
        result = data["result"]
        names = [one.get("stream") or one.get("metric") or {} for one in result]
        return Answer(query, None, names, sum(len(one.get("values", [0])) for one in result))

    def _nanoseconds(self) -> dict[str, object]:
        return {"start": round(self._view.start * 1e9), "end": round(self._view.end * 1e9)}


@contextlib.contextmanager
def lived(folder: Path) -> Iterator[tuple[Servers, View]]:
    """Servers that hold a whole life, while it goes on."""
    with contextlib.ExitStack() as stack:
        born = time.time()
        is_real = find("loki") is not None
        port = running.free_port()
        loki = f"http://127.0.0.1:{port}"
        desk = stack.enter_context(lively(folder, "--loki-url", loki))
        eventually(lambda: "deskwatch_sink_failures_total{" in desk.metrics(), 30, every=0.2)  # it comes up late
        (folder / "loki").mkdir()
        if is_real:
            stack.enter_context(running_real(folder / "loki", port))
        else:
            stack.enter_context(fake_loki.running(port=port))
        sidecar_port = int(desk.url.rpartition(":")[2])
        prometheus = stack.enter_context(scraping(folder, sidecar_port, loki if is_real else None))
        began = time.time()
        for one in HAPPENED:
            left = max(1.0, began + LIFE_SECONDS - time.time())
            eventually(partial(prometheus.query, one), left, every=0.5)
        yield Servers(prometheus, loki if is_real else None), View(born, time.time())


@contextlib.contextmanager
def scraping(folder: Path, port: int, loki: str | None) -> Iterator[running.Prometheus]:
    """A Prometheus of a sidecar, with the committed rules, reckoned each second; it scrapes itself and Loki too."""
    rules = folder / "rules"
    rules.mkdir()
    for path in (committed.ROOT / "prometheus" / "rules").glob("*.yml"):
        read = yaml.safe_load(path.read_text())
        for group in read["groups"]:
            group.pop("interval", None)
        (rules / path.name).write_text(yaml.safe_dump(read))
    others = {"loki": urllib.parse.urlsplit(loki).netloc} if loki else {}
    with running.prometheus(folder, port, rules=rules / "*.yml", others=others) as one:
        yield one


def _tree(prometheus: running.Prometheus, query: str) -> Any:
    """The syntax tree of some PromQL, as Prometheus reads it; None where it is none."""
    try:
        return prometheus.ask("parse_query", query=query)
    except urllib.error.HTTPError as error:
        error.close()
        return None


def _get(url: str, query: dict[str, object]) -> Any:
    with urllib.request.urlopen(f"{url}?{urllib.parse.urlencode(query)}", timeout=30) as answer:
        return json.load(answer)
