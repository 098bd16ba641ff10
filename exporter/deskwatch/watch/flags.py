"""The flags of a kind of source, made of its `Settings`: `url` is `--url`, and each of `wallets` a `--wallet`."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect

from deskwatch.errors import ConfigError
from deskwatch.sources.conversion import Misfit, convert, description
from deskwatch.sources.kinds import settings_type
from deskwatch.sources.settings import SourceSettings

_DEST = "source."
"""Before a field's name in the namespace, as the sidecar has flags too."""
_PAIR = re.compile(r",(?=[a-z_]+=)")
"""Between two `field=value` of one flag; other commas belong to the value."""


class KindFlags:
    """Of one kind.

    Attributes:
        fields: The kind's settings.

    Raises:
        ConfigError: A library that the kind needs is not installed.
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._settings = settings_type(kind)
        info = inspect.type_info(self._settings)
        self.fields = info.fields if isinstance(info, inspect.StructType) else ()
        self._spelled: dict[str, str] = {}

    def add(self, parser: argparse.ArgumentParser) -> None:
        """Add them. One that the sidecar has too is spelled with the kind's name before it: `--hummingbot-port`."""
        words = description(self._settings)
        group = parser.add_argument_group(self._kind)
        for field in self.fields:
            name, kind = field.encode_name, bare(field.type)
            flag = _flag(name, kind)
            if flag in parser._option_string_actions:  # noqa: SLF001  argparse tells it nowhere else
                flag = f"--{self._kind}-{flag[2:]}"
            self._spelled[name] = flag
            told: dict[str, Any] = {  # Any: as argparse takes it
                "dest": _DEST + name,
                "default": argparse.SUPPRESS,
                "help": _help(field, words.get(name, ""), self._kind),
            }
            if isinstance(kind, inspect.BoolType):
                group.add_argument(flag, action=argparse.BooleanOptionalAction, **told)
            elif _is_many(kind):
                group.add_argument(flag, action="append", metavar=_metavar(kind), **told)
            else:
                group.add_argument(flag, metavar=_metavar(kind), **told)

    def settings(self, told: argparse.Namespace, base: Path) -> SourceSettings:
        """What the flags say.

        Raises:
            ConfigError: Every fault.
        """
        given: dict[str, Any] = {"bot": self._kind}  # Any: as TOML would hold it
        faults: list[str] = []
        for field in self.fields:
            value = getattr(told, _DEST + field.encode_name, None)
            if value is not None:
                try:
                    given[field.encode_name] = _value(value, bare(field.type))
                except ValueError as error:
                    faults.append(f"{self._spelled[field.encode_name]}: {error}")
        if not faults:
            try:
                return convert(self._settings, given, base, strict=False, spelled=self.spelled)
            except Misfit as error:
                faults = error.faults
        raise ConfigError(faults[0] if len(faults) == 1 else "\n  ".join(["mend these:", *faults]))

    def spelled(self, name: str) -> str:
        """A setting's flag, once it was added; else the setting itself."""
        return self._spelled.get(name, name)


def bare(kind: inspect.Type) -> inspect.Type:
    """A type without what is said about it, and without None."""
    if isinstance(kind, inspect.Metadata):
        return bare(kind.type)
    if isinstance(kind, inspect.UnionType):
        others = [one for one in kind.types if not isinstance(one, inspect.NoneType)]
        return bare(others[0]) if len(others) == 1 else kind
    return kind


def _is_many(kind: inspect.Type) -> bool:
    return isinstance(kind, inspect.CollectionType | inspect.DictType)


def _flag(name: str, kind: inspect.Type) -> str:
    return "--" + name.removesuffix("s" if _is_many(kind) else "").replace("_", "-")


def struct_of(kind: inspect.Type) -> inspect.StructType | None:
    """What each value of a flag is made of, where that is a struct."""
    item = bare(kind.item_type) if isinstance(kind, inspect.CollectionType) else kind
    return item if isinstance(item, inspect.StructType) else None


def _metavar(kind: inspect.Type) -> str:
    if (struct := struct_of(kind)) is not None:
        required = [one for one in struct.fields if one.required]
        return ",".join(f"{one.encode_name}=…" for one in required) + (
            "[,…]" if required != list(struct.fields) else ""
        )
    if isinstance(kind, inspect.DictType):
        return "NAME=…"
    if isinstance(kind, inspect.CustomType):
        return "FILE"
    return "N" if isinstance(kind, inspect.IntType | inspect.FloatType) else "TEXT"


def _help(field: inspect.Field, words: str, kind: str) -> str:
    if (struct := struct_of(bare(field.type))) is not None:
        words += f": {', '.join(one.encode_name for one in struct.fields)}"
    if _is_many(bare(field.type)):
        words += "; repeatable"
    if field.encode_name == "bot":
        words += f" (default: {kind})"
    elif field.default not in (msgspec.NODEFAULT, None, (), False, ""):
        words += f" (default: {field.default})"
    return words.replace("%", "%%")


def _value(text: Any, kind: inspect.Type) -> Any:  # Any: what argparse gave, and as TOML would hold it
    """What a flag's texts are to the settings.

    Raises:
        ValueError: It is made of fields, and they are not given as `name=value`.
    """
    if isinstance(kind, inspect.DictType):
        return dict(_pair(each) for each in text)
    if (struct := struct_of(kind)) is None:
        return text
    fields = {one.encode_name: bare(one.type) for one in struct.fields}
    if isinstance(text, str):
        return _parted(text, fields)
    return [_parted(each, fields) for each in text]


def _parted(text: str, fields: dict[str, inspect.Type]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in _PAIR.split(text):
        name, value = _pair(part)
        if isinstance(fields.get(name), inspect.CollectionType):
            found.setdefault(name, []).append(value)  # given once for each
        elif name in found:
            raise ValueError(f"expected {name}= once, was twice in {text!r}; take one out")
        else:
            found[name] = value
    return found


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise ValueError(f"expected name=value, parted by commas, was {text!r}; write it so")
    return name.strip(), value
