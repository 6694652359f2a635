"""Names as people can safely read them. Ids come from file names and model cards, so they may hold anything."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

ELLIPSIS = "…"

_JOINERS = {"\u200c", "\u200d"}
"""Format characters that words and emoji need; all others can hide or reorder text."""

_WEIGHT_ENDINGS = re.compile(r"\.(safetensors|pt|pth|ckpt|bin|h5|hdf5|keras|onnx|npz|gguf|zip)$", re.IGNORECASE)


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


def short_labels(names: Sequence[str], limit: int) -> list[str]:
    """A label of at most ``limit`` characters for each name; ``limit`` is 12 at least.

    What all the names share tells them apart by nothing, and goes first: the folder they are all in. Then the ending of
    each weight file goes, except where two names would become one.
    """
    shown = _without_common_folder([visible(name) for name in names])
    stems = [_WEIGHT_ENDINGS.sub("", name) or name for name in shown]
    bearers: dict[str, set[str]] = {}
    for name, stem in zip(shown, stems, strict=True):
        bearers.setdefault(stem, set()).add(name)
    return [
        shorten(stem, limit) if len(bearers[stem]) == 1 else _shorten_with_ending(stem, name[len(stem) :], limit)
        for name, stem in zip(shown, stems, strict=True)
    ]


def _shorten_with_ending(stem: str, ending: str, limit: int) -> str:
    """Both parts in at most ``limit`` characters, so that the ending can be told from another: ``run.safe…``."""
    room = max(limit - len(stem), 6)
    if len(ending) > room:
        ending = ending[: room - 1] + ELLIPSIS
    return shorten(stem, limit - len(ending)) + ending


def _without_common_folder(names: Sequence[str]) -> list[str]:
    folders = [name.split("/")[:-1] for name in names]
    common = 0
    for parts in zip(*folders, strict=False):
        if len(set(parts)) > 1:
            break
        common += 1
    return ["/".join(name.split("/")[common:]) or name for name in names]


def count(number: int, noun: str, plural: str = "") -> str:
    """``1 model``, ``1,234 models``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def percent(share: float) -> str:
    """``99.8 %``; never 100 % for what is not certain."""
    return "100 %" if share == 1 else f"{min(share, 0.999):.1%}".replace("%", " %")
