"""What a real Alertmanager with the stack's configuration says, to whom, and of what it keeps silent."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from deskwatch.stack import Preferences
from tests import paging
from tests.paging import Alertmanager, Messengers, alert
from tests.waiting import eventually

BERLIN = ZoneInfo("Europe/Berlin")
PREFERENCES = Preferences(
    grafana_url="https://grafana.example",
    deskwatch_url="https://desk.example",
    runbooks_url="https://git.example/runbooks",
    time_zone="Europe/Berlin",
    quiet_hours="00:00-00:00",  # all day
)
TELEGRAM_LIMIT = 4096
HOSTILE = "asset <b>SCAM & Co</i> <!channel> <http://evil.example|click>"


@pytest.fixture(scope="module")
def messengers() -> Iterator[Messengers]:
    with Messengers() as running:
        yield running


@pytest.fixture(scope="module")
def alertmanager(messengers: Messengers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alertmanager]:
    folder = tmp_path_factory.mktemp("alertmanager")
    with paging.alertmanager(folder, messengers, change=paging.less_patient, preferences=PREFERENCES) as running:
        yield running


def now() -> datetime:
    return datetime.now(UTC)


def shown(since: datetime) -> str:
    """A time as messages tell it."""
    here = since.astimezone(BERLIN)
    return f"{here:%H:%M:%S %Z} on {here.day} {here:%b}"


def slack_of(running: Alertmanager, messengers: Messengers, words: str) -> Any:
    """The attachment of the next message on Slack that has these words."""
    (attachment,) = running.message_about(messengers.slack, words)["attachments"]
    return attachment


def test_a_page_says_what_which_bot_how_bad_since_when_and_what_to_do(
    alertmanager: Alertmanager, messengers: Messengers
) -> None:
    """A critical alert reaches Slack and Telegram as one readable message each, and so does its end."""
    since = now() - timedelta(minutes=2)
    money = {"money": "Equity 10012 USDC, today -3.2 USDC."}
    alertmanager.report(alert("BotDown", "arb-1", since=since, annotations=money))

    telegram = alertmanager.message_about(messengers.telegram, "arb-1")
    assert int(telegram["chat_id"]) == paging.CHAT
    assert telegram["parse_mode"] == "HTML"
    assert not telegram.get("disable_notification")
    assert re.sub(r"for 2m \d+s", "for 2m 0s", telegram["text"]) == (
        "🚨 <b>arb-1</b>: BotDown\n"
        "\n"
        "<b>The bot is down.</b>\n"
        "arb-1 has written nothing for 42s.\n"
        "<b>Money:</b> Equity 10012 USDC, today -3.2 USDC.\n"
        f"Since {shown(since)}, for 2m 0s\n"
        "<b>Do:</b> Look whether its process lives.\n"
        '<a href="https://grafana.example/d/deskwatch-overview?var-bot=arb-1">Dashboard</a>'
        ' · <a href="https://git.example/runbooks/botdown.md">Runbook</a>\n'
        "\n"
        '<a href="https://desk.example/">Live page</a> · <a href="http://localhost:9093/#/silences/new?filter='
        '%7Balertname%3D%22BotDown%22%2Cbot%3D%22arb-1%22%7D">Silence</a>'
    )
    slack = slack_of(alertmanager, messengers, "arb-1")
    assert slack["title"] == slack["fallback"] == "🚨 arb-1: BotDown"
    assert slack["title_link"] == "https://grafana.example/d/deskwatch-overview?var-bot=arb-1"
    assert slack["color"] == "danger"
    assert re.sub(r"for 2m \d+s", "for 2m 0s", slack["text"].strip()) == (
        "*The bot is down.*\n"
        "arb-1 has written nothing for 42s.\n"
        "*Money:* Equity 10012 USDC, today -3.2 USDC.\n"
        f"Since {shown(since)}, for 2m 0s\n"
        "*Do:* Look whether its process lives.\n"
        "<https://grafana.example/d/deskwatch-overview?var-bot=arb-1|Dashboard>"
        " · <https://git.example/runbooks/botdown.md|Runbook>\n"
        "\n"
        "<https://desk.example/|Live page> · <http://localhost:9093/#/silences/new?filter="
        "%7Balertname%3D%22BotDown%22%2Cbot%3D%22arb-1%22%7D|Silence>"
    )

    alertmanager.report(alert("BotDown", "arb-1", since=since, ended=True))
    over = alertmanager.message_about(messengers.telegram, "arb-1")["text"]
    assert over.startswith("✅ <b>arb-1</b>: BotDown is over\n\n✅ Over: The bot is down.\nIt lasted 2m ")
    assert f"since {shown(since)}\n" in over
    assert "Silence" not in over
    slack = slack_of(alertmanager, messengers, "arb-1")
    assert slack["title"] == "✅ arb-1: BotDown is over"
    assert slack["color"] == "good"


def test_text_from_outside_is_shown_and_does_nothing(alertmanager: Alertmanager, messengers: Messengers) -> None:
    """Markup in a description arrives escaped: no tag that makes Telegram refuse the message, no call of a channel."""
    texts = {"description": HOSTILE, "summary": "Two\nlines \u202eturned.", "money": ""}
    alertmanager.report(alert("BotDrawdown", "arb-2", since=now(), annotations=texts))

    text = alertmanager.message_about(messengers.telegram, "arb-2")["text"]
    assert "asset &lt;b&gt;SCAM &amp; Co&lt;/i&gt; &lt;!channel&gt;" in text
    assert "<b>Two lines turned.</b>" in text
    assert "Money" not in text
    slack = slack_of(alertmanager, messengers, "arb-2")
    assert "asset &lt;b&gt;SCAM &amp; Co&lt;/i&gt; &lt;!channel&gt; &lt;http://evil.example|click&gt;" in slack["text"]
    assert "Money" not in slack["text"]


@pytest.mark.parametrize("bot", ["long-1", "long-2", "long-3"])
def test_no_message_is_too_long(alertmanager: Alertmanager, messengers: Messengers, bot: str) -> None:
    """Ten alerts of the longest texts there can be are two told in full and four by name, within Telegram's limit."""
    bot = bot.ljust(63, "x")
    text = {"1": "x" * 5000, "2": "<&>'\"+" * 1000, "3": ("x" * 95 + "<&>'\"+<&>'\"+" + "x" * 5000)}[bot[5]]
    url = "http://localhost:3000/d/deskwatch-overview?var-bot="
    annotations = dict.fromkeys(("summary", "description", "money", "action"), text)
    annotations |= {"dashboard_url": url.ljust(145, "d"), "runbook_url": "docs/runbooks/".ljust(145, "r")}
    alerts = [alert(f"Bot{n}".ljust(50, "a"), bot, since=now(), annotations=annotations) for n in range(10)]
    alertmanager.report(*alerts)

    text = alertmanager.message_about(messengers.telegram, f"{bot}</b>: 10 alerts")["text"]
    assert 1000 < len(text) <= TELEGRAM_LIMIT
    assert text.count("Since ") == 2
    (also,) = re.findall("<b>Also:</b> (.*)", text)
    assert [name[:4] for name in also.split(", ")] == ["Bot2", "Bot3", "Bot4", "Bot5"]
    assert text.endswith('<a href="http://localhost:9093">All 10 alerts</a>')
    assert len(slack_of(alertmanager, messengers, f"{bot}: 10 alerts")["text"]) <= TELEGRAM_LIMIT

    alertmanager.report(*alerts[:9], *({**one, "endsAt": now().isoformat()} for one in alerts[9:]))
    text = alertmanager.message_about(messengers.telegram, f"{bot}</b>: 10 alerts, 1 of 10 over")["text"]
    assert f"✅ Over: {alerts[9]['labels']['alertname']}\n" in text
    assert len(text) <= TELEGRAM_LIMIT

    alertmanager.report(*({**one, "endsAt": now().isoformat()} for one in alerts))
    text = alertmanager.message_about(messengers.telegram, f"{bot}</b>: 10 alerts are over")["text"]
    assert len(text) <= TELEGRAM_LIMIT


