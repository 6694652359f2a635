"""A family as a tree of text lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lineage_graph.render.order import children_of, main_parents
from lineage_graph.render.text import percent
from lineage_graph.visible import shorten, visible

if TYPE_CHECKING:
    import networkx as nx

DEEPEST = 25
"""Generations that are indented; a longer chain goes on at this depth, with its generation in words."""

LONGEST = 70
"""Characters of a name."""


def outline(graph: nx.DiGraph[str], members: Sequence[str]) -> list[str]:
    """One line a model, parents before children, in the order of ``members``.

    A model with several parents stands under its most confident one; the others are named on its line.
    """
    family = graph.subgraph(members)
    parents = main_parents(family)
    children = children_of(parents, members)
    lines = []
    stack = [(node, "", "", 0) for node in reversed(members) if node not in parents]
    while stack:
        node, lead, indent, depth = stack.pop()
        lines.append(lead + _describe(family, node, parents.get(node), depth))
        deep = depth + 1 >= DEEPEST
        for child in reversed(offspring := children.get(node, [])):
            last = child == offspring[-1]
            branch, below = ("", "") if deep else ("└── ", "    ") if last else ("├── ", "│   ")
            stack.append((child, indent + branch, indent + below, depth + 1))
    return lines


def _describe(graph: nx.DiGraph[str], node: str, parent: str | None, depth: int) -> str:
    name = shorten(visible(node), LONGEST)
    if graph.nodes[node]["role"] == "unseen":
        name += "  [not in the zoo]"
    if parent is None:
        return name
    edge = graph.edges[parent, node]
    facts = [visible(edge["kind"]), percent(edge["confidence"])]
    if edge["direction_confidence"] < 0.9:
        facts.append(f"direction {percent(edge['direction_confidence'])}")
    if depth >= DEEPEST:
        facts.append(f"generation {graph.nodes[node]['generation']}")
    others = sorted(other for other in graph.predecessors(node) if other != parent)
    if others:
        facts.append("also from " + ", ".join(shorten(visible(other), LONGEST) for other in others))
    return f"{name}  ({', '.join(facts)})"
