"""`deskwatch token`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deskwatch import cli
from deskwatch.tokens import TokenFile, digest


def test_a_token_is_made_listed_and_revoked(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ["--scope", "operate", "--scope", "trade", "--bot", "arb-1", "--days", "30", "--home", str(home)]
    assert cli.main(["token", "add", "night", *flags]) == 0
    secret = capsys.readouterr().out.strip()
    operator, made = TokenFile(home).read()
    assert operator.name == "operator"
    assert (made.name, made.hash) == ("night", digest(secret))
    assert made.scopes == frozenset({"read", "operate", "trade"})
    assert made.bots == frozenset({"arb-1"})
    assert made.expires is not None
    assert 29.9 * 86400 < made.expires - made.made <= 30 * 86400

    assert cli.main(["token", "list", "--home", str(home), "--json"]) == 0
    listed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["name"] for one in listed] == ["operator", "night"]
    assert listed[1]["scopes"] == ["operate", "read", "trade"]
    assert not any("hash" in one or secret in str(one) for one in listed)

    assert cli.main(["token", "list", "--home", str(home)]) == 0
    assert "arb-1" in capsys.readouterr().out
    assert cli.main(["token", "revoke", "night", "--home", str(home)]) == 0
    assert [one.name for one in TokenFile(home).read()] == ["operator"]


@pytest.mark.parametrize(
    "flags",
    [
        ["add", "../x", "--scope", "read"],
        ["add", "reader", "--scope", "read"],
        ["add", "a", "--scope", "read", "--days", "0"],
        ["add", "a", "--scope", "read", "--days", "nan"],
        ["add", "a", "--scope", "read", "--bot", "a/b"],
        ["revoke", "a"],
    ],
)
def test_what_can_not_be_is_told_in_one_line(flags: list[str], home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["token", *flags, "--home", str(home)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert [one.name for one in TokenFile(home).read() if one.name != "operator"] == []
