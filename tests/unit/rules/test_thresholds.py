"""`thresholds.yml`: what is refused, and what its rules record in a real Prometheus's engine."""

from __future__ import annotations

import subprocess
from pathlib import Path
from textwrap import dedent

import pytest

from deskwatch.errors import ConfigError
from deskwatch.rules import thresholds
from tests.servers import require

RULES = """
groups:
  - name: own
    rules:
      - alert: BotLow
        expr: x > on (bot) group_left () bot:fall_warning_ratio:threshold or y > bot:fall_critical_ratio:threshold
      - alert: BotQuiet
        expr: z > on (bot) group_left () bot:quiet_seconds:threshold
"""
NAMES = "expected the name of a bot to be 1 to 63 letters, digits, '.', '_' or '-', starting with a letter or digit"
DEFAULTS = "defaults: {fall_warning_ratio: 0.1, fall_critical_ratio: 0.2, quiet_seconds: 30}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "own.yml").write_text(RULES)
    return tmp_path


def made(folder: Path, source: str) -> str:
    (folder / "thresholds.yml").write_text(dedent(source))
    return thresholds.text(folder)


def faults(folder: Path, source: str) -> list[str]:
    """What is said of a source, a line each, without the file's path in front."""
    with pytest.raises(ConfigError) as told:
        made(folder, source)
    prefix = f"{folder / 'thresholds.yml'}: "
    lines = str(told.value).splitlines()
    assert all(line.startswith(prefix) for line in lines)
    return [line.removeprefix(prefix) for line in lines]


def test_a_bots_own_number_wins_and_every_known_bot_has_one_series(folder: Path) -> None:
    """With two sidecars for one bot, a bot that was not scraped for minutes, and numbers for one that nobody knows."""
    promtool = require("promtool")
    (folder / "rules" / "thresholds.yml").write_text(
        made(folder, DEFAULTS + "bots: {arb-1: {fall_warning_ratio: 0.05}, arb.2: , nobody: {quiet_seconds: 5}}\n")
    )
    (folder / "tests.yml").write_text(
        dedent("""
        rule_files: [rules/thresholds.yml]
        evaluation_interval: 15s
        tests:
          - interval: 15s
            input_series:
              - series: tradebot_last_event_timestamp_seconds{job="deskwatch", instance="a:9464", bot="arb-1"}
                values: 0+15x20
              - series: tradebot_last_event_timestamp_seconds{job="deskwatch", instance="b:9464", bot="arb-1"}
                values: 0+15x20
              - series: tradebot_last_event_timestamp_seconds{job="deskwatch", instance="a:9464", bot="arb.2"}
                values: 0+15x15 stale
            promql_expr_test:
              - expr: bot:fall_warning_ratio:threshold
                eval_time: 5m
                exp_samples:
                  - {labels: 'bot:fall_warning_ratio:threshold{bot="arb-1"}', value: 0.05}
                  - {labels: 'bot:fall_warning_ratio:threshold{bot="arb.2"}', value: 0.1}
              - expr: bot:quiet_seconds:threshold
                eval_time: 5m
                exp_samples:
                  - {labels: 'bot:quiet_seconds:threshold{bot="arb-1"}', value: 30}
                  - {labels: 'bot:quiet_seconds:threshold{bot="arb.2"}', value: 30}
              - expr: bot:quiet_seconds:threshold
                eval_time: 15m
                exp_samples: []
        """)
    )
    for command in (
        ["check", "rules", "--lint=all", "--lint-fatal", str(folder / "rules" / "thresholds.yml")],
        ["test", "rules", str(folder / "tests.yml")],
    ):
        told = subprocess.run([promtool, *command], capture_output=True, text=True, check=False, timeout=60)
        assert told.returncode == 0, told.stdout + told.stderr


def test_all_that_is_wrong_is_told_at_once(folder: Path) -> None:
    """Each line names the key, what was expected and, where that helps, what was there."""
    assert faults(
        folder,
        """
        default: {}
        defaults:
          fall_warning_ratio: 10
          fall_critical_ratio: soon
          fall_warn_ratio: 0.1
        bots:
          arb-1:
            quiet_secs: 5
            quiet_seconds: true
          2026: {quiet_seconds: 1}
          "a b": {quiet_seconds: -1}
          arb-2: 7
        """,
    ) == [
        "default: expected 'defaults' or 'bots'",
        "defaults.fall_warning_ratio: expected a ratio from 0 to 1 (0.1 is 10 %), was 10",
        "defaults.fall_critical_ratio: expected a number, 0 or more, was 'soon'",
        "defaults.fall_warn_ratio: expected a threshold that a rule uses; is fall_warning_ratio meant?",
        "defaults.quiet_seconds: expected a number, since rules/own.yml uses it; was missing",
        "bots.arb-1.quiet_secs: expected a threshold that a rule uses; is quiet_seconds meant?",
        "bots.arb-1.quiet_seconds: expected a number, 0 or more, was True",
        "bots.2026: expected the name of a bot, was 2026; put it in quotes",
        f"bots.a b: {NAMES}, was 'a b'",
        "bots.a b.quiet_seconds: expected a number, 0 or more, was -1",
        "bots.arb-2: expected a number for some thresholds, was 7",
    ]


def test_a_name_like_no_other_is_answered_with_all_names(folder: Path) -> None:
    """Whoever guesses sees what there is."""
    known = "fall_critical_ratio, fall_warning_ratio, quiet_seconds"
    assert faults(folder, DEFAULTS + "bots: {a: {zzz: 1}}") == [
        f"bots.a.zzz: expected a threshold that a rule uses; known are: {known}"
    ]


def test_a_warning_that_would_come_after_the_page_is_refused(folder: Path) -> None:
    """Also where only one of both is a bot's own."""
    assert faults(folder, DEFAULTS + "bots: {a: {fall_warning_ratio: 0.3}, b: {fall_critical_ratio: 0.05}}") == [
        "bots.a.fall_warning_ratio: expected at most fall_critical_ratio (0.2), was 0.3; set both",
        "bots.b.fall_warning_ratio: expected at most fall_critical_ratio (0.05), was 0.1; set both",
    ]


def test_where_low_is_bad_the_page_has_the_lower_number(folder: Path) -> None:
    """The defaults tell which way is worse."""
    source = DEFAULTS.replace("0.1,", "0.3,")
    assert faults(folder, source + "bots: {a: {fall_warning_ratio: 0.1}}") == [
        "bots.a.fall_warning_ratio: expected at least fall_critical_ratio (0.2), was 0.1; set both"
    ]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("", "expected .* to hold names and values, was NoneType"),
        ("- 1", "expected .* to hold names and values, was list"),
        ("defaults: {", "expected YAML in"),
        ("defaults:\n", "defaults: expected a number for each threshold"),
        (DEFAULTS + "bots: [arb-1]", "bots: expected thresholds of bots, by their names, was"),
        (DEFAULTS + "bots:\n  a: {}\n  b: {}\n  a: {}\n", "line 5: expected 'a' once; delete one"),
    ],
)
def test_what_is_no_such_file_is_told(folder: Path, source: str, said: str) -> None:
    """Of a key that stands twice YAML would take the last, and say nothing."""
    with pytest.raises(ConfigError, match=said):
        made(folder, source)


def test_a_missing_file_is_told(folder: Path) -> None:
    """With its path."""
    with pytest.raises(ConfigError, match=r"expected to read .*thresholds.yml: No such file"):
        thresholds.text(folder)
