"""Figures for print, drawn without a browser: SVG written here, PNG through an optional library."""

from __future__ import annotations

from lineage_graph.render.figure import ring, tree
from lineage_graph.render.figure.frame import Sheet
from lineage_graph.render.palette import PALETTES
from lineage_graph.types import LineageGraph

VIEWS = {"ring": ring.draw, "tree": tree.draw}
"""By name: from a lineage and a sheet to SVG."""


def figure(lineage: LineageGraph, view: str, columns: int, theme: str) -> str:
    """A figure as SVG, one or two ``columns`` of a paper wide, in the ``light`` or ``dark`` theme."""
    return VIEWS[view](lineage, Sheet(columns, PALETTES[theme]))
