"""What commands print: lines, tables and progress bars, on a terminal and into a pipe.

rich is imported only where a table or a bar is drawn: it belongs to the `sidecar` extra.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from deskwatch.harmless import harmless

COLOURS = {"critical": "1;31", "error": "31", "warning": "33", "info": "32", "debug": "2", "faint": "2", "strong": "1"}
"""Level → the terminal's code for it."""

_SPACE = 2
"""Columns between the cells of a table."""


class Progress(Protocol):
    """Something that shows how far long work has come."""

    def begin(self, words: str, total: float | None = None) -> Callable[[float], None]:
        """A new piece of work; call what is returned with each step's size."""


class Silent:
    """Shows nothing: where nobody watches."""

    def begin(self, words: str, total: float | None = None) -> Callable[[float], None]:
        """As `Progress.begin`."""
        del words, total
        return lambda _: None


class _Bars:
    def __init__(self, bars: Any) -> None:  # Any: rich is imported late
        self._bars = bars

    def begin(self, words: str, total: float | None = None) -> Callable[[float], None]:
        if total == 0:
            return lambda _: None
        task = self._bars.add_task(harmless(words), total=total)
        return lambda step: self._bars.advance(task, step)


@contextlib.contextmanager
def progress() -> Iterator[Progress]:
    """Bars on stderr while the block runs, gone afterwards; nothing where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield Silent()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        yield _Bars(bars)


def coloured(text: str, style: str) -> str:
    """The text in the colour of a level, on a terminal; as it is elsewhere."""
    return f"\x1b[{COLOURS[style]}m{text}\x1b[0m" if has_colours() and style in COLOURS else text


def has_colours() -> bool:
    """Whether stdout is a terminal whose user has not asked for no colours (https://no-color.org)."""
    return (
        sys.stdout is not None
        and sys.stdout.isatty()
        and not os.environ.get("NO_COLOR")
        and os.environ.get("TERM") != "dumb"
    )


def width() -> int | None:
    """Columns of the terminal on stdout; None in a pipe, where a line may be as long as it is."""
    return os.get_terminal_size(sys.stdout.fileno()).columns if sys.stdout.isatty() else None


def print_table(
    columns: Sequence[tuple[str, bool]], rows: Sequence[Sequence[tuple[str, str]]], spare: Sequence[str] = ()
) -> list[str]:
    """Print a table; no cell is wrapped or cut, whatever the width.

    Args:
        columns: Heading and whether its cells stand at the right, as figures do.
        rows: Cells as text and style (a level of COLOURS, or empty).
        spare: Headings of columns that a narrow terminal goes without, the first to go first.

    Returns:
        The headings that were left out.
    """
    left_out: list[str] = []
    most = width()
    while most is not None and len(left_out) < len(spare) and _table_width(columns, rows, left_out) > most:
        left_out.append(spare[len(left_out)])
    kept = [at for at, (heading, _) in enumerate(columns) if heading not in left_out]
    _draw([columns[at] for at in kept], [[row[at] for at in kept] for row in rows])
    return left_out


def _table_width(
    columns: Sequence[tuple[str, bool]], rows: Sequence[Sequence[tuple[str, str]]], left_out: Sequence[str]
) -> int:
    from rich.cells import cell_len

    widths = [
        max(cell_len(heading), *(cell_len(harmless(row[at][0])) for row in rows)) + _SPACE
        for at, (heading, _) in enumerate(columns)
        if heading not in left_out
    ]
    return sum(widths) - _SPACE


def _draw(columns: Sequence[tuple[str, bool]], rows: Sequence[Sequence[tuple[str, str]]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    styles = {"error": "red", "warning": "yellow", "info": "green", "faint": "dim", "strong": "bold"}
    table = Table(box=None, pad_edge=False, padding=(0, _SPACE, 0, 0), header_style="bold")
    for heading, right in columns:
        table.add_column(Text(heading), justify="right" if right else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(harmless(text), style=styles.get(style, "")) for text, style in row))
    needed = max(_table_width(columns, rows, ()), 1) + _SPACE
    console = Console(width=needed, highlight=False, no_color=not has_colours(), emoji=False, markup=False)
    with console.capture() as captured:
        console.print(table, crop=False)
    print("\n".join(line.rstrip() for line in captured.get().rstrip("\n").split("\n")))


@contextlib.contextmanager
def quiet_end() -> Iterator[None]:
    """A reader of our output that went away (`| head`) ends the command without a word."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:  # a stream that a test put in its place has none
            reconfigure(errors="backslashreplace")  # a locale that can't spell a character still gets its line
    try:
        yield
        if sys.stdout is not None:  # as it is where it was closed from the beginning (`>&-`)
            sys.stdout.flush()
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())  # what Python flushes at exit must not fail again
        os.close(nowhere)
