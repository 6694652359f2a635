"""The report's families: a table of them with their roots, and each as a tree of text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lineage_graph.render import order
from lineage_graph.render.markdown import code, fence, left_out, table
from lineage_graph.render.outline import outline
from lineage_graph.render.reading import unseen

if TYPE_CHECKING:
    import networkx as nx

FAMILIES, TREE_LINES = 100, 400
"""The most rows of the table, and lines of all trees together."""


def sections(graph: nx.DiGraph[str]) -> Iterator[str]:
    """The lines; nothing where no models are related."""
    yield from _families(graph)
    yield from _trees(graph)


def _families(graph: nx.DiGraph[str]) -> Iterator[str]:
    families = order.families(graph)
    if not families:
        return
    rows = []
    for family, members in list(families.items())[:FAMILIES]:
        roots = [node for node in members if graph.in_degree(node) == 0]
        shown = ", ".join(map(code, roots[:3])) + (f" and {len(roots) - 3} more" if len(roots) > 3 else "")
        architectures = sorted({graph.nodes[node]["architecture"] for node in members} - {""})
        kinds = code(architectures[0]) + (f" and {len(architectures) - 1} more" if len(architectures) > 1 else "")
        generations = max(graph.nodes[node]["generation"] for node in members)
        absent = len(unseen(graph, members))
        models = f"{len(members) - absent:,}" + (f" and {absent:,} unseen" if absent else "")
        rows.append((str(family), shown, models, str(generations), kinds if architectures else "unknown"))
    yield "## Families"
    yield ""
    yield from table(("Family", "Root", "Models", "Generations", "Architecture"), rows, right=(0, 2, 3))
    yield from left_out(len(families) - FAMILIES, "family", "families")


def _trees(graph: nx.DiGraph[str]) -> Iterator[str]:
    """Each family as an outline, until the lines are used up; a family is not cut, unless it is the first."""
    room, drawn, families = TREE_LINES, 0, order.families(graph)
    for family, members in families.items():
        if drawn and len(members) > room:
            break
        yield f"### Family {family}"
        yield ""
        yield from fence(outline(graph, members, room))
        room -= len(members)
        drawn += 1
    yield from left_out(len(families) - drawn, "tree")
