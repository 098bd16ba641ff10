"""What is looked at on a chain, beside the chain itself: a class for each, made once the chain is known."""

from __future__ import annotations

from deskwatch.sources.evm.memory import EvmMemory
from deskwatch.sources.evm.part import Part
from deskwatch.sources.evm.rpc import Rpc
from deskwatch.sources.evm.settings import Settings
from deskwatch.sources.watched import Watched


def make_parts(rpc: Rpc, watched: Watched, settings: Settings, memory: EvmMemory) -> list[Part]:
    """Those that the settings ask for. `settings.chain` is filled in by now."""
    return []
