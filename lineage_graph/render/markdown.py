"""Markdown in which names from outside stay text.

Every such name stands in a code span or a fence: there neither markup nor HTML, links, ``@mentions`` or ``#references``
of a forge have any meaning. Specification: https://github.github.com/gfm/
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from lineage_graph.render.text import count
from lineage_graph.visible import shorten, visible

LONGEST = 90
"""Characters of a name that a report shows."""


def code(text: str, limit: int = LONGEST) -> str:
    """A code span of one line; a run of backticks inside only makes its fence longer (section 6.3)."""
    shown = shorten(visible(text), limit)
    if not shown:
        return "(empty)"
    fence = "`" * (_longest_run(shown) + 1)
    pad = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def table(header: Sequence[str], rows: Iterable[Sequence[str]], right: Iterable[int] = ()) -> list[str]:
    """The lines of a table; the columns numbered in ``right`` (from 0) are aligned to the right."""
    right = set(right)
    rule = ["---:" if column in right else "---" for column in range(len(header))]
    return [_row(header), _row(rule), *map(_row, rows), ""]


def fence(lines: Sequence[str]) -> list[str]:
    """A fenced block of plain text (section 4.5)."""
    marks = "`" * max(3, 1 + max(map(_longest_run, lines), default=0))
    return [f"{marks}text", *lines, marks, ""]


def _row(cells: Sequence[str]) -> str:
    """A pipe inside a cell needs its backslash even inside a code span (section 4.10)."""
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)


def left_out(number: int, noun: str, plural: str = "") -> Iterator[str]:
    """What a list that was cut says of its rest; nothing where ``number`` is not positive."""
    if number > 0:
        yield f"… and {count(number, f'more {noun}', f'more {plural}' if plural else '')}: see `lineage.json`."
        yield ""
