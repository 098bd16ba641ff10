"""Code that watches something that can't write a journal, and writes one for it. A package for each thing watched.

`KINDS` names the modules. Each has `Settings`, a `SourceSettings`, and `open_source(settings)`, which makes a
`deskwatch.sources.source.Source`; it is imported where it is asked for, as each stands on libraries of its own.
"""

from __future__ import annotations

KINDS: dict[str, str] = {
    "freqtrade": "deskwatch.sources.freqtrade",
    "evm": "deskwatch.sources.evm",
    "hummingbot": "deskwatch.sources.hummingbot",
}
"""`kind` in `deskwatch.toml` and on the command line → module."""
