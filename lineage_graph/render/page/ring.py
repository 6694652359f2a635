"""The ring as the page takes it: models, roots and hubs by number, angles in radians, lengths in radii."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lineage_graph.render import palette
from lineage_graph.render.ring import TENSION, Arc, GenerationArc, ring

if TYPE_CHECKING:
    import networkx as nx

ANGLE, LENGTH = 5, 3
"""Digits behind the point: a hundredth of a pixel on a screen."""


def ring_data(graph: nx.DiGraph[str], number: Mapping[str, int]) -> dict[str, Any]:
    """``blocks``: start, end, a model (the first of a folded family) and how many there are. ``generations``: start,
    end, generation. ``middle``: start, end, roots. ``routes``: the ways of curves, hub by hub. ``curves``: ancestor,
    descendant, gap, 1 where it is inferred, route.
    """
    found = ring(graph)
    rank = {root: index for index, root in enumerate(found.roots)}
    routes = {way: index for index, way in enumerate(dict.fromkeys(curve.hubs for curve in found.curves))}
    return {
        "folded": found.folded,
        "tension": TENSION,
        "blocks": [[*_ends(block), number[block.models[0]], len(block.models)] for block in found.blocks],
        "generations": [[*_ends(arc), arc.generation] for arc in found.generations],
        "middle": [[*_ends(arc), [rank[root] for root in arc.roots]] for arc in found.middle],
        "roots": [number[root] for root in found.roots],
        "hubs": [[round(x, LENGTH), round(y, LENGTH)] for x, y in found.hubs],
        "routes": [list(way) for way in routes],
        "curves": [
            [number[one.ancestor], number[one.descendant], one.gap, int(one.inferred), routes[one.hubs]]
            for one in found.curves
        ],
        "colours": {name: _colours(found.generations, colours) for name, colours in palette.PALETTES.items()},
    }


def _ends(arc: Arc) -> list[float]:
    return [round(arc.start, ANGLE), round(arc.end, ANGLE)]


def _colours(generations: Sequence[GenerationArc], colours: palette.Palette) -> dict[str, list[str]]:
    deepest = max((arc.generation for arc in generations), default=0)
    return {"reds": palette.reds(colours, deepest), "blues": list(colours.blues), "gaps": list(colours.gaps)}
