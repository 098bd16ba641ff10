"""freqtrade keeps the contract of sources."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.sources.contract import SourceContract
from tests.sources.rig import Rig
from tests.unit.sources.freqtrade.rig import FreqtradeRig


class TestFreqtrade(SourceContract):
    """The source, against the stand-in."""

    @pytest.fixture
    async def rig(self) -> AsyncIterator[Rig]:
        async with FreqtradeRig() as rig:
            yield rig
