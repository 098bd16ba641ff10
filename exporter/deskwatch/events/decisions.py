"""Decisions: what a model or a rule concluded, predicted, signalled or found."""

from __future__ import annotations

from deskwatch.events.base import Event, Integer, Json, Number


class DecisionMade(Event, frozen=True, kw_only=True):
    """A model or rule chose what to do."""

    decision_id: str
    """The bot's id of this decision; orders name it as their `cause`."""
    action: str
    """What was decided: `buy`, `sell`, `hold`, `arbitrage`, `skip` …"""
    provider: str
    """Who decided: a model's or service's name, `rules` …"""
    strategy: str | None = None
    """The strategy it belongs to."""
    symbol: str | None = None
    """Instrument."""
    model: str | None = None
    """Model and version at the provider."""
    confidence: Number = None
    """0 to 1."""
    reasoning: str | None = None
    """In words. Text from outside: hostile wherever it is shown."""
    latency_seconds: Number = None
    """From asking to deciding."""
    prompt_tokens: Integer | None = None
    """Tokens sent to a language model."""
    completion_tokens: Integer | None = None
    """Tokens received from it."""
    cost: Number = None
    """Price of the call."""
    cost_asset: str | None = None
    """Asset of `cost`."""
    inputs: dict[str, Json] | None = None
    """The figures it was decided on."""


class PredictionMade(Event, frozen=True, kw_only=True):
    """A model said how likely something is, or what a value will be."""

    prediction_id: str
    """The bot's id of this prediction."""
    provider: str
    """Who predicted."""
    target: str
    """What is predicted: `spread_profitable`, `price` …"""
    symbol: str | None = None
    """Instrument."""
    strategy: str | None = None
    """The strategy it belongs to."""
    model: str | None = None
    """Model and version."""
    probability: Number = None
    """Probability of the target, 0 to 1, for yes-or-no targets."""
    value: Number = None
    """Predicted value, for targets that are a number."""
    confidence: Number = None
    """0 to 1, where the provider states one."""
    horizon_seconds: Number = None
    """How far ahead."""
    latency_seconds: Number = None
    """From asking to answer."""


class PredictionResolved(Event, frozen=True, kw_only=True):
    """What was predicted came true or did not. Carries the prediction's figures, so that it can be scored alone."""

    prediction_id: str
    """Id of the prediction."""
    provider: str
    """Who predicted."""
    target: str
    """What was predicted."""
    symbol: str | None = None
    """Instrument."""
    strategy: str | None = None
    """The strategy it belongs to."""
    probability: Number = None
    """The probability that was given, 0 to 1."""
    occurred: bool | None = None
    """Whether the target happened, for yes-or-no targets."""
    value: Number = None
    """The value that was given."""
    actual: Number = None
    """The value that was seen."""
    base_rate: Number = None
    """How often the target had happened before, 0 to 1: the forecast that a provider must beat."""


class SignalRaised(Event, frozen=True, kw_only=True):
    """A strategy or feed raised a signal."""

    signal: str
    """Its name."""
    provider: str
    """Who raised it."""
    strategy: str | None = None
    """The strategy it belongs to."""
    symbol: str | None = None
    """Instrument."""
    side: str | None = None
    """`buy` or `sell`."""
    strength: Number = None
    """0 to 1."""


class OpportunityFound(Event, frozen=True, kw_only=True):
    """The bot saw a trade worth considering."""

    opportunity_id: str
    """The bot's id."""
    strategy: str
    """The strategy that looks for it."""
    symbol: str
    """Instrument."""
    spread_ratio: Number
    """Relative price difference, before costs."""
    expected_profit: Number
    """After expected costs, in `asset`."""
    asset: str
    """Asset of `expected_profit`."""
    venue: str | None = None
    """Where to buy."""
    other_venue: str | None = None
    """Where to sell."""


class OpportunityMissed(Event, frozen=True, kw_only=True):
    """An opportunity was not taken, or was gone when taken."""

    opportunity_id: str
    """The bot's id."""
    strategy: str
    """The strategy that looked for it."""
    symbol: str
    """Instrument."""
    reason: str
    """A short word: `standby`, `unprofitable`, `gone`, `confidence`, `no_inventory` …"""
