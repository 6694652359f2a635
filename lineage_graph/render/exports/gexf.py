"""GEXF 1.2, which Gephi opens as it is: labels, weights, directed edges, a type for every attribute.

It is GraphML's content (see ``render.graphml``), and has no nulls either. Specification: https://gexf.net
"""

from __future__ import annotations

from lineage_graph.render.exports import Options
from lineage_graph.render.graphml import typed_graph
from lineage_graph.types import LineageGraph


def render(lineage: LineageGraph, options: Options) -> str:
    """The graph as GEXF text; read it with ``networkx.read_gexf``."""
    from networkx.readwrite.gexf import GEXFWriter

    writer = GEXFWriter(typed_graph(lineage), version="1.2draft")
    # The writer puts today's date there: the same graph would give other bytes tomorrow.
    writer.xml.find("meta").attrib.pop("lastmodifieddate")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{writer}\n'
