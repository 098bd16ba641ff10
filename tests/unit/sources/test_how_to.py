"""What the pages about watching show is read as it stands."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from deskwatch.sources import file

DOCS = Path(__file__).parents[3] / "docs"
PAGES = [*sorted((DOCS / "how-to").glob("watch-*.md")), DOCS / "tutorial" / "freqtrade.md"]


def _blocks(language: str) -> list[object]:
    found = [
        (page, block)
        for page in PAGES
        for block in re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)
    ]
    return [pytest.param(block, id=f"{page.stem}-{at}") for at, (page, block) in enumerate(found)]


@pytest.mark.parametrize("block", _blocks("toml"))
def test_a_deskwatch_toml_is_read(block: str, tmp_path: Path) -> None:
    path = tmp_path / "deskwatch.toml"
    path.write_text(block)
    assert file.read(path)


@pytest.mark.parametrize("block", _blocks("yaml"))
def test_yaml_is_yaml(block: str) -> None:
    assert isinstance(yaml.safe_load(block), dict)


@pytest.mark.parametrize("block", _blocks("json"))
def test_a_part_of_freqtrades_configuration_is_json(block: str) -> None:
    assert json.loads(f"{{{block}}}")["api_server"]["enabled"]
