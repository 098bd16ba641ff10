"""`deskwatch watch` and `deskwatch doctor`: flags made of a kind's settings, and what is said of a peer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from deskwatch import cli
from deskwatch.config import Settings
from deskwatch.sidecar import serve
from deskwatch.sources import KINDS
from deskwatch.sources.kinds import Configured
from deskwatch.sources.source import Finding
from deskwatch.watch import doctor
from tests.sources import example
from tests.unit.sources import test_file as plain

Asked = list[tuple[Settings, list[Configured]]]


@pytest.fixture(autouse=True)
def _kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, "plain", plain.__name__)
    monkeypatch.setitem(KINDS, "example", example.__name__)
    monkeypatch.setitem(KINDS, "lacking", "tests.unit.sources.lacking")
    monkeypatch.delenv("DESKWATCH_CONFIG", raising=False)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """What the command would serve."""
    calls: Asked = []

    def run(settings: Settings, *_: Any, watched: Any = ()) -> int:
        calls.append((settings, list(watched)))
        return 0

    monkeypatch.setattr(serve, "run", run)
    return calls


def test_a_kinds_settings_are_flags(asked: Asked, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A list's is given once for each, in the singular; a struct's fields are parted by commas that begin another."""
    monkeypatch.chdir(tmp_path)
    flags = "--url http://peer --poll-seconds 0.5 --dry --password-file secret --chain-id 1 --chain-id 5"
    wallets = ["--wallet", "name=hot, and cold", "--wallet", "name=b,decimals=6", "--label", "desk=a,b"]
    assert cli.main(["watch", "plain", "--bot", "b", "--port", "0", *flags.split(), *wallets]) == 0
    ((settings, (one,)),) = asked
    assert settings.port == 0
    assert one.settings == plain.Settings(
        bot="b",
        url="http://peer",
        poll_seconds=0.5,
        dry=True,
        password_file=tmp_path / "secret",
        chain_ids=[1, 5],
        wallets=(plain.Wallet(name="hot, and cold"), plain.Wallet(name="b", decimals=6)),
        labels={"desk": "a,b"},
    )


def test_a_flag_that_the_sidecar_has_too_gets_the_kinds_name(asked: Asked) -> None:
    assert cli.main(["watch", "plain", "--url", "u", "--port", "1", "--plain-port", "2"]) == 0
    ((settings, (one,)),) = asked
    assert (settings.port, getattr(one.settings, "port", None)) == (1, 2)


