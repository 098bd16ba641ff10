"""The checks of pint, held here or left out with a reason; and pint itself where it is at hand."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter

import pytest
import yaml

from tests.rules import FOLDER, ROOT, Rule, alerts, records, rules

IN_PROMTOOL = "promtool parses and lints every rule, and fires each in a test"
BY_SERVER = "asks a Prometheus that holds months; ours is asked in the functional tests"
NOT_ASKED = "a policy that pint enforces only where it is configured, and nobody asks for here"
CHECKS: dict[str, str | None] = {
    "alerts/absent": None,
    "alerts/annotation": "held by test_servers_configuration.py: which annotations there are, and what they look like",
    "alerts/comparison": "held by tests/functional/test_rules.py, on the syntax tree",
    "alerts/count": BY_SERVER,
    "alerts/external_labels": None,
    "alerts/for": None,
    "alerts/template": "held here (values in labels) and by tests/functional/test_rules.py (labels that are lost)",
    "group/interval": None,
    "ignore/file": None,
    "labels/conflict": "there are no external labels",
    "pint/comment": "there are no comments to pint, see ignore/file",
    "promql/aggregate": NOT_ASKED,
    "promql/counter": "held by tests/functional/test_rules.py, on the syntax tree",
    "promql/features": "Prometheus runs without feature flags, so that promtool refuses what needs one",
    "promql/fragile": None,
    "promql/impossible": "each alert fires in a test of promtool",
    "promql/nan": "a comparison with NaN is false; tests of promtool hold the quiet bot, which divides by 0",
    "promql/offset": "held by the parser: there is no `offset -0s` to find",
    "promql/range_query": "held by tests/functional/test_rules.py: windows against the retention",
    "promql/rate": "held by tests/functional/test_rules.py: windows against the interval of scrapes",
    "promql/regexp": None,
    "promql/selector": NOT_ASKED,
    "promql/series": "held by test_servers_configuration.py: every name is served or recorded",
    "promql/syntax": IN_PROMTOOL,
    "promql/vector_matching": IN_PROMTOOL,
    "query/cost": BY_SERVER,
    "rule/dependency": "held by test_servers_configuration.py: a recorded name that is used exists",
    "rule/duplicate": None,
    "rule/for": NOT_ASKED,
    "rule/label": "held by test_servers_configuration.py: severities",
    "rule/link": "held by test_servers_configuration.py and by dashboards/test_links.py, without a network",
    "rule/name": None,
    "rule/owner": NOT_ASKED,
    "rule/reject": NOT_ASKED,
    "rule/report": NOT_ASKED,
    "yaml/parse": IN_PROMTOOL,
}
"""pint's checks → why one is not held in this file; None: it is, by the test that is named after it."""
AT_ONCE: dict[str, str] = {
    "Watchdog": "it always fires",
    "BotProcessGaveUp": "the supervisor has waited and tried again already: it is a crash loop",
}
"""Alerts that neither wait nor look back, and why."""
NOT_BY_PINT: dict[str, str] = {
    "alerts/comparison": "Watchdog fires always, by design; tests/functional/test_rules.py asks all others",
    "rule/dependency": "figures of a day or a month are made of others' series: one evaluation matters not",
}
"""What pint itself is not asked, and why."""
WINDOW = re.compile(r"\[(\d+)([smhd])(?::[^\]]*)?\]|offset (\d+)([smhd])")
RECORD = re.compile(r"\b[a-z_]+:\w+:\w+")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
PATIENCE_SECONDS = 30
"""Six scrapes."""
SINCE = re.compile(r"\bbot:\w+_seconds:threshold\b")
"""A threshold of time: what fires by it has lasted."""
each_rule = pytest.mark.parametrize("rule", rules(), ids=lambda one: one.id)
each_alert = pytest.mark.parametrize("rule", alerts(), ids=lambda one: one.id)


def test_every_check_is_held_or_excused() -> None:
    """A check without a reason has a test of its name here."""
    held = {f"test_{name.replace('/', '_')}" for name, reason in CHECKS.items() if reason is None}
    assert held <= set(globals())


@each_alert
def test_alerts_absent(rule: Rule) -> None:
    """What fires because something is missing waits for at least two scrapes."""
    if "absent(" in rule.expr:
        assert _seconds(rule.json.get("for", "0s")) >= 2 * _scrape_seconds()


@each_alert
def test_alerts_external_labels(rule: Rule) -> None:
    """There are none to name."""
    assert "$externalLabels" not in str(rule.json)


