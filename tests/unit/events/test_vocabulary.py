"""The vocabulary as a whole."""

from __future__ import annotations

import re

import msgspec
import pytest

from deskwatch.events import EVENTS, KINDS, Event, base
from deskwatch.journal.line import _FROM_SIDECAR, Envelope

FAMILIES = {
    "lifecycle",
    "market",
    "decisions",
    "orders",
    "positions",
    "account",
    "chain",
    "risk",
    "connectivity",
    "resources",
    "logs",
    "control",
}
"""As the design names them."""


def test_every_family_of_the_design_has_events_and_no_other_exists() -> None:
    assert set(KINDS.values()) == FAMILIES
    assert KINDS.keys() == EVENTS.keys()


def test_types_are_snake_case_and_every_class_has_one_of_its_own() -> None:
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", tag) for tag in EVENTS)
    assert len(set(EVENTS.values())) == len(EVENTS)
    assert all(tag == base.snake_case(cls.__name__) for tag, cls in EVENTS.items())


def test_every_event_class_of_a_family_is_in_the_union() -> None:
    assert set(Event.__subclasses__()) >= set(EVENTS.values())
    ours = {cls for cls in Event.__subclasses__() if cls.__module__.startswith("deskwatch.")}
    assert ours == set(EVENTS.values())


@pytest.mark.parametrize("cls", EVENTS.values(), ids=EVENTS)
def test_events_are_frozen_keyword_only_facts(cls: type[Event]) -> None:
    assert cls.__struct_config__.frozen
    with pytest.raises(TypeError):
        cls("positional")  # type: ignore[call-arg]  # the point


@pytest.mark.parametrize("cls", EVENTS.values(), ids=EVENTS)
def test_no_event_has_a_field_that_the_envelope_uses(cls: type[Event]) -> None:
    assert not set(cls.__struct_fields__) & set(Envelope.__struct_fields__)


def test_the_sidecars_words_are_events_of_the_control_family() -> None:
    assert {KINDS[tag] for tag in _FROM_SIDECAR} == {"control"}


def test_a_whole_number_has_64_bits() -> None:
    decoder = msgspec.json.Decoder(EVENTS["block_observed"])
    line = b'{"type":"block_observed","chain":"c","block":%d,"block_timestamp_seconds":1}'
    assert decoder.decode(line % (2**63 - 1)).block == 2**63 - 1  # type: ignore[attr-defined]  # a BlockObserved
    with pytest.raises(msgspec.ValidationError):
        decoder.decode(line % 2**63)
