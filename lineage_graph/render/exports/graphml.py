"""GraphML, as in ``lineage.graphml``."""

from __future__ import annotations

from lineage_graph.render import graphml
from lineage_graph.render.exports import Options
from lineage_graph.types import LineageGraph


def render(lineage: LineageGraph, options: Options) -> str:
    """The graph as GraphML text."""
    return graphml.render(lineage)
