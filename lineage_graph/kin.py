"""Who descends from whom in a finished graph, and how sure that is. Copies count as one model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import networkx as nx

OPEN = 0.6
"""Probability of a direction below which nothing decides it: odds of less than 3 to 2."""


@dataclass(frozen=True, slots=True)
class Descent:
    """The shortest way from an ancestor to a model: at least one edge. ``nodes``: both ends and what lies between.

    ``confidence``: of its least sure edge, 0 to 1. ``open``: nothing decides the direction of one of them. ``kinds``:
    of the edges; ``adapter``: whether the last is of an adapter that has to be loaded beside its base.
    """

    nodes: tuple[str, ...]
    confidence: float
    open: bool
    kinds: tuple[str, ...]
    adapter: bool

    @property
    def steps(self) -> int:
        """Number of generations, from 1."""
        return len(self.nodes) - 1


class Kin:
    """Questions about one graph, parent → child, with the attributes of the contract."""

    def __init__(self, graph: nx.DiGraph[str]) -> None:
        import networkx as nx

        self._graph = graph
        same: nx.Graph[str] = nx.Graph()
        same.add_nodes_from(graph)
        same.add_edges_from((a, b) for a, b, edge in graph.edges(data=True) if edge["kind"] == "duplicate")
        self._members: dict[str, list[str]] = {min(group): sorted(group) for group in nx.connected_components(same)}
        self._group = {node: group for group, members in self._members.items() for node in members}
        self._edges: dict[tuple[str, str], tuple[str, str]] = {}
        for a, b, edge in graph.edges(data=True):
            ends = (self._group[a], self._group[b])
            known = self._edges.get(ends)
            if ends[0] != ends[1] and (known is None or graph.edges[known]["confidence"] < edge["confidence"]):
                self._edges[ends] = (a, b)
        self._between: nx.DiGraph[str] = nx.DiGraph()
        self._between.add_nodes_from(self._members)
        self._between.add_edges_from(self._edges)

    def fact(self, node: str, name: str) -> str:
        """An attribute of a model, as text."""
        return str(self._graph.nodes[node][name])

    def usable(self, node: str) -> bool:
        """Is it a model whose weights were read?"""
        return node in self._graph and self.fact(node, "status") == "ok"

    def absent(self, node: str) -> bool:
        """Is it an ancestor that is not in the zoo?"""
        return self.fact(node, "role") == "unseen"

    def models(self) -> Iterator[str]:
        """Every model whose weights were read."""
        return (node for node in self._graph if self.usable(node) and not self.absent(node))

    def same(self, a: str, b: str) -> bool:
        """Are they one model, or copies?"""
        return self._group[a] == self._group[b]

    def copies(self, model: str) -> list[str]:
        """The others with its weights."""
        return [other for other in self._members[self._group[model]] if other != model]

    def descent(self, ancestor: str, model: str) -> Descent | None:
        """The shortest way down, whichever copies it passes."""
        import networkx as nx

        try:
            groups = nx.shortest_path(self._between, self._group[ancestor], self._group[model])
        except nx.NetworkXNoPath:
            return None
        return self._along(groups, ancestor, model) if len(groups) > 1 else None

    def parents(self, model: str) -> list[Descent]:
        """One edge each, the surest first."""
        group = self._group[model]
        ends = [(self._edges[other, group][0], other) for other in self._between.predecessors(group)]
        found = [self._along([other, group], parent, model) for parent, other in ends]
        return sorted(found, key=lambda one: (-one.confidence, one.nodes))

    def ancestors(self, model: str, sure: float) -> Iterator[str]:
        """All models from which it descends by edges of at least this confidence, the nearest first."""
        known, level = {self._group[model]}, [self._group[model]]
        while level:
            above = {
                other
                for group in level
                for other in self._between.predecessors(group)
                if other not in known and self._is_sure(other, group, sure)
            }
            known |= above
            level = sorted(above)
            yield from (node for group in level for node in self._members[group])

    def _is_sure(self, parent: str, child: str, sure: float) -> bool:
        edge = self._graph.edges[self._edges[parent, child]]
        return bool(edge["confidence"] >= sure and edge["direction_confidence"] >= OPEN)

    def _along(self, groups: list[str], ancestor: str, model: str) -> Descent:
        drawn = [self._edges[ends] for ends in pairwise(groups)]
        edges: list[dict[str, Any]] = [self._graph.edges[ends] for ends in drawn]
        return Descent(
            nodes=(ancestor, *(child for _, child in drawn[:-1]), model),
            confidence=min(edge["confidence"] for edge in edges),
            open=any(edge["direction_confidence"] < OPEN for edge in edges),
            kinds=tuple(edge["kind"] for edge in edges),
            adapter=bool(edges[-1]["evidence"].get("adapter_gain")) or "shapes_fit" in edges[-1]["evidence"],
        )