@each_alert
def test_alerts_for(rule: Rule) -> None:
    """One sample makes no alert: it waits, or it looks at a while, or the list says why it need not."""
    waits = _seconds(rule.json.get("for", "0s"))
    text = _with_records(rule.expr)
    looks = max((int(a or c) * _SECONDS[b or d] for a, b, c, d in WINDOW.findall(text)), default=0)
    has_lasted = SINCE.search(rule.expr) is not None
    assert (waits > 0 or looks >= PATIENCE_SECONDS or has_lasted) != (rule.name in AT_ONCE)
    assert rule.json.get("for") != "0s"


@each_alert
def test_alerts_template(rule: Rule) -> None:
    """A label with the value in it would make a new alert at each look."""
    assert not re.search(r"\$value|\.Value", str(rule.json.get("labels", {})))


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yml")), ids=lambda path: path.name)
def test_group_interval(path: object) -> None:
    """No group is reckoned more often than there are new samples, nor so seldom that series go stale in between."""
    for group in yaml.safe_load((FOLDER / str(path)).read_text())["groups"]:
        assert _scrape_seconds() <= _seconds(group.get("interval", f"{_scrape_seconds()}s")) <= 4 * 60


def test_ignore_file() -> None:
    """Nothing is hidden from pint."""
    assert not [path for path in FOLDER.glob("*.yml") if re.search(r"#\s*pint\b", path.read_text())]


@each_alert
def test_promql_fragile(rule: Rule) -> None:
    """The first of a ranking changes from one look to the next, so that an alert on it never lasts."""
    assert not re.search(r"\b(topk|bottomk|limitk|limit_ratio)\b", rule.expr)


@each_rule
def test_promql_regexp(rule: Rule) -> None:
    """A regular expression has something to match, and no anchors: it is anchored anyway."""
    for operator, pattern in re.findall(r'(=~|!~)\s*"((?:[^"\\]|\\.)*)"', rule.expr):
        assert re.search(r"[.*+?|()\[\]]", pattern), f"{operator}{pattern} is a plain comparison"
        assert not pattern.startswith("^")
        assert not pattern.endswith("$")


def test_rule_duplicate() -> None:
    """No series is recorded twice, and no alert is there twice with the same labels."""
    seen = Counter(
        (one.name, tuple(sorted((name, str(value)) for name, value in one.json.get("labels", {}).items())))
        for one in rules()
        if "alert" in one.json or not one.json.get("labels")
    )
    assert [name for (name, _), count in seen.items() if count > 1 and not _are_parts(name)] == []
    texts = Counter((one.name, one.expr, str(one.json.get("labels"))) for one in rules())
    assert [name for (name, _, _), count in texts.items() if count > 1] == []


@pytest.mark.parametrize("rule", records(), ids=lambda one: one.name)
def test_rule_name(rule: Rule) -> None:
    """level:metric:operations."""
    assert re.fullmatch(r"[a-z_]+:[a-z][a-z0-9_]*:[a-z][a-z0-9_]*", rule.name)


def test_pint_finds_nothing() -> None:
    """The program itself, from PATH or `.servers/`; without it its rules are held by the tests above."""
    pint = shutil.which("pint", path=ROOT / ".servers" / "bin") or shutil.which("pint")
    if pint is None:
        pytest.skip("needs pint; where there is a Go toolchain .ci/install-servers brings it")
    disabled = [f"--disabled={name}" for name in NOT_BY_PINT]
    command = [pint, "--no-color", "--offline", *disabled, "lint", "--fail-on=warning", str(FOLDER)]
    told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert told.returncode == 0, told.stdout + told.stderr


def _with_records(expr: str) -> str:
    """An expression, and those of all recorded series that it is made of."""
    known: dict[str, str] = {}
    for one in records():
        known[one.name] = f"{known.get(one.name, '')} {one.expr}"
    found, names = expr, set(RECORD.findall(expr))
    while names:
        name = names.pop()
        more = known.pop(name, "")
        found += more
        names |= set(RECORD.findall(more)) & known.keys()
    return found


def _are_parts(name: str) -> bool:
    """Whether each of the rules of a name has labels of its own: parts of one series."""
    some = [one for one in rules() if one.name == name]
    return len({one.expr for one in some}) == len(some)


def _scrape_seconds() -> float:
    read = yaml.safe_load((ROOT / "prometheus" / "prometheus.yml").read_text())
    return _seconds(read["global"]["scrape_interval"])


def _seconds(duration: str) -> float:
    return sum(int(count) * _SECONDS[unit] for count, unit in re.findall(r"(\d+)([smhd])", duration))
