"""What the page knows: facts, positions, counts. Everything in it is plain JSON; names are made visible first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lineage_graph.render import folding, measure, order, reading
from lineage_graph.render.meanings import meaning
from lineage_graph.render.page import network, placing
from lineage_graph.render.page.columns import packed
from lineage_graph.render.page.evidence import details
from lineage_graph.render.page.plain import plain, short
from lineage_graph.render.page.ring import ring_data
from lineage_graph.render.text import count, short_labels
from lineage_graph.types import LineageGraph, RunRecord
from lineage_graph.visible import visible

LABEL = 18
"""Characters of a name in the drawing."""

FONT = 12.0
"""Size of a label, in pixels."""

MISSES = 5000
"""Near misses that the page carries, the nearest ones."""


def page_data(lineage: LineageGraph, run: RunRecord) -> dict[str, Any]:
    """Everything that the page's script reads. Models and edges are numbered in the common order.

    ``folds`` is null, or ``layouts``, where the graph is too large to be drawn as a whole.
    """
    graph = lineage.graph
    nodes, edges = order.node_order(graph), order.edge_order(graph)
    number = {node: index for index, node in enumerate(nodes)}
    labels = short_labels(nodes, LABEL)
    slots = {node: _slot(label) for node, label in zip(nodes, labels, strict=True)}
    told = details(lineage, edges)
    folded = folding.is_folded(graph)
    return {
        "name": visible(lineage.name),
        "version": visible(run.version),
        "stats": _stats(lineage),
        "options": network.options(),
        "models": packed(_models(lineage, nodes, labels, slots)),
        "open": reading.OPEN,
        "edges": packed([_edge(graph.edges[edge], *(number[end] for end in edge)) for edge in edges]),
        **told,
        "signals": [visible(signal) for signal in told["signals"]],
        "meanings": [meaning(signal.removeprefix(reading.CUE)) for signal in told["signals"]],
        "ring": ring_data(graph, number),
        "layouts": None if folded else placing.layouts(graph, nodes, edges, slots),
        "folds": placing.folds(graph, nodes, edges, slots) if folded else None,
        "misses": [
            [number[miss.a], number[miss.b], short(miss.confidence), short(miss.distance), visible(miss.reason)]
            for miss in sorted(lineage.rejected, key=lambda miss: (-miss.confidence, miss.a, miss.b))[:MISSES]
            if miss.a in number and miss.b in number
        ],
    }


def _slot(label: str) -> float:
    """The width that a model and its label need."""
    return max(measure.width(label, FONT), 40.0) + 16.0


def _stats(lineage: LineageGraph) -> list[str]:
    graph = lineage.graph
    absent = len(reading.unseen(graph))
    parts = [
        count(graph.number_of_nodes() - absent, "model"),
        *([count(absent, "unseen ancestor")] if absent else []),
        count(len(order.families(graph)), "family", "families"),
        count(graph.number_of_edges(), "edge"),
    ]
    return parts + [count(len(failed), "failure") for failed in [order.failed(graph)] if failed]


def _models(
    lineage: LineageGraph, nodes: Sequence[str], labels: Sequence[str], slots: Mapping[str, float]
) -> list[dict[str, Any]]:
    """``claims``: the declared parents of which the audit, which has the last word, says nothing."""
    audited = {(found.model, found.subject) for found in lineage.audit if found.kind == "parent"}
    apart = ("label", "origins", "declared_parents")
    found = []
    for node, label in zip(nodes, labels, strict=True):
        facts = lineage.graph.nodes[node]
        own = {
            "name": visible(node),
            "short": label,
            "slot": round(slots[node]),
            "claims": [visible(claim) for claim in facts["declared_parents"] if (node, claim) not in audited],
        }
        found.append({**plain({key: value for key, value in facts.items() if key not in apart}), **own})
    return found


def _edge(edge: Mapping[str, Any], start: int, end: int) -> dict[str, Any]:
    """``why``: what keeps an open direction open."""
    kept = {key: value for key, value in edge.items() if key not in ("evidence", "by_block")}
    return {**plain({**kept, "why": reading.why_open(edge)}), "from": start, "to": end}
