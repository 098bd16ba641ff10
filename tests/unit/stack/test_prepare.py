"""`deskwatch stack prepare`: tokens, a password, and an Alertmanager configuration that fits the secrets there are."""

from __future__ import annotations

import argparse
import itertools
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from deskwatch import stack
from deskwatch.errors import ConfigError
from tests.servers import require

TEMPLATE = Path(__file__).parents[3] / "alertmanager" / "alertmanager.template.yml"
SECRETS = {
    "slack_webhook_url": "https://slack.invalid/services/T0/B0/hush",
    "telegram_bot_token": "123456:Hush-hush_1",
    "telegram_chat_id": "-1001234567890",
    "heartbeat_url": "https://beat.invalid/hush",
}


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    folder = tmp_path / "secrets"
    folder.mkdir()
    return folder


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "stack"


def provide(secrets: Path, *names: str) -> None:
    for name in names:
        (secrets / name).write_text(SECRETS[name] + "\n")


def receivers(out: Path) -> dict[str, Any]:
    configuration = yaml.safe_load((out / "alertmanager" / "alertmanager.yml").read_text())
    return {receiver.pop("name"): receiver for receiver in configuration["receivers"]}


def test_a_fresh_clone_needs_no_preparation(out: Path, tmp_path: Path) -> None:
    """Without any secret, or even their folder, everything is made, and each channel left out is told once."""
    warnings = stack.prepare(tmp_path / "absent", TEMPLATE, out)

    assert receivers(out) == {"page": {}, "notice": {}, "digest": {}, "nobody": {}, "heartbeat": {}}
    assert [warning.partition(" left out")[0] for warning in warnings] == [
        "slack_configs of page, notice, digest",
        "telegram_configs of page, notice, digest",
        "webhook_configs of heartbeat",
    ]
    assert "no secret telegram_bot_token, telegram_chat_id in " in warnings[1]


def test_sidecar_and_prometheus_get_one_token_and_keep_it(secrets: Path, out: Path) -> None:
    """Tokens and the password are random, long enough, and the same at the next start."""
    generated = ["deskwatch/scrape-token", "prometheus/scrape-token", "grafana/admin-password"]
    stack.prepare(secrets, TEMPLATE, out)
    first = [(out / name).read_text() for name in generated]
    stack.prepare(secrets, TEMPLATE, out)

    assert [(out / name).read_text() for name in generated] == first
    assert first[0] == first[1]
    assert first[1] != first[2]
    assert min(map(len, first)) >= 24


def test_two_stacks_share_no_password(secrets: Path, tmp_path: Path) -> None:
    """There is no default: each stack generates its own."""
    stack.prepare(secrets, TEMPLATE, tmp_path / "one")
    stack.prepare(secrets, TEMPLATE, tmp_path / "other")
    for name in ("grafana/admin-password", "deskwatch/scrape-token"):
        assert (tmp_path / "one" / name).read_text() != (tmp_path / "other" / name).read_text()


def test_a_lost_copy_of_the_token_is_restored(secrets: Path, out: Path) -> None:
    """If one volume is deleted, its consumer gets the token that the other still has."""
    stack.prepare(secrets, TEMPLATE, out)
    token = (out / "prometheus" / "scrape-token").read_text()
    (out / "deskwatch" / "scrape-token").unlink()
    stack.prepare(secrets, TEMPLATE, out)
    assert (out / "deskwatch" / "scrape-token").read_text() == token


def test_secrets_are_named_as_files_and_never_written_into_the_configuration(secrets: Path, out: Path) -> None:
    """The configuration points at copies beside it, which are trimmed and which only their owner may read."""
    provide(secrets, *SECRETS)
    assert stack.prepare(secrets, TEMPLATE, out) == []

    folder = out / "alertmanager"
    text = (folder / "alertmanager.yml").read_text()
    for name, value in SECRETS.items():
        assert value not in text
        assert f"{folder / name}\n" in text
        assert (folder / name).read_text() == value
        assert (folder / name).stat().st_mode & 0o077 == 0


def test_half_of_a_channels_secrets_is_none(secrets: Path, out: Path) -> None:
    """Telegram without its chat is left out, Slack stays, and the token that nothing reads is not copied."""
    provide(secrets, "slack_webhook_url", "telegram_bot_token")
    (warning, _) = stack.prepare(secrets, TEMPLATE, out)

    assert "no secret telegram_chat_id in " in warning
    assert [list(receivers(out)[name]) for name in ("page", "notice", "digest")] == [["slack_configs"]] * 3
    assert not (out / "alertmanager" / "telegram_bot_token").exists()


def test_a_secret_that_was_taken_away_is_gone_at_the_next_start(secrets: Path, out: Path) -> None:
    """Revoking a secret removes its copy and its channel."""
    provide(secrets, *SECRETS)
    stack.prepare(secrets, TEMPLATE, out)
    (secrets / "slack_webhook_url").unlink()
    stack.prepare(secrets, TEMPLATE, out)

    assert not (out / "alertmanager" / "slack_webhook_url").exists()
    assert list(receivers(out)["page"]) == ["telegram_configs"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("slack_webhook_url", "xoxb-hush"),
        ("telegram_chat_id", "@hush"),
        ("telegram_bot_token", "hush"),
        ("heartbeat_url", "hush.example"),
    ],
)
def test_a_secret_of_the_wrong_kind_is_told_without_its_value(secrets: Path, out: Path, name: str, value: str) -> None:
    """A value that could not work is refused at the start, not at the first alert, and is not printed."""
    provide(secrets, *SECRETS)
    (secrets / name).write_text(value)
    warnings = stack.prepare(secrets, TEMPLATE, out)

    assert warnings[0].startswith(f"expected {secrets / name} to hold ")
    assert f"no secret {name} in " in warnings[1]
    assert value not in "".join(warnings).replace(str(secrets / name), "")


