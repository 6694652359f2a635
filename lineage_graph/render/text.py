"""Names as people can safely read them. Ids come from file names and model cards, so they may hold anything."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lineage_graph.visible import ELLIPSIS, shorten, visible

_WEIGHT_ENDINGS = re.compile(r"\.(safetensors|pt|pth|ckpt|bin|h5|hdf5|keras|onnx|npz|gguf|zip)$", re.IGNORECASE)


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
