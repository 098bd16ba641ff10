"""Objectives in one file become indicators and alerts; what is wrong with the file is told, all at once."""

from __future__ import annotations

import copy
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from deskwatch.errors import ConfigError
from deskwatch.projections.metrics.buckets import SECONDS
from deskwatch.rules import burn, objectives, slo
from tests.servers import require

PROMETHEUS = Path(__file__).parents[3] / "prometheus"
COMMITTED: dict[str, Any] = yaml.safe_load((PROMETHEUS / objectives.SOURCE).read_text())


def folder(tmp_path: Path, change: dict[str, Any] | None = None, bots: Any = None) -> Path:
    """A folder with the committed objectives, some numbers changed (None: taken away), and bots."""
    content = copy.deepcopy(COMMITTED)
    for where, value in (change or {}).items():
        name, _, key = where.partition(".")
        if value is None:
            content["objectives"].pop(name) if not key else content["objectives"][name].pop(key)
        elif key:
            content["objectives"].setdefault(name, {})[key] = value
        else:
            content["objectives"][name] = value
    if bots is not None:
        content["bots"] = bots
    (tmp_path / objectives.SOURCE).write_text(yaml.safe_dump(content))
    return tmp_path


def recorded(text: str, name: str, slo_name: str) -> str:
    """The expression of a recording rule of an objective."""
    rules = [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]
    (found,) = [one["expr"] for one in rules if (one["record"], one.get("labels")) == (name, {"slo": slo_name})]
    return " ".join(found.split())


def test_promtool_accepts_what_bots_of_their_own_make(tmp_path: Path) -> None:
    """Rules with several bots' numbers are rules, without a lint."""
    bots = {
        "slow": {"execution_latency": {"within_seconds": 30, "objective": 0.95}, "data_freshness": None},
        "slow.er": {"execution_latency": {"within_seconds": 30}, "data_freshness": {"within_seconds": 600}},
        "fast": {"execution_latency": {"within_seconds": 0.5}, "order_success": {"objective": 0.999}},
        "as-all": {"execution_latency": {"within_seconds": 5}},
        "nothing": None,
    }
    given = folder(tmp_path, bots=bots)
    for name, text in ((slo.FILE, slo.text(given)), (burn.FILE, burn.text(given))):
        (tmp_path / name).write_text(text)
        told = subprocess.run(
            [require("promtool"), "check", "rules", "--lint=all", "--lint-fatal", tmp_path / name],
            capture_output=True,
            text=True,
            check=False,
        )
        assert told.returncode == 0, told.stdout + told.stderr


def test_a_bot_has_its_own_bucket_and_the_others_keep_theirs(tmp_path: Path) -> None:
    """Each bot is in exactly one matcher; names that are regular expressions mean themselves."""
    bots = {
        "slow.er": {"execution_latency": {"within_seconds": 30}},
        "fast": {"execution_latency": {"within_seconds": 1}},
    }
    expression = recorded(slo.text(folder(tmp_path, bots=bots)), "bot_slo:errors:increase5m", "execution_latency")
    bucket = "tradebot_order_latency_seconds_bucket"
    assert f'{bucket}{{le=~"5|5[.]0", bot!~"fast|slow[.]er"}}' in expression
    assert f'{bucket}{{le=~"1|1[.]0", bot=~"fast"}}' in expression
    assert f'{bucket}{{le=~"30|30[.]0", bot=~"slow[.]er"}}' in expression


def test_a_bots_own_objective_stands_before_that_of_all(tmp_path: Path) -> None:
    """Of series with the same labels the first wins."""
    text = slo.text(folder(tmp_path, bots={"arb-1": {"order_success": {"objective": 0.999}}}))
    expression = recorded(text, "bot_slo:objective:ratio", "order_success")
    own, others = expression.split(" or ")
    assert own.endswith("* 0.999")
    assert 'bot=~"arb-1"' in own
    assert others.endswith("* 0.99")


