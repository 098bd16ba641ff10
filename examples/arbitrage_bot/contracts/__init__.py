"""The demo's own contracts: `Pool` and `Token`, in Vyper, with their compiled artifacts."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any, TypedDict

CONTRACTS = ("Pool", "Token")


class Artifact(TypedDict):
    """What a deployment needs of a compiled contract."""

    contract: str
    compiler: str
    abi: list[dict[str, Any]]  # the contract ABI's own JSON
    bytecode: str


def artifact(name: str) -> Artifact:
    """The committed artifact of the contract `name`."""
    loaded: Artifact = json.loads((resources.files(__package__) / f"{name}.json").read_text())
    return loaded
