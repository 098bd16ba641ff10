"""Metrics of sign-ins and tokens."""

from __future__ import annotations

from deskwatch.events import BotStarted, Mode, SignInRefused, TokenMade, TokenRevoked
from tests.unit.projections.folding import fold, samples, value


def test_refused_sign_ins_are_counted_by_what_was_wrong() -> None:
    metrics = fold(
        *(SignInRefused(route="GET /", remote="r", problem=problem) for problem in ("wrong", "wrong", "scope"))
    )
    found = sorted((labels["reason"], one) for labels, one in samples(metrics, "deskwatch_sign_ins_refused_total"))
    assert found == [("scope", 1), ("wrong", 2)]


def test_tokens_made_and_revoked_are_counted_without_their_names() -> None:
    metrics = fold(TokenMade(name="a", scopes=["read"]), TokenMade(name="b", scopes=[]), TokenRevoked(name="a"))
    assert samples(metrics, "deskwatch_tokens_made_total") == [({}, 2)]
    assert samples(metrics, "deskwatch_tokens_revoked_total") == [({}, 1)]


def test_all_of_it_starts_at_zero_with_a_bot() -> None:
    metrics = fold(BotStarted(pid=1, host="h", mode=Mode.STANDBY))
    found = {labels["reason"]: one for labels, one in samples(metrics, "deskwatch_sign_ins_refused_total")}
    assert found == {"missing": 0, "wrong": 0, "expired": 0, "scope": 0, "bot": 0}
    assert value(metrics, "deskwatch_tokens_made_total") == 0
