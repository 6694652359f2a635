"""Colours of the drawings, for a light and a dark ground.

Generations and roots are steps of lightness of one hue, so that they can be told apart without seeing colour; the hues
of the curves differ in lightness too, since teal and magenta look alike to deuteranopes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Palette:
    """Hex colours; grounds and inks are those of the page. ``reds``: generation 1 first; ``blues``: root 1 first;
    ``gaps``: parent, grandparent, great-grandparent; ``apart``: models without relatives.
    """

    ground: str
    band: str
    ink: str
    muted: str
    line: str
    edge: str
    danger: str
    apart: str
    reds: tuple[str, ...]
    blues: tuple[str, ...]
    gaps: tuple[str, ...]


LIGHT = Palette(
    ground="#ffffff",
    band="#f5f6f8",
    ink="#16191d",
    muted="#5a626c",
    line="#dfe3e8",
    edge="#7b8591",
    danger="#b3261e",
    apart="#a5adb6",
    reds=("#8c1118", "#d7301f", "#f98b6b", "#fbcab5"),
    blues=("#0b2f6b", "#1f66b0", "#5aa0d6", "#97c5e8", "#cbe0f3"),
    gaps=("#14ab93", "#ee952a", "#940c86"),
)

DARK = Palette(
    ground="#14171b",
    band="#1b1f25",
    ink="#eceff3",
    muted="#a3acb8",
    line="#343b45",
    edge="#818c9a",
    danger="#ff8a80",
    apart="#6d7783",
    reds=("#a8232b", "#e5533f", "#f79a7c", "#fbd3c3"),
    blues=("#2f5fae", "#4b8ad6", "#7fb4ea", "#b0d3f5", "#dcebfb"),
    gaps=("#30e0c3", "#f0b642", "#df20cf"),
)

PALETTES: Mapping[str, Palette] = {"light": LIGHT, "dark": DARK}

FAMILIES = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#56b4e9", "#cc79a7", "#f0e442")
"""Okabe & Ito, "Color Universal Design" (2008), without black: seven hues that colour-blind people can tell apart."""


def reds(palette: Palette, generations: int) -> list[str]:
    """A red for each generation from 1; more generations than reds share their range in finer steps."""
    if generations <= len(palette.reds):
        return list(palette.reds[:generations])
    last = len(palette.reds) - 1
    return [_mixed(palette.reds, last * step / (generations - 1)) for step in range(generations)]


def blue(palette: Palette, root: int) -> str:
    """The blue of a root, numbered from 0; after the last one they begin again."""
    return palette.blues[root % len(palette.blues)]


def _mixed(colours: Sequence[str], at: float) -> str:
    """The colour at a place between the listed ones."""
    below = min(int(at), len(colours) - 2)
    share = at - below
    ends = [[int(colour[place : place + 2], 16) for place in (1, 3, 5)] for colour in colours[below : below + 2]]
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in zip(*ends, strict=True))


def legible(ground: str) -> str:
    """Black or white, whichever can be read on the colour.

    Source: relative luminance of https://www.w3.org/TR/WCAG22/
    """
    parts = [int(ground[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    light = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#000000" if (light + 0.05) / 0.05 > 1.05 / (light + 0.05) else "#ffffff"


def outline(fill: str, palette: Palette) -> str:
    """The colour half way to the ink, so that an outline stands out against the ground."""
    return _mixed((fill, "#000000" if palette is LIGHT else "#ffffff"), 0.5)