def test_an_empty_or_unreadable_file_is_no_secret(secrets: Path, out: Path) -> None:
    """An empty file counts as missing; one that is not text, or no file, is told."""
    (secrets / "slack_webhook_url").write_text(" \n")
    (secrets / "telegram_chat_id").mkdir()
    (secrets / "heartbeat_url").write_bytes(b"\xff\xfe")
    warnings = stack.prepare(secrets, TEMPLATE, out)
    assert warnings[:2] == [
        f"expected {secrets / 'heartbeat_url'} to hold text; it holds something else",
        f"expected to read {secrets / 'telegram_chat_id'}: Is a directory",
    ]
    assert receivers(out) == {"page": {}, "notice": {}, "digest": {}, "nobody": {}, "heartbeat": {}}


def test_message_templates_follow_the_source(secrets: Path, out: Path, tmp_path: Path) -> None:
    """Templates are copied beside the configuration, and one that was removed is removed there too."""
    source = tmp_path / "alertmanager"
    (source / "templates").mkdir(parents=True)
    (source / "a.yml").write_text(TEMPLATE.read_text())
    for name in ("old.tmpl", "kept.tmpl"):
        (source / "templates" / name).write_text("{{/* */}}")
    stack.prepare(secrets, source / "a.yml", out)
    (source / "templates" / "old.tmpl").unlink()
    stack.prepare(secrets, source / "a.yml", out)
    assert [path.name for path in (out / "alertmanager" / "templates").iterdir()] == ["kept.tmpl"]


@pytest.mark.parametrize(
    "text",
    [
        "receivers: {",
        "- a list",
        "route: {receiver: a}",
        "receivers: [page]",
        "receivers: [null]",
        "receivers: [{slack_configs: []}]",
        "receivers: [{name: page, 5: x}]",
        "receivers: [{name: page, slack_configs: {api_url_file: slack_webhook_url}}]",
        "receivers: []\ntime_intervals: [night]",
        "receivers: [\udcff]",
    ],
)
def test_a_template_that_is_no_configuration_is_refused(secrets: Path, out: Path, tmp_path: Path, text: str) -> None:
    """The error names the file, and nothing was written."""
    template = tmp_path / "template.yml"
    template.write_text(text, errors="surrogateescape")
    with pytest.raises(ConfigError, match=r"template\.yml"):
        stack.prepare(secrets, template, out)
    assert not out.exists()


def test_what_is_commented_out_below_its_key_is_left_out(secrets: Path, out: Path, tmp_path: Path) -> None:
    """A key without a value is as one that is not there."""
    template = tmp_path / "template.yml"
    template.write_text("receivers: [{name: page, slack_configs: }]\ntime_intervals:\n")
    assert stack.prepare(secrets, template, out) == []
    assert receivers(out) == {"page": {}}


def test_secrets_are_found_wherever_alertmanager_is_started(
    secrets: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that is named from here is written from the root."""
    provide(secrets, "slack_webhook_url")
    out.mkdir()
    monkeypatch.chdir(out)
    stack.prepare(secrets, TEMPLATE, Path("stack"))
    told = yaml.safe_load((out / "stack" / "alertmanager" / "alertmanager.yml").read_text())
    (page,) = told["receivers"][0]["slack_configs"]
    assert page["api_url_file"] == str(out / "stack" / "alertmanager" / "slack_webhook_url")


def test_an_absent_template_is_refused(secrets: Path, out: Path, tmp_path: Path) -> None:
    """The error says where it was expected."""
    with pytest.raises(ConfigError, match=r"absent\.yml: No such file"):
        stack.prepare(secrets, tmp_path / "absent.yml", out)


def test_files_are_given_to_those_who_read_them(secrets: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With give_away each consumer's user owns the files in its folder, and nobody else's."""
    given: dict[str, int] = {}
    monkeypatch.setattr("os.chown", lambda path, uid, _: given.update({str(path.relative_to(out)): uid}))
    provide(secrets, "heartbeat_url")
    stack.prepare(secrets, TEMPLATE, out, give_away=True)

    assert given.pop("deskwatch/scrape-token") == 10464
    assert given.pop("grafana/admin-password") == 472
    assert given.pop("prometheus/scrape-token") == 65534
    assert set(given.values()) == {65534}
    assert {"alertmanager/alertmanager.yml", "alertmanager/heartbeat_url"} < given.keys()


def test_the_command_prints_warnings_and_succeeds(secrets: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A missing secret is a warning on stderr; the stack starts all the same."""
    parser = argparse.ArgumentParser()
    stack.add_parser(parser.add_subparsers())
    given = ["stack", "prepare", "--secrets", str(secrets), "--template", str(TEMPLATE), "--out", str(out)]
    arguments = parser.parse_args(given)

    assert arguments.run(arguments) == 0
    told = capsys.readouterr()
    assert told.err.count("deskwatch: warning: ") == 3
    assert told.out == ""


@pytest.mark.parametrize("names", [c for n in range(5) for c in itertools.combinations(SECRETS, n)], ids="+".join)
def test_alertmanager_accepts_what_any_set_of_secrets_makes(secrets: Path, out: Path, names: tuple[str, ...]) -> None:
    """Amtool finds no fault in the configuration or its templates, whichever secrets there are."""
    amtool = require("amtool")
    provide(secrets, *names)
    stack.prepare(secrets, TEMPLATE, out)
    told = subprocess.run(
        [amtool, "check-config", out / "alertmanager" / "alertmanager.yml"], capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stdout + told.stderr
    assert "5 receivers" in told.stdout
