"""Settings of a Hummingbot: what can't be meant is refused with words."""

from __future__ import annotations

from typing import Any

import pytest

from deskwatch.sources.hummingbot import Settings

GOOD: dict[str, Any] = {"bot": "hb", "url": "mqtt://127.0.0.1", "instance": "hb-1"}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"url": "http://127.0.0.1"}, "begin with mqtt:// or mqtts://"),
        ({"url": "mqtt://me:hunter2@127.0.0.1"}, "without user and password"),
        ({"url": "mqtt://127.0.0.1/hbot"}, "scheme, host and port alone"),
        ({"url": "mqtt://127.0.0.1:port"}, "expected url like"),
        ({"instance": "hb/#"}, "expected instance as in conf_client.yml"),
        ({"instance": ""}, "expected instance as in conf_client.yml"),
        ({"namespace": "+"}, "expected namespace to be a topic"),
        ({"reply_topic": "/"}, "expected reply_topic to be a topic"),
        ({"password_env": "MQTT_PASSWORD"}, "expected user beside its password"),
    ],
)
def test_what_cannot_be_meant_is_refused(more: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        Settings(**{**GOOD, **more})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "port", "is_tls", "is_local"),
    [
        ("mqtt://127.0.0.1", 1883, False, True),
        ("mqtts://broker.example", 8883, True, False),
        ("mqtt://localhost:1999", 1999, False, True),
    ],
)
def test_the_scheme_says_how_the_broker_is_reached(url: str, port: int, is_tls: bool, is_local: bool) -> None:
    settings = Settings(**{**GOOD, "url": url})
    assert (settings.port, settings.is_tls, settings.is_local) == (port, is_tls, is_local)


def test_a_namespace_loses_its_last_slash_as_hummingbot_cuts_it() -> None:
    settings = Settings(**GOOD, namespace="desk/hbot/")
    assert settings.prefix == "desk/hbot/hb-1"
    assert settings.peer == "mqtt://127.0.0.1/desk/hbot/hb-1"
