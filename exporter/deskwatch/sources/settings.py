"""What a source is told: by a `[[source]]` block of `deskwatch.toml`, or by flags of `deskwatch watch`.

A field's description (`Annotated[…, Meta(description=…)]`) is its flag's help and its line in the reference.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from deskwatch.journal.names import MAIN


class SourceSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every source is told."""

    bot: Annotated[str, Meta(description="the name the bot has here: letters, digits, '.', '_', '-'")]
    writer: Annotated[
        str,
        Meta(description="name among the bot's writers; another than main where the bot itself writes its journal"),
    ] = MAIN
