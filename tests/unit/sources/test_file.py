"""`deskwatch.toml`: what it asks for, and each fault in words with its place."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest
from msgspec import Meta

from deskwatch.errors import ConfigError
from deskwatch.sources import KINDS, file
from deskwatch.sources.settings import SourceSettings
from deskwatch.sources.source import Source
from tests.sources import example


class Wallet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    decimals: Annotated[int, Meta(ge=0)] = 18


class Settings(SourceSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Has a field of each form that kinds have."""

    url: Annotated[str, Meta(description="where it listens")]
    password_file: Annotated[Path | None, Meta(description="file with the password")] = None
    password_env: Annotated[str | None, Meta(description="variable with the password")] = None
    poll_seconds: Annotated[float, Meta(description="time between looks", gt=0)] = 1.0
    dry: Annotated[bool, Meta(description="change nothing")] = False
    wallets: Annotated[tuple[Wallet, ...], Meta(description="accounts")] = ()
    chain_ids: Annotated[list[int], Meta(description="chains")] = msgspec.field(default_factory=list)
    labels: Annotated[dict[str, str], Meta(description="more words")] = msgspec.field(default_factory=dict)
    port: Annotated[int, Meta(description="of the broker")] = 1883

    def __post_init__(self) -> None:
        if self.url == "odd":
            raise ValueError("expected another url, was odd; give another")


def open_source(_: Settings) -> Source:
    raise ConfigError("expected a peer, was none; give one")


@pytest.fixture(autouse=True)
def _kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, "plain", __name__)
    monkeypatch.setitem(KINDS, "example", example.__name__)
    monkeypatch.setitem(KINDS, "lacking", "tests.unit.sources.lacking")


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "deskwatch.toml"
    path.write_text(text)
    return path


def fault(tmp_path: Path, text: str) -> str:
    with pytest.raises(ConfigError) as raised:
        file.read(written(tmp_path, text))
    return str(raised.value).removeprefix(f"{tmp_path / 'deskwatch.toml'}: ")


def block(**values: Any) -> str:
    given = {"kind": '"plain"', "url": '"http://peer"', **values}
    return "[[source]]\n" + "".join(f"{name} = {value}\n" for name, value in given.items() if value is not None)


def test_blocks_become_settings(tmp_path: Path) -> None:
    """The bot is called as its kind by default; a path starts from the file's folder, wherever one is."""
    text = block(password_file='"secret"', wallets='[{name="hot"}]') + block(
        bot='"b"', password_file='"/s"', dry="true"
    )
    first, second = file.read(written(tmp_path, text))
    assert first.settings == Settings(
        bot="plain", url="http://peer", password_file=tmp_path / "secret", wallets=(Wallet(name="hot"),)
    )
    assert second.settings == Settings(bot="b", url="http://peer", password_file=Path("/s"), dry=True)
    assert second.where == f"{tmp_path / 'deskwatch.toml'}, [[source]] 2"


def test_no_block_is_no_source(tmp_path: Path) -> None:
    assert file.read(written(tmp_path, "# nothing yet\n")) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[[source]\n", "expected TOML in"),
        ("[source]\nkind='plain'", "expected [[source]] in double brackets, was [source]; double them"),
        ("source = 3", "expected [[source]] blocks, was source = …; write each as a block"),
        ("source = [3]", "[[source]] 1: expected a block of settings"),
        ("[sources]\n", "expected [[source]] blocks and nothing else, was 'sources'"),
        (block(kind=None), "[[source]] 1: kind: expected one of freqtrade, evm, hummingbot"),
        (block(kind='"plian"'), "was 'plian'; is plain meant?"),
        (block(kind="7"), "was 7"),
        (block(url=None), "[[source]] 1: url: expected it, was not given; it is where it listens"),
        (block(url="5"), "[[source]] 1: url: expected text, was 5"),
        (block(url='"odd"'), "[[source]] 1: expected another url, was odd; give another"),
        (block(url='"http://u:secret@peer"'), "url: expected a URL without a password in it; secrets belong into pass"),
        (block(password='"secret"'), "password: expected no secret here, where others may read it; give password_file"),
        (block(api_key='"secret"'), "api_key: expected no secret here"),
        (block(pol_seconds="1"), "pol_seconds: expected a setting of this kind of source; is poll_seconds meant?"),
        (block(xyz="1"), "xyz: expected a setting of this kind of source; it may be bot, writer, url"),
        (block(poll_seconds="0"), "poll_seconds: expected a number > 0.0, was 0"),
        (block(poll_seconds='"fast"'), "poll_seconds: expected a number, was 'fast'"),
        (block(poll_seconds="2026-01-01"), "poll_seconds: expected a number, was"),
        (block(password_file="5"), "password_file: expected a path, was 5"),
        (block(password_file='""'), "password_file: expected a path, was ''"),
        (block(dry='"yes"'), "dry: expected true or false, was 'yes'"),
        (block(wallets='[{name="a"}, {}]'), "wallets 2: expected name, was not given; give it"),
        (block(wallets='[{name="a", address="b"}]'), "wallets 1: expected no address, was one; mind its spelling"),
        (block(wallets='[{name="a", decimals=-1}]'), "wallets 1.decimals: expected a whole number >= 0, was -1"),
        (block(wallets='["a"]'), "wallets 1: expected a table, was 'a'"),
        (block(bot='"../up"'), "expected the bot's name to be 1 to 63 letters"),
        (block(writer='"control"'), "writer: expected another writer than the sidecar's own, was control"),
        (block() + block(), "[[source]] 2: expected a bot and writer that no other block has, was bot plain"),
        (
            "[[source]]\nkind='lacking'",
            "kind lacking needs, but it is not installed; install it with: pip install 'deskwatch[lacking]'",
        ),
    ],
)
def test_a_fault_is_told_with_its_place_and_the_way_out(tmp_path: Path, text: str, expected: str) -> None:
    assert expected in fault(tmp_path, text)


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    told = fault(tmp_path, block(url="5", dry="3") + block(kind='"none"') + "[x]\n")
    assert [line.strip().partition(": expected")[0] for line in told.splitlines()[1:]] == [
        "expected [[source]] blocks and nothing else, was 'x'; move it into a block, or take it out",
        "[[source]] 1: url",
        "[[source]] 1: dry",
        "[[source]] 2: kind",
    ]


def test_no_message_shows_what_may_be_a_key(tmp_path: Path) -> None:
    told = fault(tmp_path, block(chain_ids='["https://node/v3/KEY"]', password='"SECRET"', dry=f'"{"K" * 70}"'))
    assert not {"KEY", "SECRET", "KKK"} & set(told.replace("/", " ").replace("'", " ").split())


@pytest.mark.parametrize(
    ("name", "content"),
    [("missing.toml", None), ("folder.toml", "folder"), ("huge.toml", "#" * 2_000_000), ("binary.toml", "\udcff")],
)
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, name: str, content: str | None) -> None:
    path = tmp_path / name
    if content == "folder":
        path.mkdir()
    elif content is not None:
        path.write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(ConfigError, match=r"^expected .*; "):
        file.read(path)


@pytest.mark.parametrize("kind", ["freqtrade", "evm", "hummingbot"])
def test_each_kinds_settings_can_be_made_flags_of(kind: str) -> None:
    """What msgspec can't read would end `deskwatch watch` with a traceback."""
    import argparse
    import importlib.util

    from deskwatch.watch.flags import KindFlags

    if importlib.util.find_spec(KINDS[kind]) is None:
        pytest.skip(f"{kind} is not there yet")
    KindFlags(kind).add(argparse.ArgumentParser())
