"""Commands with a real sidecar and a real bot, each a process of its own."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx

from tests import running
from tests.fault.test_commands_killed import World, world
from tests.waiting import eventually

POSTS = 1000


async def _post(client: httpx.AsyncClient, body: dict[str, Any]) -> httpx.Response:
    """As a careful caller does: with the same key again where the connection broke, or there was no room."""
    for _ in range(100):
        try:
            answer = await client.post("/bots/arb-1/commands", json=body)
        except httpx.TransportError:
            continue
        if answer.status_code != HTTPStatus.SERVICE_UNAVAILABLE:
            return answer
    raise AssertionError("expected an answer at the hundredth try")


async def _post_all(one: World, body: dict[str, Any], key: str) -> list[httpx.Response]:
    headers = {"Authorization": f"Bearer {one.http.token}", "Idempotency-Key": key}
    limits = httpx.Limits(max_connections=POSTS)  # more than the sidecar lets in before it has seen their tokens
    async with httpx.AsyncClient(base_url=one.http.url, headers=headers, limits=limits, timeout=60) as client:
        return await asyncio.gather(*(_post(client, body) for _ in range(POSTS)))


def test_a_thousand_posts_with_one_key_are_one_command_with_one_effect(tmp_path: Path) -> None:
    with world(tmp_path) as one:
        body = {"type": "append", "params": {"token": "once"}, "reason": "rain"}
        answers = asyncio.run(_post_all(one, body, "k"))
        assert {answer.status_code for answer in answers} == {202}
        (command_id,) = {answer.json()["id"] for answer in answers}
        one.bot.run_free(lambda: one.status(command_id) == "succeeded")
        commands = one.http.get("/bots/arb-1/commands")["commands"]
        assert [command["id"] for command in commands] == [command_id]
        assert one.effects_of("once") == 1
        (accepted,) = [record for record in running.records(one.home, writer="control") if record.type.startswith("co")]
        assert accepted.type == "command_accepted"
        assert _status(one, {**body, "params": {"token": "twice"}}, "k") == 422
        assert _status(one, {**body, "reason": "sun"}, "k") == 422


def _status(one: World, body: dict[str, Any], key: str) -> int:
    status, _, _ = one.http.request("POST", "/bots/arb-1/commands", body, token=one.http.token, Idempotency_Key=key)
    return status


def test_parameters_that_do_not_fit_reach_neither_the_bot_nor_its_journal(tmp_path: Path) -> None:
    with world(tmp_path) as one:
        (offer,) = one.http.bot()["offers"]
        assert (offer["type"], offer["description"]) == ("append", "Appends a line.")
        for params in ({}, {"token": 7}, {"token": ["a"]}):
            assert _status(one, {"type": "append", "params": params}, "k1") == 422
        assert _status(one, {"type": "prepend", "params": {}}, "k2") == 409
        assert running.records(one.home, writer="control") == []


def test_a_command_to_a_bot_that_is_away_expires_and_never_fires(tmp_path: Path) -> None:
    with world(tmp_path) as one:
        one.bot.pause()
        body = {"type": "append", "params": {"token": "late"}, "expires_seconds": 1}
        _, _, _ = one.http.request("POST", "/bots/arb-1/commands", body, token=one.http.token)
        command = eventually(
            lambda: (found := one.http.get("/bots/arb-1/commands")["commands"][0])["status"] == "expired" and found, 15
        )
        assert command["error"] == "the bot did not begin it in time, and will not"
        one.kill("bot")
        asked = one.ask("append", "after", "after")
        one.bot.run_free(lambda: one.status(asked["id"]) == "succeeded")
        assert (one.effects_of("late"), one.effects_of("after")) == (0, 1)
