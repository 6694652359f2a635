"""How much room a line of text takes, where no font is at hand to ask."""

from __future__ import annotations

import unicodedata
from functools import cache

BOLD = 1.1
"""How much wider bold text is."""


def width(text: str, size: float) -> float:
    """An upper estimate in the unit of ``size``, for any common sans-serif font."""
    return size * sum(map(_em, text))


@cache
def _em(char: str) -> float:
    if unicodedata.east_asian_width(char) in "WF":
        return 1.05
    if char in "ijltfr.,:;|!'()[]/\\ -":
        return 0.42
    if char in "mwMW@%—…":
        return 1.0
    return 0.72 if char.isupper() else 0.62