def test_guards_reach_the_alerts(tmp_path: Path) -> None:
    """How few are too few is asked in the long window of each pair."""
    text = burn.text(folder(tmp_path, {"order_success.least_requests": 77, "order_success.least_failures": 5}))
    rules = yaml.safe_load(text)["groups"][0]["rules"]
    page, notice = (rule["expr"] for rule in rules if rule["alert"] == "BotOrderSuccessBudgetBurn")
    for expression, windows in ((page, ("1h", "6h")), (notice, ("1d", "3d"))):
        for window in windows:
            assert f"bot_slo:requests:increase{window} >= 77" in expression
            assert f"bot_slo:requests:increase{window} * bot_slo:sli_error:ratio_rate{window} >= 5" in expression


def test_bounds_that_the_file_names_are_those_of_the_histogram() -> None:
    """What the comment offers is what is accepted."""
    words = " ".join((PROMETHEUS / objectives.SOURCE).read_text().replace("#", " ").split())
    assert ", ".join(f"{bound:g}" for bound in SECONDS) + ": the bounds" in words


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"order_success": None}, "objectives.order_success: expected its numbers, was missing"),
        ({"order_success": 0.99}, "objectives.order_success: expected objective, least_requests, least_failures, was"),
        ({"order_success.objective": None}, "objectives.order_success.objective: expected a number, was missing"),
        ({"order_success.objective": 1}, "expected a part of 1, above 0.931 and below 1, was 1"),
        ({"order_success.objective": 0.9}, "expected a part of 1, above 0.931 and below 1, was 0.9"),
        ({"order_success.objective": True}, "expected a number, 0 or more, was True"),
        ({"order_success.least_requests": "many"}, "expected a number, 0 or more, was 'many'"),
        ({"order_success.least_request": 3}, "expected a number's name; is least_requests meant?"),
        ({"execution_latency.within_seconds": 3}, "objectives.execution_latency.within_seconds: expected one of 0.001"),
        ({"data_freshness.within_seconds": -1}, "expected a number, 0 or more, was -1"),
        ({"fill_quality": {}}, "objectives.fill_quality: expected an objective; known are: order_success, "),
    ],
)
def test_a_wrong_number_is_told_with_its_place(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    """The message says the file, the key, what was expected and what it was."""
    with pytest.raises(ConfigError) as error:
        slo.text(folder(tmp_path, change))
    assert told in str(error.value)
    assert str(error.value).startswith(str(tmp_path / objectives.SOURCE))


@pytest.mark.parametrize(
    ("bots", "told"),
    [
        (["arb-1"], "bots: expected objectives of bots, by their names, was ['arb-1']"),
        ({"a/b": {}}, "bots.a/b: expected the name of a bot to be"),
        ({7: {}}, "bots.7: expected the name of a bot, was 7; put it in quotes"),
        ({"arb-1": 0.9}, "bots.arb-1: expected objectives and their numbers, was 0.9"),
        ({"arb-1": {"order_success": {"least_requests": 1}}}, "bots.arb-1.order_success.least_requests: expected"),
        ({"arb-1": {"sidecar_availability": {"objective": 0.99}}}, "bots.arb-1.sidecar_availability: expected"),
    ],
)
def test_a_wrong_bot_is_told_with_its_place(tmp_path: Path, bots: Any, told: str) -> None:
    """Bots may have an objective and a limit of their own, and nothing else."""
    with pytest.raises(ConfigError) as error:
        burn.text(folder(tmp_path, bots=bots))
    assert told in str(error.value)


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    """Three faults, three lines; an unknown part of the file is one of them."""
    given = folder(tmp_path, {"order_success.objective": 2, "data_freshness.within_seconds": "x"})
    content = yaml.safe_load((given / objectives.SOURCE).read_text())
    (given / objectives.SOURCE).write_text(yaml.safe_dump(content | {"targets": {}}))
    with pytest.raises(ConfigError) as error:
        slo.text(given)
    assert len(str(error.value).splitlines()) == 3
    assert "targets: expected 'objectives' or 'bots'" in str(error.value)


def test_a_file_without_objectives_is_told(tmp_path: Path) -> None:
    """An empty list of promises is no promise."""
    (tmp_path / objectives.SOURCE).write_text("objectives: none")
    with pytest.raises(ConfigError, match=r"objectives: expected order_success, .*, was 'none'"):
        slo.text(tmp_path)
