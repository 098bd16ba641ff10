"""What a person wrote of a source, in a file or as flags, as the `Settings` of its kind; each fault in words."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from deskwatch.errors import ConfigError
from deskwatch.harmless import harmless
from deskwatch.journal.names import CONTROL, SIDECAR, check_name
from deskwatch.scrub import names_secret
from deskwatch.sources.settings import SourceSettings

Values = Mapping[str, Any]  # Any: whatever TOML holds
SettingsT = TypeVar("SettingsT", bound=SourceSettings)

MAX_SHOWN = 60
"""Characters of a wrong value that a message shows."""

_WORDS = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
    "null": "nothing",
    "path": "a path",
}
"""msgspec's names for types, and a person's."""
_TYPES = re.compile(r"`([a-z |]+)`")
_PLACE = re.compile(r" - at `\$(.*)`$", re.DOTALL)
_STEP = re.compile(r"\[(\d+|\.\.\.)\]|\.([A-Za-z_]\w*)")
_MISFITS = (
    (re.compile(r"^Object contains unknown field `(.*)`$"), r"Expected no \1, was one; mind its spelling"),
    (re.compile(r"^Object missing required field `(.*)`$"), r"Expected \1, was not given; give it"),
)
_PASSWORD_IN_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^/\s?#@]*:[^/\s?#@]+@")


class Misfit(Exception):
    """What was written does not make settings.

    Attributes:
        faults: What is wrong, a sentence each, with the names under which it was written.
    """

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


def convert(
    cls: type[SettingsT], given: Values, base: Path, *, strict: bool = True, spelled: Callable[[str], str] = str
) -> SettingsT:
    """The settings.

    Args:
        cls: A kind's `Settings`.
        given: Field → value, as TOML has it.
        base: Folder that relative paths start from.
        strict: Whether a number has to be one; flags are texts.
        spelled: A field's name as the person writes it: `url`, or `--url`.

    Raises:
        Misfit: With every fault, not the first alone.
    """
    fields = {one.encode_name: one for one in msgspec.structs.fields(cls)}
    faults = [_unknown(name, fields, spelled) for name in given if name not in fields]
    for name, field in fields.items():
        if name not in given:
            if field.required:
                what = description(cls).get(name)
                faults.append(f"{spelled(name)}: expected it, was not given" + (f"; it is {what}" if what else ""))
        elif has_password(given[name]):
            faults.append(f"{spelled(name)}: expected a URL without a password in it; {_places(fields, spelled)}")
        else:
            try:
                _read(given[name], field.type, base, strict=strict)
            except msgspec.ValidationError as error:
                faults.append(_phrase(spelled(name), str(error), given[name]))
    if faults:
        raise Misfit(faults)
    try:
        settings: SettingsT = _read(dict(given), cls, base, strict=strict)
        check_name("bot's name", settings.bot)
        check_name("writer's name", settings.writer)
    except (msgspec.ValidationError, ConfigError) as error:  # what the whole has to fulfil
        raise Misfit([_PLACE.sub("", str(error))]) from None
    if settings.writer == CONTROL or settings.bot == SIDECAR:
        raise Misfit([f"{spelled('writer')}: expected another writer than the sidecar's own, was {settings.writer}"])
    return settings


def description(cls: type[msgspec.Struct]) -> dict[str, str]:
    """Field → what it is, by its `Meta(description=…)`."""
    found = {}
    (info,) = msgspec.inspect.multi_type_info([cls])
    for field in info.fields if isinstance(info, msgspec.inspect.StructType) else ():
        if isinstance(field.type, msgspec.inspect.Metadata):
            found[field.encode_name] = str((field.type.extra_json_schema or {}).get("description", ""))
    return found


def has_password(value: object) -> bool:
    """Whether a URL in it holds a password."""
    if isinstance(value, str):
        return _PASSWORD_IN_URL.search(value) is not None
    if isinstance(value, Mapping):
        return any(has_password(each) for each in value.values())
    return isinstance(value, list | tuple) and any(has_password(each) for each in value)


def _read(value: Any, kind: Any, base: Path, *, strict: bool) -> Any:  # Any: as msgspec has it
    def hook(wanted: type, found: object) -> object:
        if wanted is not Path:
            # msgspec asks its hooks for this error where a type is none of theirs
            raise NotImplementedError(f"no field of a source's settings can be {wanted!r}")
        if not isinstance(found, str) or not found:
            raise ValueError("Expected `path`")
        return base / Path(found).expanduser()

    return msgspec.convert(value, kind, strict=strict, dec_hook=hook)


def _unknown(name: str, fields: Values, spelled: Callable[[str], str]) -> str:
    named = [spelled(one) for one in (f"{name}_file", f"{name}_env") if one in fields]
    if named:
        return f"{spelled(name)}: expected no secret here, where others may read it; give {' or '.join(named)}"
    if names_secret(name):
        return f"{spelled(name)}: expected no secret here, where others may read it; {_places(fields, spelled)}"
    close = get_close_matches(name, fields, n=1)
    words = f"is {spelled(close[0])} meant?" if close else f"it may be {', '.join(map(spelled, fields))}"
    return f"{harmless(spelled(name))}: expected a setting of this kind of source; {words}"


def _places(fields: Values, spelled: Callable[[str], str]) -> str:
    """Where secrets of this kind belong."""
    places = [spelled(name) for name in fields if name.endswith(("_file", "_env")) and not name.startswith("ca_")]
    return f"secrets belong into {', '.join(places)}" if places else "this kind of source takes no secret"


def _phrase(field: str, error: str, value: Any) -> str:  # Any: whatever TOML holds
    """Msgspec's words (`Expected `int`, got `str` - at `$[0].decimals``) in ours, with the value if it may be shown."""
    place = _PLACE.search(error)
    error = _PLACE.sub("", error)
    for pattern, words in _MISFITS:
        error = pattern.sub(words, error)
    is_known = True
    for index, name in _STEP.findall(place[1] if place else ""):
        if name:
            field += f".{name}"
        elif index != "...":
            field += f" {int(index) + 1}"
        try:
            value = value[name or int(index)]
        except (KeyError, IndexError, TypeError, ValueError):
            is_known = False
    expected, _, got = _TYPES.sub(_plainly, error).partition(", got ")
    expected = expected[:1].lower() + expected[1:]
    if is_known and not isinstance(value, Mapping | list) and "was " not in expected:
        shown = _shown(value)
        return f"{field}: {expected}, was {shown or got or 'something else'}"
    return f"{field}: {expected}" + (f", was {got}" if got else "")


def _plainly(types: re.Match[str]) -> str:
    return " or ".join(_WORDS.get(one, one) for one in types[1].split(" | ") if one != "null" or "|" not in types[1])


def _shown(value: object) -> str | None:
    """A wrong value as it may be shown: no text that could hold a key."""
    if isinstance(value, str) and ("://" in value or len(value) > MAX_SHOWN):
        return None
    return harmless(repr(value))