def test_an_alert_of_somebody_elses_rule_is_told_by_its_name(
    alertmanager: Alertmanager, messengers: Messengers
) -> None:
    """Without any annotation there is its name; where nothing is common to several, there is nothing to silence."""
    bare = alert("Bare", "arb-12", since=now()) | {"annotations": {}}
    alertmanager.report(bare)
    text = alertmanager.message_about(messengers.telegram, "arb-12")["text"]
    assert text.startswith("🚨 <b>arb-12</b>: Bare\n\n<b>Bare</b>\n")
    assert ">Silence</a>" in text
    assert "*Bare*\n" in slack_of(alertmanager, messengers, "arb-12")["text"]

    alertmanager.report(*(bare | {"labels": {"alertname": name, "severity": "critical"}} for name in ("One", "Two")))
    text = alertmanager.message_about(messengers.telegram, "deskwatch</b>: 2 alerts")["text"]
    assert "<b>One</b>" in text
    assert "Silence" not in text


def test_what_can_wait_makes_no_sound(alertmanager: Alertmanager, messengers: Messengers) -> None:
    """A warning comes by the same channels, but Telegram is asked not to ring."""
    alertmanager.report(alert("BotGasPriceHigh", "arb-3", since=now(), labels={"severity": "warning"}))

    message = alertmanager.message_about(messengers.telegram, "arb-3")
    assert message["disable_notification"] in {True, "true"}
    assert message["text"].startswith("⚠️ <b>arb-3</b>: BotGasPriceHigh")
    assert slack_of(alertmanager, messengers, "arb-3")["color"] == "warning"