def test_a_file_says_what_to_watch_beside_the_flags(
    asked: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For every command that starts a sidecar; DESKWATCH_CONFIG names it as well."""
    path = plain.written(tmp_path, plain.block())
    assert cli.main(["watch", "--config", str(path)]) == 0
    monkeypatch.setenv("DESKWATCH_CONFIG", str(path))
    assert cli.main(["watch"]) == 0
    assert cli.main(["sidecar"]) == 0
    assert [(settings.config, watched) for settings, watched in asked] == [(path, [])] * 3


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ([], "expected what to watch: one of freqtrade, evm, hummingbot"),
        (["freqtrad"], "to watch, was 'freqtrad'; is freqtrade meant?"),
        (["freqtrad", "--url", "u"], "to watch, was 'freqtrad'; is freqtrade meant?"),
        (["http://u:hunter2@p"], "expected one of freqtrade, evm, hummingbot"),
        (["--home", "h", "plain"], "expected plain right after watch, was a flag; write: watch plain …"),
        (["plain"], "--url: expected it, was not given; it is where it listens"),
        (["plain", "--url", "u", "--poll-seconds", "x"], "--poll-seconds: expected a number, was 'x'"),
        (["plain", "--url", "u", "--wallet", "hot"], "--wallet: expected name=value, parted by commas, was 'hot'"),
        (["plain", "--url", "u", "--wallet", "name=a,name=b"], "--wallet: expected name= once, was twice"),
        (["plain", "--url", "u", "--wallet", "decimals=1"], "--wallet 1: expected name, was not given; give it"),
        (["plain", "--password", "hunter2", "--url", "u"], "expected no secret among the flags"),
        (
            ["plain", "--url", "http://u:hunter2@p"],
            "--url: expected a URL without a password in it; secrets belong into",
        ),
        (["plain", "--url", "5", "--bot", "a/b"], "expected the bot's name"),
        (["lacking"], "pip install 'deskwatch[lacking]'"),
        (["--config", "none.toml"], "expected to read the configuration none.toml"),
    ],
)
def test_a_wrong_flag_is_told_in_words(flags: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["watch", *flags]) == 2
    told = capsys.readouterr()
    assert words in told.err
    assert "hunter2" not in told.err + told.out


def test_a_kinds_flags_without_the_kind_are_told_to_follow_it(capsys: pytest.CaptureFixture[str]) -> None:
    """What stands behind them is not taken for the kind, and not shown."""
    with pytest.raises(SystemExit):
        cli.main(["watch", "--url", "http://u:hunter2@p"])
    told = capsys.readouterr().err
    assert "unrecognized arguments: --url; the flags of a kind follow its name: deskwatch watch freqtrade|evm" in told
    assert "hunter2" not in told


def test_an_unknown_flag_ends_with_the_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["watch", "plain", "--url", "u", "--pas", "hunter2"])
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert "unrecognized arguments: --pas" in told
    assert "hunter2" not in told


def test_help_tells_each_setting_of_a_kind(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["watch", "plain", "--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert "--poll-seconds N time between looks (default: 1.0)" in told
    assert "--wallet name=…[,…] accounts: name, decimals; repeatable" in told
    assert "--bot TEXT the name the bot has here" in told


def test_a_file_without_a_block_is_nothing_to_watch(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = plain.written(tmp_path, "")
    for command in ("watch", "doctor"):
        assert cli.main([command, "--config", str(path)]) == 2
        assert "expected a [[source]] block in" in capsys.readouterr().err


class Peer(example.ExampleSource):
    """Finds what the test wants it to find."""

    findings: Callable[[], AsyncIterator[Finding]]

    def examine(self) -> AsyncIterator[Finding]:
        return type(self).findings()


async def _well() -> AsyncIterator[Finding]:
    yield Finding(ok=True, what="The peer answers.")
    yield Finding(ok=None, what="It is old.", cure="Update it\x1b[2J.")


async def _ill() -> AsyncIterator[Finding]:
    yield Finding(ok=False, what="The peer refuses the password.", cure="Write the right one.")


async def _faulty() -> AsyncIterator[Finding]:
    yield Finding(ok=True, what="The peer answers.")
    raise ValueError("http://u:hunter2@peer")


async def _endless() -> AsyncIterator[Finding]:
    yield Finding(ok=True, what="The peer answers.")
    await asyncio.Event().wait()


async def _long() -> AsyncIterator[Finding]:
    """Each takes 40 s by the loop's clock."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    for number in range(1, 5):
        loop.time = lambda seconds=40.0 * number: began + seconds  # type: ignore[method-assign,misc]  # no one sleeps
        for _ in range(3):
            await asyncio.sleep(0)
        yield Finding(ok=True, what=f"Wallet {number} is there.")


async def _silent() -> AsyncIterator[Finding]:
    return
    yield


@pytest.mark.parametrize(
    ("findings", "status", "words"),
    [
        (_well, 0, "  ✓ The peer answers.\n  ! It is old.\n    → Update it\\x1b[2J.\n"),
        (_ill, 1, "  ✗ The peer refuses the password.\n    → Write the right one.\n"),
        (_faulty, 1, "  ✓ The peer answers.\n  ✗ The look failed: ValueError: http://u:[redacted]@peer\n"),
        (_endless, 1, "  ✗ Nothing more was found out for 0.05 s.\n"),
        (_long, 0, "  ✓ Wallet 3 is there.\n  ✓ Wallet 4 is there.\n"),
        (_silent, 0, "  ! Nothing was looked at.\n"),
    ],
)
def test_doctor_tells_what_it_finds(
    findings: Any, status: int, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its exit status is 1 where something can't work; it is bounded, and no fault of a source ends it."""
    monkeypatch.setattr(Peer, "findings", findings, raising=False)
    monkeypatch.setattr(example, "open_source", Peer)
    monkeypatch.setattr(doctor, "EXAMINE_SECONDS", 0.05 if findings is _endless else 60.0)
    assert cli.main(["doctor", "example", "--port", "1"]) == status
    told = capsys.readouterr().out
    assert told.startswith("example: example at 127.0.0.1:1\n")
    assert words in told


def test_doctor_looks_at_all_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Peer, "findings", _well, raising=False)
    monkeypatch.setattr(example, "open_source", Peer)
    blocks = "".join(f"[[source]]\nkind = 'example'\nbot = '{bot}'\nport = 1\n" for bot in ("a", "b"))
    assert cli.main(["doctor", "--config", str(plain.written(tmp_path, blocks))]) == 0
    assert [line for line in capsys.readouterr().out.splitlines() if not line.startswith(" ")] == [
        "a: example at 127.0.0.1:1",
        "b: example at 127.0.0.1:1",
    ]
