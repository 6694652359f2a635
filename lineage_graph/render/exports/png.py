"""A figure for a paper as PNG, at 300 dots per inch."""

from __future__ import annotations

from lineage_graph.render.exports import Options
from lineage_graph.render.figure import figure
from lineage_graph.render.figure.png import rasterized
from lineage_graph.types import LineageGraph


def render(lineage: LineageGraph, options: Options) -> bytes:
    """The ring or the tree. Raises MissingExtraError where the library that draws pixels is not installed."""
    return rasterized(figure(lineage, options.view, options.columns, options.theme))
