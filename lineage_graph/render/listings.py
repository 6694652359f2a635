"""The report's long lists: edges, models without relatives, failures, nearest misses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lineage_graph.render import order
from lineage_graph.render.markdown import code, left_out, table
from lineage_graph.render.reading import direction
from lineage_graph.render.text import percent
from lineage_graph.types import LineageGraph

if TYPE_CHECKING:
    import networkx as nx

EDGES, NAMES, MISSES = 150, 100, 12
"""The longest that each list grows; what is left out is counted, and stands in the JSON file."""


def edges(graph: nx.DiGraph[str]) -> Iterator[str]:
    """Every edge with its numbers."""
    found = order.edge_order(graph)
    if not found:
        return
    rows = []
    for parent, child in found[:EDGES]:
        edge = graph.edges[parent, child]
        numbers = (percent(edge["confidence"]), direction(edge), f"{edge['distance']:.3g}")
        declared = "" if edge["declared"] == "absent" else edge["declared"]
        rows.append((code(parent), code(child), code(edge["kind"]), *numbers, declared))
    yield "## Edges"
    yield ""
    yield from table(
        ("Parent", "Child", "Kind", "Confidence", "Direction", "Distance", "Declared"), rows, right=(3, 4, 5)
    )
    yield from left_out(len(found) - EDGES, "edge")


def loners(graph: nx.DiGraph[str]) -> Iterator[str]:
    """Models that were read and have no relatives."""
    nodes = order.loners(graph)
    if not nodes:
        return
    yield "## Models without relatives"
    yield ""
    for node in nodes[:NAMES]:
        architecture = graph.nodes[node]["architecture"]
        yield f"- {code(node)}" + (f", {code(architecture)}" if architecture else "")
    yield ""
    yield from left_out(len(nodes) - NAMES, "model")


def failures(graph: nx.DiGraph[str]) -> Iterator[str]:
    """Models that could not be used, and why."""
    nodes = order.failed(graph)
    if not nodes:
        return
    facts = [(node, graph.nodes[node]) for node in nodes[:NAMES]]
    rows = [(code(node), code(fact["status"]), code(fact["message"], 200)) for node, fact in facts]
    yield "## Failures"
    yield ""
    yield from table(("Model", "Error", "Message"), rows)
    yield from left_out(len(nodes) - NAMES, "failure")


def misses(lineage: LineageGraph) -> Iterator[str]:
    """The pairs that came closest to an edge."""
    found = sorted(lineage.rejected, key=lambda miss: (-miss.confidence, miss.a, miss.b))
    if not found:
        return
    rows = [
        (code(miss.a), code(miss.b), percent(miss.confidence), f"{miss.distance:.3g}", code(miss.reason, 200))
        for miss in found[:MISSES]
    ]
    yield "## Nearest misses"
    yield ""
    yield "Pairs that came closest to an edge and did not get one."
    yield ""
    yield from table(("Model", "Model", "Confidence", "Distance", "Why not"), rows, right=(2, 3))
    yield from left_out(len(found) - MISSES, "pair")
