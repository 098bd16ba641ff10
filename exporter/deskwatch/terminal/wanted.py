"""Which events the feed shows: what is typed at its filter."""

from __future__ import annotations

import msgspec

from deskwatch.live import Entry

LEVELS = ("debug", "info", "warning", "error", "critical")
FIELDS = ("bot", "kind", "type", "provider", "symbol")


class Wanted(msgspec.Struct, frozen=True):
    """A filter. Words are looked for in the event's line; `level:` means that one or a more serious one."""

    fields: tuple[tuple[str, str], ...] = ()
    level: str | None = None
    words: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Wanted:
        """The filter of `kind:orders level:warning uniswap`."""
        fields, words, level = [], [], None
        for word in text.lower().split():
            name, colon, value = word.partition(":")
            if colon and value and name in FIELDS:
                fields.append((name, value))
            elif colon and name == "level" and value in LEVELS:
                level = value
            else:
                words.append(word)
        return cls(tuple(fields), level, tuple(words))

    def accepts(self, entry: Entry) -> bool:
        """Whether an event is shown."""
        if any((getattr(entry, name) or "").lower() != value for name, value in self.fields):
            return False
        if self.level is not None and _rank(entry.level) < LEVELS.index(self.level):
            return False
        if not self.words:
            return True
        line = f"{entry.bot} {entry.type} {bytes(entry.raw).decode(errors='replace')}".lower()
        return all(word in line for word in self.words)


def _rank(level: str) -> int:
    return LEVELS.index(level) if level in LEVELS else 1
