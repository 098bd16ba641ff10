"""A rewrite of the whole local audit trail shows against a real Loki."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import msgspec
import pytest

from deskwatch import cli
from deskwatch.events import BotStarted, Mode
from deskwatch.journal import names
from deskwatch.journal.chained import GENESIS, ChainedWriter
from deskwatch.journal.line import frame
from tests import running
from tests.functional.loki_servers import running_real
from tests.lines import lines_in, segment_files, write
from tests.waiting import eventually

ENVELOPE = ("v", "ts", "seq", "run", "crc", "prev")


def rewrite(home: Path, before: str, after: str) -> None:
    """Change a word in a control journal, and make its whole chain anew, as who knows the format can."""
    from deskwatch.journal.chained import digest

    prev, lines = GENESIS, []
    for line in lines_in(home, writer=names.CONTROL):
        fields = json.loads(line)
        body = {name: value for name, value in fields.items() if name not in ENVELOPE}
        text = json.dumps({**body, "prev": prev}, separators=(",", ":")).replace(before, after).encode()
        lines.append(frame(text, ts=fields["ts"], seq=fields["seq"], run=fields["run"].encode())[:-1])
        prev = digest(lines[-1])
    (file,) = segment_files(home, writer=names.CONTROL)
    file.write_bytes(b"".join(line + b"\n" for line in lines))


def audit(home: Path, capsys: pytest.CaptureFixture[str], *flags: str) -> tuple[int, dict[str, object]]:
    status = cli.main(["audit", "--home", str(home), "--json", *flags])
    return status, msgspec.json.decode(capsys.readouterr().out)


def test_a_rewritten_chain_is_whole_by_itself_and_differs_from_loki(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(home, [BotStarted(pid=1, host="h", mode=Mode.STANDBY)])
    with running_real(tmp_path) as loki:
        with running.sidecar(home, "--loki-url", loki.url) as http:
            for number in range(3):
                body = {"type": "ping", "reason": f"because {number}"}
                assert http.request("POST", "/bots/arb-1/commands", body, token=http.token)[0] == 202
            eventually(lambda: sum("because" in line for line in loki.lines("arb-1")) == 3, 40, every=0.2)
        status, found = audit(home, capsys, "--loki-url", loki.url)
        assert (status, found["chain"]) == (0, "ok")
        compared = found["loki"]
        assert isinstance(compared, dict)
        assert compared["differences"] == []
        assert compared["same"] >= 3

        rewrite(home, "because 1", "because 7")
        assert audit(home, capsys)[0] == 0
        status, found = audit(home, capsys, "--loki-url", loki.url)
        assert (status, found["chain"]) == (1, "ok")
        compared = found["loki"]
        assert isinstance(compared, dict)
        assert next(one["seq"] for one in compared["differences"]) == 2

        file = segment_files(home, writer=names.CONTROL)[0]
        file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:-1]))  # the end cut off
        assert audit(home, capsys)[0] == 0
        assert audit(home, capsys, "--loki-url", loki.url)[0] == 1

        shutil.rmtree(file.parent)  # all of it gone
        assert audit(home, capsys)[0] == 0
        assert audit(home, capsys, "--loki-url", loki.url)[0] == 1
        shutil.rmtree(file.parent.parent)  # and the bot's journal with it
        assert audit(home, capsys, "--loki-url", loki.url, "--bot", "arb-1")[0] == 1


def test_the_writer_goes_on_with_the_chain_that_it_finds(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    writer = ChainedWriter(names.writer_folder(home, "arb-1", names.CONTROL)).open()
    writer.append(b'{"type":"token_revoked","name":"a"}')
    writer.close()
    write(home, [BotStarted(pid=1, host="h", mode=Mode.STANDBY)])
    with running.sidecar(home) as http:
        assert http.request("POST", "/bots/arb-1/commands", {"type": "ping"}, token=http.token)[0] == 202
        assert http.get("/audit")["chain"] == "ok"
    status, found = audit(home, capsys)
    assert (status, found["unchained"]) == (0, 0)
