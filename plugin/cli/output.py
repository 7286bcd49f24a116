"""What a person reads in the terminal: results on standard output, everything else on standard error."""

import logging
import sys
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.logging import RichHandler
from rich.table import Table
from rich.text import Text

PIPED_WIDTH = 240
"""Columns of a table that is not shown in a terminal; at 80 rich would cut names off."""


def out() -> Console:
    """Standard output, without markup: a person may be called "[bold]"."""
    width = None if sys.stdout.isatty() else PIPED_WIDTH
    return Console(width=width, markup=False, highlight=False, emoji=False)


def notes() -> Console:
    """Standard error, for progress, warnings and questions."""
    return Console(stderr=True, markup=False, highlight=False, emoji=False)


def say(text: str) -> None:
    """One line of result."""
    out().print(text, soft_wrap=True)


def note(text: str, style: str = "") -> None:
    """One line beside the result."""
    notes().print(text, style=style or None, soft_wrap=True)


def printable(text: str) -> str:
    """The text with control characters escaped: file names and names of people must not steer the terminal."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], numbers: Sequence[str] = ()) -> None:
    """Print a table; `numbers` are the columns that are aligned to the right."""
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        shown.add_column(column, justify="right" if column in numbers else "left", overflow="fold")
    for row in rows:
        shown.add_row(*(Text(f"{cell:,}" if isinstance(cell, int) else printable(str(cell))) for cell in row))
    out().print(shown)


def duration(seconds: float) -> str:
    """A length of time for a person: `0.4 s`, `12 s`, `3 min 5 s`, `2 h 10 min`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 1:
        return f"{rest} s"
    hours, minutes_left = divmod(minutes, 60)
    return f"{minutes} min {rest} s" if hours < 1 else f"{hours} h {minutes_left} min"


def log_to_terminal(level: str) -> None:
    """Send Kinfolk's own log records from `level` on to standard error; libraries only speak up with warnings."""
    handler: logging.Handler
    if sys.stderr.isatty():
        handler = RichHandler(console=notes(), show_path=False, markup=False)
        style = "%(message)s"
    else:
        handler = logging.StreamHandler()
        style = "%(asctime)s %(levelname)s %(name)s: %(message)s"
    logging.basicConfig(level="DEBUG" if level == "debug" else "WARNING", format=style, handlers=[handler], force=True)
    logging.getLogger("plugin").setLevel(level.upper())
