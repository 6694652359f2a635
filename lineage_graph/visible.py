"""Text from strangers as people can safely read it: names of files and tensors, ids, cards."""

from __future__ import annotations

import unicodedata

ELLIPSIS = "…"

_JOINERS = {"\u200c", "\u200d"}
"""Format characters that words and emoji need; all others can hide or reorder text."""


def visible(text: str) -> str:
    r"""``text`` with Python escapes (``\n``, ``\u202e``) for what cannot be seen or reorders other characters.

    The result is one line, encodes as UTF-8 (no lone surrogates) and holds nothing that XML 1.0 forbids.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape(char) if _is_hidden(char) else char for char in text)


def _is_hidden(char: str) -> bool:
    if char in _JOINERS:
        return False
    return unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} or char in "\ufffe\uffff"


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def shorten(text: str, limit: int) -> str:
    """``text`` in at most ``limit`` characters; what is too much is left out of the middle."""
    if len(text) <= limit:
        return text
    head = (limit - 1) // 2
    tail = limit - 1 - head
    return text[:head] + ELLIPSIS + (text[-tail:] if tail else "")
