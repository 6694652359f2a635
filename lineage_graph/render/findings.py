"""The report's sections on what is more than one parent and one child: kinds, absent ancestors, merges, splices, doubts
about directions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median
from typing import TYPE_CHECKING, Any

from lineage_graph.render import order, reading
from lineage_graph.render.markdown import code, left_out, table
from lineage_graph.render.text import count, percent

if TYPE_CHECKING:
    import networkx as nx

ROWS, NAMES = 100, 8
"""The most rows of a table, and the most names in one of its cells."""

Edge = tuple[str, str, dict[str, Any]]


def sections(graph: nx.DiGraph[str]) -> Iterator[str]:
    """The lines of all sections; a section of which there is nothing to say is left out."""
    edges = [(parent, child, graph.edges[parent, child]) for parent, child in order.edge_order(graph)]
    yield from _kinds(edges)
    yield from _unseen(graph)
    yield from _merges(graph)
    yield from _splices(graph)
    yield from _open(edges)
    yield from _conflicts(edges)


def _kinds(edges: Sequence[Edge]) -> Iterator[str]:
    if not edges:
        return
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for *_, edge in edges:
        by_kind.setdefault(edge["kind"], []).append(edge)
    rows = [
        (
            code(kind),
            f"{len(those):,}",
            percent(median(edge["confidence"] for edge in those)),
            f"{sum(map(reading.is_open, those)):,}",
            f"{sum(bool(edge.get('conflict')) for edge in those):,}",
        )
        for kind, those in sorted(by_kind.items(), key=lambda item: (-len(item[1]), item[0]))
    ]
    yield "## Kinds of edge"
    yield ""
    header = ("Kind", "Edges", "Median confidence", "Direction open", "Cues contradict")
    yield from table(header, rows, right=(1, 2, 3, 4))


def _unseen(graph: nx.DiGraph[str]) -> Iterator[str]:
    nodes = reading.unseen(graph)
    if not nodes:
        return
    rows = []
    for node in nodes[:ROWS]:
        edges = [edge for *_, edge in (*graph.out_edges(node, data=True), *graph.in_edges(node, data=True))]
        sure = max((edge["evidence"].get("unseen", edge["confidence"]) for edge in edges), default=0.0)
        children = _names(sorted(graph.successors(node)))
        rows.append((code(node), str(graph.nodes[node]["family"]), percent(sure), children))
    yield "## Unseen ancestors"
    yield ""
    yield "Models that are not in the zoo, inferred from how their descendants lie apart."
    yield ""
    yield from table(("Ancestor", "Family", "Probability", "Children"), rows, right=(1, 2))
    yield from left_out(len(nodes) - ROWS, "unseen ancestor")


def _merges(graph: nx.DiGraph[str]) -> Iterator[str]:
    found = reading.joined(graph, "merge")
    if not found:
        return
    rows = []
    for node, parents in list(found.items())[:ROWS]:
        edges = {parent: graph.edges[parent, node] for parent in parents}
        parts = [f"{reading.share(edges[parent]) or '?'} {code(parent)}" for parent in parents[:NAMES]]
        more = [f"{len(parents) - NAMES} more"] if len(parents) > NAMES else []
        left = [edge["evidence"]["merge.residual"] for edge in edges.values() if "merge.residual" in edge["evidence"]]
        residual = f"{max(left):.2g}" if left else "–"
        confidence = min(edge["confidence"] for edge in edges.values())
        rows.append((code(node), ", ".join(parts + more), residual, percent(confidence)))
    yield "## Merges"
    yield ""
    yield "Each parent with its coefficient, ± its spread over the layers."
    yield "Residual: what the sum leaves, over what the nearest parent alone leaves."
    yield ""
    yield from table(("Merge", "Parents", "Residual", "Confidence"), rows, right=(2, 3))
    yield from left_out(len(found) - ROWS, "merge")


def _splices(graph: nx.DiGraph[str]) -> Iterator[str]:
    found = [(node, parent) for node, parents in reading.joined(graph, "splice").items() for parent in parents]
    if not found:
        return
    rows = []
    for node, parent in found[:ROWS]:
        edge = graph.edges[parent, node]
        runs = reading.blocks(graph, parent, node)
        which = [code(first) if first == last else f"{code(first)} to {code(last)}" for first, last in runs[:NAMES]]
        more = [f"{len(runs) - NAMES} more runs"] if len(runs) > NAMES else []
        blocks = f"{len(edge.get('layers', ())):,}"
        rows.append((code(node), code(parent), blocks, ", ".join(which + more), percent(edge["confidence"])))
    yield "## Splices"
    yield ""
    yield "Models that were put together from blocks of several others."
    yield ""
    yield from table(("Model", "Parent", "Blocks", "Which", "Confidence"), rows, right=(2, 4))
    yield from left_out(len(found) - ROWS, "edge")


def _open(edges: Sequence[Edge]) -> Iterator[str]:
    found = [(parent, child, edge) for parent, child, edge in edges if reading.is_open(edge)]
    if not found:
        return
    rows = [
        (code(parent), code(child), code(edge["kind"]), percent(edge["direction_confidence"]), _cell(edge))
        for parent, child, edge in found[:ROWS]
    ]
    yield "## Direction open"
    yield ""
    yield f"{count(len(found), 'edge')} of which nothing decides the direction: either of the two may be the parent."
    yield ""
    yield from table(("Drawn as parent", "Drawn as child", "Kind", "Direction", "Why"), rows, right=(3,))
    yield from left_out(len(found) - ROWS, "edge")


def _conflicts(edges: Sequence[Edge]) -> Iterator[str]:
    found = [(parent, child, edge) for parent, child, edge in edges if edge.get("conflict")]
    if not found:
        return
    rows = [
        (code(parent), code(child), reading.direction(edge), code(edge["conflict"], 200))
        for parent, child, edge in found[:ROWS]
    ]
    yield "## Cues that contradict"
    yield ""
    yield "The strongest cue for the direction that was drawn, and the strongest against it, in log-odds."
    yield ""
    yield from table(("Parent", "Child", "Direction", "Cues"), rows, right=(2,))
    yield from left_out(len(found) - ROWS, "edge")


def _cell(edge: dict[str, Any]) -> str:
    """Why a direction is open; what holds names of signals as code."""
    text = reading.why_open(edge)
    reason, colon, named = text.partition(": ")
    return f"{reason}{colon}{code(named, 200)}" if colon else reason


def _names(nodes: Sequence[str]) -> str:
    more = f" and {len(nodes) - NAMES} more" if len(nodes) > NAMES else ""
    return ", ".join(map(code, nodes[:NAMES])) + more
