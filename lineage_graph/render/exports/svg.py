"""A figure for a paper as SVG: vector, and the same bytes for the same graph."""

from __future__ import annotations

from lineage_graph.render.exports import Options
from lineage_graph.render.figure import figure
from lineage_graph.types import LineageGraph


def render(lineage: LineageGraph, options: Options) -> str:
    """The ring or the tree."""
    return figure(lineage, options.view, options.columns, options.theme)