def test_info_waits_for_the_end_of_the_quiet_hours(
    alertmanager: Alertmanager, messengers: Messengers, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """In the quiet hours it is muted, outside of them it is told without a sound."""
    info = alert("BotMoodChanged", "arb-8", since=now(), labels={"severity": "info"})
    alertmanager.report(info)
    eventually(lambda: [one["status"]["mutedBy"] for one in alertmanager.alerts("arb-8")] == [["quiet-hours"]])

    folder = tmp_path_factory.mktemp("loud")
    preferences = Preferences(quiet_hours=None)
    with paging.alertmanager(folder, messengers, change=paging.less_patient, preferences=preferences) as loud:
        loud.report(info)
        message = loud.message_about(messengers.telegram, "arb-8")
        assert message["disable_notification"] in {True, "true"}
        assert message["text"].startswith("\u2139\ufe0f <b>arb-8</b>: BotMoodChanged")
        assert " UTC on " in message["text"]
        assert "Runbook: docs/runbooks/botdown.md" in message["text"]
        assert slack_of(loud, messengers, "arb-8")["title_link"].startswith("http://localhost:3000/")


OUTLIVING = ["BotUnattendedPositions", "BotMarginUsedUp", "BotCommandExpired", "BotCommandFailed", "BotEventsLost"]
COSTLY = ["BotDailyLoss", "BotOrdersRunaway", "BotModeNotApplied", "BotDrawdown"]
"""What a bot that comes back between two crashes does, and is not to be kept from anybody for the hour of its alert."""
SILENCED = [
    # what fires                what it silences           what it leaves alone
    ("BotDown", "critical", ["BotOrderFailures", "BotDrawdown", "BotPriceStale"], [*OUTLIVING, "BotCrashLooping"]),
    ("BotCrashLooping", "critical", ["BotErrorBurst", "BotPriceStale"], [*OUTLIVING, *COSTLY]),
    ("BotProcessGaveUp", "critical", ["BotConnectionDown"], ["BotNearLiquidation", "BotCommandUnconfirmed"]),
    ("BotStalled", "critical", ["BotPriceStale", "BotModeNotApplied"], ["BotDrawdown", "BotOrderFailures"]),
]


@pytest.mark.parametrize(("cause", "severity", "silenced", "told"), SILENCED, ids=[one[0] for one in SILENCED])
def test_a_cause_silences_its_symptoms(
    alertmanager: Alertmanager, cause: str, severity: str, silenced: list[str], told: list[str]
) -> None:
    """A dead bot's symptoms are suppressed, those of objectives too; what stays true without it is not."""
    bot, other = f"of-{cause}", f"beside-{cause}"
    burn = {"instance": "", "slo": "data_freshness"}
    alertmanager.report(
        alert(cause, bot, since=now(), labels={"severity": severity}),
        *(alert(name, bot, since=now(), labels={"severity": "warning"}) for name in (*silenced, *told)),
        *(alert(name, other, since=now(), labels={"severity": "warning"}) for name in silenced),
        *(alert("BotDataFreshnessBudgetBurn", one, since=now(), labels=burn) for one in (bot, other)),
    )
    for name in (*silenced, "BotDataFreshnessBudgetBurn"):
        eventually(lambda name=name: alertmanager.state_of(name, bot) == "suppressed")  # type: ignore[misc]  # bound now
        eventually(lambda name=name: alertmanager.state_of(name, other) == "active")  # type: ignore[misc]  # bound now
    for name in (cause, *told):
        eventually(lambda name=name: alertmanager.state_of(name, bot) == "active")  # type: ignore[misc]  # bound now


def test_only_the_worse_step_of_an_alert_is_told(alertmanager: Alertmanager) -> None:
    """Critical silences warning and info of the same alert and bot; of another symbol it does not."""

    def states(bot: str) -> dict[str, str]:
        return {one["labels"]["severity"]: one["status"]["state"] for one in alertmanager.alerts(bot)}

    def near(bot: str, severity: str, symbol: str) -> Any:
        return alert("BotNearLiquidation", bot, since=now(), labels={"severity": severity, "symbol": symbol})

    alertmanager.report(near("arb-9", "critical", "A"), near("arb-9", "warning", "A"))
    alertmanager.report(near("arb-10", "warning", "A"), near("arb-10", "info", "A"), near("arb-11", "info", "A"))
    eventually(lambda: states("arb-9") == {"critical": "active", "warning": "suppressed"})
    eventually(lambda: states("arb-10") == {"warning": "active", "info": "suppressed"})
    eventually(lambda: states("arb-11") == {"info": "active"})


def test_nothing_is_said_of_bots_while_their_sidecar_is_down(alertmanager: Alertmanager) -> None:
    """DeskwatchDown suppresses the alerts of the bots that it serves, and of no others."""
    down = {"bot": "", "instance": "other:9464", "job": "deskwatch"}
    alertmanager.report(alert("DeskwatchDown", "", since=now(), labels=down))
    alertmanager.report(alert("BotDown", "arb-6", since=now(), labels={"instance": "other:9464", "job": "deskwatch"}))
    alertmanager.report(alert("BotDown", "arb-7", since=now(), labels={"instance": "third:9464", "job": "deskwatch"}))

    eventually(lambda: alertmanager.state_of("BotDown", "arb-6") == "suppressed")
    eventually(lambda: alertmanager.state_of("BotDown", "arb-7") == "active")


def test_the_watchdog_feeds_the_heartbeat_and_nobody_else(alertmanager: Alertmanager, messengers: Messengers) -> None:
    """Watchdog is posted to the heartbeat service and is never a message to people."""
    labels = {"bot": "", "instance": "", "severity": "none"}
    alertmanager.report(alert("Watchdog", "", since=now(), labels=labels))

    beat = messengers.heartbeat.get(timeout=paging.DEADLINE_SECONDS)
    assert beat["status"] == "firing"
    people = [*messengers.slack.queue, *messengers.telegram.queue]
    assert not [message for message in people if "Watchdog" in json.dumps(message)]
