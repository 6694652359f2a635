"""A part of a lineage graph: a family, or all that one model descends from and all that descends from it."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from typing import TYPE_CHECKING

from lineage_graph.errors import LineageGraphError
from lineage_graph.types import LineageGraph

if TYPE_CHECKING:
    import networkx as nx


def of_family(lineage: LineageGraph, number: int) -> LineageGraph:
    """The family of this number. Raises :class:`LineageGraphError` that says which there are."""
    facts = lineage.graph.nodes
    numbers: set[int] = {facts[node]["family"] for node in lineage.graph} - {0}
    if number not in numbers:
        there = f"the families are 1 to {max(numbers)}" if numbers else "there are none"
        raise LineageGraphError(f"no family has the number {number}: {there}")
    members = [node for node in lineage.graph if facts[node]["family"] == number]
    return _part(lineage, members)


def around(lineage: LineageGraph, model: str) -> LineageGraph:
    """The model that :func:`find` finds, with its ancestors and its descendants."""
    import networkx as nx

    node = find(lineage, model)
    return _part(lineage, {node, *nx.ancestors(lineage.graph, node), *nx.descendants(lineage.graph, node)})


def hanging(part: LineageGraph, node: str) -> nx.DiGraph[str]:
    """The graph of what is :func:`around` a model without the edges that lead past it: each of its descendants has
    parents only among the model and its other descendants, so that a tree of them all has them below it.
    """
    import networkx as nx

    below = {node, *nx.descendants(part.graph, node)}
    graph = part.graph.copy()
    past = [(parent, child) for parent, child in graph.edges if child in below - {node} and parent not in below]
    graph.remove_edges_from(past)
    return graph


def find(lineage: LineageGraph, model: str) -> str:
    """The id of the model that is called ``model``: its id, or the end of it where that fits one model alone.

    Raises :class:`LineageGraphError` that names the models that come near.
    """
    if model in lineage.graph:
        return model
    ends = sorted(node for node in lineage.graph if model and node.endswith(f"/{model}"))
    if len(ends) == 1:
        return ends[0]
    near = ends[:3] or difflib.get_close_matches(model, sorted(lineage.graph), n=3)
    hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
    raise LineageGraphError(f"no model of {lineage.name!r} is called {model!r}{hint}")


def _part(lineage: LineageGraph, members: Collection[str]) -> LineageGraph:
    """These models, with the edges and near misses between them, their failures and the findings on their cards."""
    inside = set(members)
    return LineageGraph(
        name=lineage.name,
        graph=lineage.graph.subgraph(inside).copy(),
        rejected=tuple(miss for miss in lineage.rejected if miss.a in inside and miss.b in inside),
        failures=tuple(failure for failure in lineage.failures if failure.id in inside),
        audit=tuple(finding for finding in lineage.audit if finding.model in inside),
    )
