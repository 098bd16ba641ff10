"""Secrets of sources: in a file or in the environment, never in the configuration or on the command line."""

from __future__ import annotations

import os
import re
from pathlib import Path

from deskwatch.errors import ConfigError

_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")
"""As variables are named. Another word may be the secret itself, given by mistake, and is not shown."""


class Secret:
    """A password or token. It is read anew at each `read`, so that one that was changed is found.

    Args:
        what: What it is, for messages: `password`.
        file: A file that holds it alone.
        variable: Name of an environment variable that holds it.
    """

    def __init__(self, what: str, file: Path | None, variable: str | None) -> None:
        self._what = what
        self._file = file
        self._variable = variable

    def is_given(self) -> bool:
        """Whether anything says where it is."""
        return self._file is not None or self._variable is not None

    def read(self) -> str:
        """The secret.

        Raises:
            ConfigError: Nothing says where it is, or it is not there.
        """
        if self._file is not None:
            try:
                found = self._file.read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise ConfigError(
                    f"expected the {self._what} in {self._file}, but: {error}; write it there, alone"
                ) from None
            if not found:
                raise ConfigError(f"expected the {self._what} in {self._file}, was nothing; write it there, alone")
            return found
        if self._variable is not None:
            value = os.environ.get(self._variable, "")
            if not value:
                named = self._variable if _VARIABLE.fullmatch(self._variable) else f"that {self._what}_env names"
                raise ConfigError(
                    f"expected the {self._what} in the environment variable {named}, was nothing; set it, and give "
                    f"its name as {self._what}_env"
                )
            return value
        raise ConfigError(
            f"expected {self._what}_file or {self._what}_env to say where the {self._what} is; give one of them"
        )
