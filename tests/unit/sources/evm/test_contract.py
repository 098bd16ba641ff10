"""A watched chain keeps to the contract of sources."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import cast

import pytest

from tests.sources.contract import SourceContract
from tests.sources.rig import Rig
from tests.unit.sources.evm.rig import EvmRig


class TestEvm(SourceContract):
    """One node of one chain."""

    @pytest.fixture
    async def rig(self) -> AsyncIterator[Rig]:
        async with EvmRig() as rig:
            yield cast(Rig, rig)  # whose history begins when it is first watched: a property
