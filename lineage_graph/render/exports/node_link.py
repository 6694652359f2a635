"""Node-link JSON, as in ``lineage.json``."""

from __future__ import annotations

from lineage_graph.render import node_link
from lineage_graph.render.exports import Options
from lineage_graph.types import LineageGraph


def render(lineage: LineageGraph, options: Options) -> str:
    """The graph as JSON text; read it with ``networkx.node_link_graph(document, edges="edges")``."""
    return node_link.to_json(lineage)
