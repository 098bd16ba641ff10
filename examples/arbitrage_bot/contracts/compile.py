"""Compile the contracts: `python -m arbitrage_bot.contracts.compile` rewrites the JSON artifacts beside the sources.

Needs vyper at the version that the sources name. The demo itself reads the artifacts only.
"""

from __future__ import annotations

import json
from pathlib import Path

import vyper  # type: ignore[import-untyped]  # it carries no types

from arbitrage_bot.contracts import CONTRACTS

FOLDER = Path(__file__).parent


def compiled(name: str) -> str:
    """The artifact of `<name>.vy` as JSON text: the same source and compiler give the same bytes."""
    output = vyper.compile_code((FOLDER / f"{name}.vy").read_text(), output_formats=["abi", "bytecode"])
    artifact = {
        "contract": name,
        "compiler": f"vyper {vyper.__version__}",
        "abi": output["abi"],
        "bytecode": output["bytecode"],
    }
    return json.dumps(artifact, indent=1) + "\n"


if __name__ == "__main__":
    for contract in CONTRACTS:
        (FOLDER / f"{contract}.json").write_text(compiled(contract))
