"""A Hummingbot over MQTT passes the contract of sources."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.sources.contract import SourceContract
from tests.sources.rig import Rig
from tests.unit.sources.hummingbot.rig import HummingbotRig


class TestHummingbot(SourceContract):
    @pytest.fixture
    async def rig(self, tmp_path: Path) -> AsyncIterator[Rig]:
        async with HummingbotRig(tmp_path) as rig:
            yield rig
