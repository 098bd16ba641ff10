"""The reference of sources, `docs/reference/sources.md`: what `deskwatch.toml` may hold, by kind."""

from __future__ import annotations

import argparse
import importlib.util
import inspect
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import inspect as types

from deskwatch.flags import add_settings
from deskwatch.sources import KINDS
from deskwatch.sources.conversion import description
from deskwatch.sources.kinds import settings_type
from deskwatch.watch.flags import KindFlags, bare, struct_of

PATH = Path(__file__).parents[2] / "docs" / "reference" / "sources.md"
_HEAD = """\
# Sources: deskwatch.toml

Made from the code by `make docs`; do not edit.

A source watches a bot that writes no journal, and writes one for it. `deskwatch watch KIND` takes its settings as
flags; a file has a block for each:

```toml
[[source]]
kind = "freqtrade"
bot = "grid-1"
url = "http://127.0.0.1:8080"
user = "desk"
password_file = "freqtrade.password"
```

`--config FILE`, or `DESKWATCH_CONFIG`, names that file for `deskwatch watch`, `sidecar`, `run` and `demo`. Relative
paths in it start from its own folder. Secrets are never in it, nor among the flags: a setting `…_file` names a file
that holds one alone, `…_env` an environment variable. Every fault is told at once, with the block and the setting.
`deskwatch doctor`, with the same flags or the same file, tries it against the real peer, changes nothing there, and
says what is missing; its exit status is 1 if something can't work.

Each kind needs an extra of its name: `pip install '.[freqtrade]'` in this repository's folder. Two blocks may watch
one bot if they have another `writer`; commands go to the writer `main`. A list of tables is `[[source.wallets]]` below
its block, or `--wallet name=…,address=…` once for each.
"""
_WORDS: dict[type[types.Type], str] = {
    types.StrType: "text",
    types.IntType: "whole number",
    types.FloatType: "number",
    types.BoolType: "true, false",
    types.CustomType: "file",
}


def page() -> str:
    """The whole page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield _HEAD.rstrip()
    for kind, module in KINDS.items():
        if importlib.util.find_spec(module) is not None:
            yield from _kind(kind)


def _kind(kind: str) -> Iterator[str]:
    settings = settings_type(kind)
    parser = argparse.ArgumentParser()
    add_settings(parser)
    flags = KindFlags(kind)
    flags.add(parser)
    words = description(settings)
    yield f"\n## {kind}\n\n{inspect.cleandoc(settings.__doc__ or '')}\n"
    yield "| setting | flag | is | default | what |"
    yield "| --- | --- | --- | --- | --- |"
    for field in flags.fields:
        name = field.encode_name
        default = f'`"{kind}"`' if name == "bot" else _default(field)
        yield f"| `{name}` | `{flags.spelled(name)}` | {_type(field.type)} | {default} | {_cell(words[name])} |"


def _type(kind: types.Type) -> str:
    kind = bare(kind)
    if (struct := struct_of(kind)) is not None:
        fields = ", ".join(f"`{one.encode_name}`" + ("" if one.required else "?") for one in struct.fields)
        return f"tables of {fields}"
    if isinstance(kind, types.CollectionType):
        return f"list: {_type(kind.item_type)}"
    names = {
        types.StrType: "text",
        types.IntType: "whole number",
        types.FloatType: "number",
        types.BoolType: "true, false",
    }
    return names.get(type(kind), "file" if isinstance(kind, types.CustomType) else "table")


def _default(field: types.Field) -> str:
    if field.required:
        return "must be given"
    empty: tuple[object, ...] = (msgspec.NODEFAULT, None, (), "")
    return "" if field.default in empty else f"`{msgspec.json.encode(field.default).decode()}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
