"""End to end: the demo's bot is killed, one page comes, of its symptoms none; it comes back, and that is told too.

Real are the demo, Prometheus with the rules of the checkout, and Alertmanager with the configuration that the stack
gets. Quicker than there: scrapes and evaluations (1 s), the page's group_interval (5 s for 1 min), and by thresholds of
the bot's own, as users set them, how long it may be silent (15 s) and how old its prices may be (5 s). Each `for` and
`keep_firing_for` is the real one.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from deskwatch import rules
from tests import paging, running
from tests.paging import Alertmanager, Messengers
from tests.servers import require
from tests.waiting import eventually

RULES = running.ROOT / "prometheus"
PAGE_SECONDS = 60.0
"""15 s of silence, `for` 5 s, group_wait 5 s; the rest is patience with a busy machine."""
OVER_SECONDS = 90.0
"""The bot's start, `keep_firing_for` 45 s, group_interval 5 s; likewise."""


@contextlib.contextmanager
def prometheus(folder: Path, demo: running.Demo, alertmanager: Alertmanager) -> Iterator[running.Prometheus]:
    """A Prometheus with the checkout's configuration and rules, faster, that scrapes the demo."""
    binary, port = require("prometheus"), running.free_port()
    shutil.copytree(RULES, folder)
    thresholds = folder / "thresholds.yml"
    numbers = yaml.safe_load(thresholds.read_text())
    numbers["bots"] = {"arb-1": {"silence_seconds": 15, "price_stale_seconds": 5}}
    thresholds.write_text(yaml.safe_dump(numbers))
    rules.build(folder)
    for path in (folder / "rules").glob("*.yml"):
        path.write_text(path.read_text().replace("    interval: 15s\n", "    interval: 1s\n"))
    config = yaml.safe_load((folder / "prometheus.yml").read_text())
    config["global"] = dict.fromkeys(("scrape_interval", "scrape_timeout", "evaluation_interval"), "1s")
    config["alerting"]["alertmanagers"] = [_targets(alertmanager.url.removeprefix("http://"))]
    (scraped,) = [job for job in config["scrape_configs"] if job["job_name"] == "deskwatch"]
    scraped["authorization"] = {"credentials_file": str(demo.home / "token")}
    scraped |= _targets(f"127.0.0.1:{demo.port}")
    config["scrape_configs"] = [scraped]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    argv = [binary, f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'tsdb'}"]
    with running.process([*argv, f"--web.listen-address=127.0.0.1:{port}"], folder / "prometheus.out"):
        one = running.Prometheus(f"http://127.0.0.1:{port}")
        eventually(lambda: _knows_the_bot(one), 60, every=0.2)
        yield one


def _targets(address: str) -> dict[str, Any]:
    return {"static_configs": [{"targets": [address]}]}


def _knows_the_bot(one: running.Prometheus) -> bool:
    """Whether it has what the alerts compare: the bot's thresholds, its equity, prices that came often."""
    try:
        return (
            one.value('bot:silence_seconds:threshold{bot="arb-1"}') == 15
            and bool(one.query('bot:tradebot_equity:sum{bot="arb-1"}'))
            and bool(one.query('changes(tradebot_price_timestamp_seconds{bot="arb-1"}[1h]) >= 20'))
        )
    except OSError:
        return False


def test_a_killed_bot_is_one_page_and_its_return_is_told(tmp_path: Path) -> None:
    """A SIGKILL pages by Slack and Telegram once, with money and links; the stale prices are its symptom."""
    with (
        running.demo(tmp_path) as demo,
        Messengers() as messengers,
        paging.alertmanager(tmp_path / "alertmanager", messengers, change=_quicker_page) as alertmanager,
        prometheus(tmp_path / "prometheus", demo, alertmanager) as server,
    ):
        os.kill(demo.child.pid, signal.SIGSTOP)  # the demo would start its bot again at once
        try:
            os.kill(demo.bot()["pid"], signal.SIGKILL)
            page = alertmanager.message_about(messengers.telegram, "BotDown", PAGE_SECONDS)["text"]
            eventually(lambda: server.value('count(ALERTS{alertname="BotPriceStale",alertstate="firing"})'), 40)
            eventually(lambda: alertmanager.state_of("BotPriceStale", "arb-1") == "suppressed", 20)
        finally:
            os.kill(demo.child.pid, signal.SIGCONT)  # it does now
        over = alertmanager.message_about(messengers.telegram, "BotDown", OVER_SECONDS)["text"]
        slack = [message["attachments"][0] for message in _all(messengers.slack)]

    title, what, description, money, since, action, links, _, more = page.replace("\n\n", "\n", 1).split("\n")
    assert title == "🚨 <b>arb-1</b>: BotDown"
    assert what == "<b>A bot is down.</b>"
    assert re.fullmatch(
        r"arb-1 did not stop in good order, yet has written nothing for (\d+m )?\d+\S*s: .*", description
    )
    assert "Its process is gone." in description
    assert re.fullmatch(r"<b>Money:</b> Equity \d+\.\d\d \w+\..*", money), money
    assert re.fullmatch(r"Since \d\d:\d\d:\d\d UTC on \d+ \w+, for (\d+m )?\d+s", since), since
    assert action.startswith("<b>Do:</b> Check its open orders and positions at the venue")
    assert "?var-bot=arb-1" in links
    assert links.endswith("Runbook: docs/runbooks/botdown.md")
    assert ">Live page</a> · <a href=" in more
    assert over.startswith("✅ <b>arb-1</b>: BotDown is over\n\n✅ Over: A bot is down.\nIt lasted ")

    told = [one for one in slack if "BotDown" in one["title"]]
    assert [one["title"] for one in told] == ["🚨 arb-1: BotDown", "✅ arb-1: BotDown is over"]
    assert "*Money:* Equity " in told[0]["text"]
    assert "It lasted " in told[1]["text"]
    assert not [one for one in slack if "BotPriceStale" in one["title"] + one["text"]]


def _quicker_page(text: str) -> str:
    """The page's group_interval at 5 s."""
    changed = text.replace(
        "      group_wait: 5s\n      group_interval: 1m\n", "      group_wait: 5s\n      group_interval: 5s\n"
    )
    assert changed != text
    return changed


def _all(inbox: Any) -> list[Any]:
    """What an inbox holds; Slack is told in the same second as Telegram."""
    eventually(lambda: any("is over" in one["attachments"][0]["title"] for one in list(inbox.queue)), 20)
    return list(inbox.queue)
