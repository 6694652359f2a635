"""Plain text for terminals and pipes: names made harmless, tables that fit the width."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

UNDEFINED = "–"
"""What stands for a ratio without cases."""

_UNWRAPPED = 10_000
"""Width of output that goes to a pipe or a file: programs read lines, not paragraphs."""


def visible(text: str) -> str:
    """``text`` on one line, with control characters and others that cannot be shown as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def number(value: float | None) -> str:
    """A ratio with three decimals."""
    return UNDEFINED if value is None else f"{value:.3f}"


def size(count: int) -> str:
    """A number of bytes in the largest unit (of powers of 1000) of which it has at least one."""
    value, units = float(count), ["B", "kB", "MB", "GB", "TB"]
    while value >= 1000 and len(units) > 1:
        value /= 1000
        units.pop(0)
    return f"{count} B" if units[0] == "B" else f"{value:.1f} {units[0]}"


def console() -> Console:
    """Standard output: as wide as the terminal and coloured there (unless ``NO_COLOR`` is set), plain elsewhere."""
    from rich.console import Console

    if sys.stdout.isatty():
        return Console(file=sys.stdout, highlight=False, markup=False, emoji=False)
    return Console(
        file=sys.stdout,
        width=_UNWRAPPED,
        color_system=None,
        force_terminal=False,
        highlight=False,
        markup=False,
        emoji=False,
    )


def draws_lines(target: Console) -> bool:
    """Can box-drawing characters be shown: a terminal (no pipe, no file) whose encoding has them?"""
    return target.is_terminal and not target.options.ascii_only


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """A table without lines, for :func:`show`; a column whose header begins with a space is aligned right.

    Cells are shown as they are, made :func:`visible`. Where every header is blank, none is shown.
    """
    from rich.table import Table
    from rich.text import Text

    made = Table(
        box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold", show_header=any(map(str.strip, header))
    )
    for name in header:
        justify = "right" if name.startswith(" ") else "left"
        title = Text(name.strip())
        made.add_column(title, justify=justify, overflow="fold", min_width=len(title))  # type: ignore[arg-type]
    for row in rows:
        made.add_row(*(Text(visible(cell)) for cell in row))
    return made


def show(target: Console, *items: RenderableType) -> None:
    """Write each item to ``target``, strings as they are, without blanks at the ends of lines."""
    with target.capture() as captured:
        for item in items:
            target.print(item, soft_wrap=isinstance(item, str))
    for line in captured.get().splitlines():
        target.file.write(line.rstrip() + "\n")
