"""The `deskwatch` command."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deskwatch import cli, demo, schema
from deskwatch.config import Settings
from deskwatch.errors import DeskwatchError
from deskwatch.journal.retention import Keep
from deskwatch.sidecar import app, serve
from deskwatch.supervised import Restart, Supervised
from deskwatch.version import __version__


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Settings, Any]]:
    """What the command would serve."""
    calls: list[tuple[Settings, Any]] = []

    def run(settings: Settings, supervised: Any = None) -> int:
        calls.append((settings, supervised))
        return 0

    monkeypatch.setattr(serve, "run", run)
    return calls


def test_flags_become_settings(asked: list[tuple[Settings, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DESKWATCH_LOKI_URL", raising=False)
    flags = "--home h --host 0.0.0.0 --port 0 --allowed-host desk --allowed-host Desk2 --read-token-file t"
    loki = "--loki-url http://loki:3100 --loki-tenant fund --with-parent 17"
    files = "--loki-user desk --loki-password-file p --loki-token-file b --loki-ca-file c --otlp-endpoint http://otel"
    access = "--allowed-origin https://desk.example --tls-cert cert --tls-key key --insecure-http"
    assert cli.main(["sidecar", *flags.split(), *loki.split(), *files.split(), *access.split()]) == 0
    assert asked == [
        (
            Settings(
                home=Path("h").absolute(),
                host="0.0.0.0",
                port=0,
                allowed_hosts=("desk", "Desk2"),
                allowed_origins=("https://desk.example",),
                tls_cert=Path("cert"),
                tls_key=Path("key"),
                insecure_http=True,
                read_token_file=Path("t"),
                loki_url="http://loki:3100",
                loki_tenant="fund",
                loki_user="desk",
                loki_password_file=Path("p"),
                loki_token_file=Path("b"),
                loki_ca_file=Path("c"),
                otlp_endpoint="http://otel",
                with_parent=17,
            ),
            None,
        )
    ]


def test_limits_are_given_in_days_and_gib(asked: list[tuple[Settings, Any]]) -> None:
    flags = "--keep-days 2 --keep-gib 0.5 --budget-gib 1 --control-keep-days 9 --max-series 50"
    assert cli.main(["sidecar", *flags.split()]) == 0
    limits = asked[0][0].limits
    assert limits.bots == Keep(seconds=172_800, bytes=2**29, budget_bytes=2**30)
    assert limits.control.seconds == 9 * 86_400
    assert asked[0][0].max_series == 50


def test_the_environment_speaks_where_a_flag_is_absent(
    asked: list[tuple[Settings, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESKWATCH_HOME", "/somewhere")
    monkeypatch.setenv("DESKWATCH_LOKI_URL", "https://loki")
    monkeypatch.setenv("DESKWATCH_LOKI_TENANT", "fund")
    monkeypatch.setenv("DESKWATCH_LOKI_USER", "desk")
    monkeypatch.setenv("DESKWATCH_LOKI_PASSWORD_FILE", "/p")
    assert cli.main(["sidecar"]) == 0
    ((settings, _),) = asked
    assert (settings.home, settings.loki_url, settings.loki_tenant) == (Path("/somewhere"), "https://loki", "fund")
    assert (settings.host, settings.port) == ("127.0.0.1", 9464)
    assert (settings.loki_user, settings.loki_password_file, settings.loki_ca_file) == ("desk", Path("/p"), None)


@pytest.mark.parametrize(
    ("flags", "bot", "argv"),
    [
        (["--bot", "arb-1", "--", "python", "bot.py", "--fast"], "arb-1", ["python", "bot.py", "--fast"]),
        (["--", "/opt/bots/arb.sh"], "arb", ["/opt/bots/arb.sh"]),
    ],
)
def test_run_supervises_a_command(
    flags: list[str], bot: str, argv: list[str], asked: list[tuple[Settings, Any]]
) -> None:
    assert cli.main(["run", *flags]) == 0
    assert asked[0][1] == Supervised(bot=bot, command=tuple(argv))


def test_run_takes_what_it_is_told_of_the_process(asked: list[tuple[Settings, Any]]) -> None:
    flags = ["--restart", "always", "--crash-limit", "3", "--grace-seconds", "2", "--detach", "--log-mib", "0.5"]
    assert cli.main(["run", *flags, "--cancel-hook", "cancel --all 'my bot'", "--", "true"]) == 0
    assert asked[0][1] == Supervised(
        bot="true",
        command=("true",),
        restart=Restart.ALWAYS,
        crash_limit=3,
        grace_seconds=2.0,
        detach=True,
        log_bytes=512 * 1024,
        cancel_hook=("cancel", "--all", "my bot"),
    )


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["sidecar", "--port", "70000"], "expected --port to be 0 to 65535, was 70000"),
        (["sidecar", "--loki-url", "loki:3100"], "expected --loki-url to start with http:// or https://"),
        (["sidecar", "--keep-days", "0"], "expected --keep-days to be above 0, was 0.0"),
        (["sidecar", "--max-series", "0"], "expected --max-series to be at least 1, was 0"),
        (["sidecar", "--keep-gib", "nan"], "expected --keep-gib to be above 0, was nan"),
        (
            ["sidecar", "--keep-gib", "3", "--budget-gib", "2"],
            "expected --budget-gib to be at least --keep-gib, was 2.0",
        ),
        (["sidecar", "--loki-url", "https://me:secret@loki"], "expected --loki-url without a password in it"),
        (
            ["sidecar", "--home", "{home}", "--loki-url", "http://l", "--loki-token-file", "{file}-none"],
            "expected a secret for Loki in",
        ),
        (
            ["sidecar", "--home", "{home}", "--loki-url", "http://l", "--loki-user", "desk"],
            "expected --loki-user and --loki-password-file together",
        ),
        (["sidecar", "--home", "{home}", "--otlp-endpoint", "otel:4318"], "expected --otlp-endpoint to start with"),
        (["run", "--bot", "../x", "--", "true"], "expected the bot's name to be 1 to 63 letters"),
        (["run", "--grace-seconds", "0", "--", "true"], "expected --grace-seconds to be above 0, was 0.0"),
        (["run", "--hook-seconds", "nan", "--", "true"], "expected --hook-seconds to be above 0, was nan"),
        (["run", "--log-files", "0", "--", "true"], "expected --log-files to be at least 1, was 0"),
        (["run", "--cancel-hook", "'", "--", "true"], "expected --cancel-hook to be a command, but"),
        (["run", "--cancel-hook", " ", "--", "true"], "expected --cancel-hook to be a command, was nothing"),
        (["sidecar", "--home", "{file}"], "expected to read and write the folder"),
        (["sidecar", "--home", "{home}", "--read-token-file", "{file}-none"], "expected a token in"),
        (["sidecar", "--home", "{home}", "--read-token-file", "{file}"], "16 or more characters"),
        (["sidecar", "--home", "{home}", "--port", "{used}"], "choose another --port"),
        (
            ["sidecar", "--home", "{home}", "--host", "203.0.113.1", "--insecure-http"],
            "Cannot assign requested address",
        ),
        (["sidecar", "--home", "{home}", "--host", "0.0.0.0"], "expected TLS to listen on 0.0.0.0"),
        (["sidecar", "--home", "{home}", "--tls-cert", "{file}"], "--tls-cert and --tls-key together"),
        (
            ["sidecar", "--home", "{home}", "--tls-cert", "{file}", "--tls-key", "{file}"],
            "expected a certificate in",
        ),
        (["sidecar", "--home", "{home}", "--allowed-origin", "desk.example"], "expected --allowed-origin to be"),
        (["sidecar", "--home", "{home}", "--allowed-origin", "https://d/x"], "expected --allowed-origin to be"),
        (["sidecar", "--home", "{locked}"], "only sidecar of"),
        (["run", "--home", "{locked}", "--", "true"], "only sidecar of"),
    ],
)
def test_a_wrong_setting_is_told_in_one_line_with_status_2(
    argv: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, locked = tmp_path / "file", tmp_path / "locked"
    file.write_text("short")
    locked.mkdir()
    with socket.socket() as used:
        used.bind(("127.0.0.1", 0))
        used.listen()
        places = {"file": file, "home": tmp_path / "home", "locked": locked, "used": used.getsockname()[1]}
        holder = app.lock_home(Settings(home=locked))
        try:
            assert cli.main([word.format(**places) for word in argv]) == 2
        finally:
            os.close(holder)
    said = capsys.readouterr().err
    assert said.startswith("deskwatch: expected")
    assert words in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    "argv",
    [[], ["fly"], ["sidecar", "--port", "many"], ["run"], ["sidecar", "--unknown"]],
    ids=["nothing", "no such command", "no number", "no command to run", "no such flag"],
)
def test_what_the_command_line_does_not_know_has_status_2(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(argv)
    assert ended.value.code == 2
    assert "usage: deskwatch" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (DeskwatchError("no"), 2, "deskwatch: no\n"),
        (ModuleNotFoundError("No module named 'uvicorn'"), 2, "pip install 'deskwatch[all]'"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_trouble_ends_without_a_traceback(
    error: BaseException, status: int, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*_: object) -> int:
        raise error

    monkeypatch.setattr(serve, "run", run)
    assert cli.main(["sidecar"]) == status
    said = capsys.readouterr().err
    assert words in said
    assert "Traceback" not in said


def test_demo_gets_its_time_and_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Settings, dict[str, object]]] = []

    def run(settings: Settings, **how: object) -> int:
        asked.append((settings, how))
        return 0

    monkeypatch.setattr(demo, "run", run)
    assert cli.main(["demo", "--home", "h", "--seconds", "2.5", "--seed", "7"]) == 0
    assert asked == [(Settings(home=Path("h").absolute()), {"seconds": 2.5, "seed": 7})]


def test_schema_prints_the_schema(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert cli.main(["schema"]) == 0
    sys.stdout.flush()
    assert json.loads(capfdbinary.readouterr().out) == schema.build()


def test_the_module_runs_as_the_command_does() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "deskwatch", "--version"], capture_output=True, text=True, check=True, timeout=20
    )
    assert done.stdout == f"deskwatch {__version__}\n"
