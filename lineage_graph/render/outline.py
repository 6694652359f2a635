"""A family as a tree of text lines: what of it is drawn in which order, and what each line says."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lineage_graph.render.order import children_of, main_parents
from lineage_graph.render.reading import direction, share
from lineage_graph.render.text import percent
from lineage_graph.visible import shorten, visible

if TYPE_CHECKING:
    import networkx as nx

DEEPEST = 25
"""Generations that are indented; a longer chain goes on at this depth."""

LONGEST = 70
"""Characters of a name."""

SURE = 0.9
"""Probability of a direction from which a line does not mention it."""


@dataclass(frozen=True, slots=True)
class Guides:
    """The strings that draw a tree: before a child, before the last one, below each of them, and for what is cut."""

    child: str
    last: str
    below: str
    beyond: str
    cut: str


LINES = Guides("├── ", "└── ", "│   ", "    ", "…")
ASCII = Guides("|-- ", "`-- ", "|   ", "    ", "...")


@dataclass(frozen=True, slots=True)
class Row:
    """One line. ``lead``: what stands before the name; ``parent``: whom the model hangs on, empty for a root;
    ``depth``: from 0. ``more``: the line stands for that many descendants of ``node`` that are not drawn.
    """

    node: str
    parent: str
    lead: str
    depth: int
    more: int = 0


def rows(graph: nx.DiGraph[str], members: Sequence[str], most: int | None = None, guides: Guides = LINES) -> list[Row]:
    """A row a model, parents before children, in the order of ``members``; a model with several parents hangs on its
    most confident one among the members.

    Where there are more than ``most``, the generations nearest to the roots are drawn, and a row with ``more`` stands
    below each model of which descendants are left out. Roots are always drawn.
    """
    parents = main_parents(graph.subgraph(members))
    children = children_of(parents, members)
    roots = [node for node in members if node not in parents]
    drawn = _nearest(roots, children, most if most is not None else len(members))
    cut = _cut(members, parents, drawn)
    # A line that says "1 more" is better spent on the model itself.
    drawn |= {nodes[0] for nodes in cut.values() if len(nodes) == 1}
    hidden = {anchor: len(nodes) for anchor, nodes in cut.items() if len(nodes) > 1}
    found = []
    stack = [Row(node, "", "", 0) for node in reversed(roots)]
    indents = dict.fromkeys(roots, "")
    while stack:
        row = stack.pop()
        found.append(row)
        if row.more:
            continue
        below = [(child, 0) for child in children.get(row.node, []) if child in drawn]
        below += [(row.node, hidden[row.node])] if row.node in hidden else []
        deep = row.depth + 1 >= DEEPEST
        indent = indents.pop(row.node)
        for index, (child, more) in reversed(list(enumerate(below))):
            last = index == len(below) - 1
            branch = "" if deep else guides.last if last else guides.child
            if not more:
                indents[child] = indent + ("" if deep else guides.beyond if last else guides.below)
            stack.append(Row(child, row.node, indent + branch, row.depth + 1, more))
    return found


def _nearest(roots: Sequence[str], children: Mapping[str, Sequence[str]], most: int) -> set[str]:
    """The first ``most`` models, generation by generation; roots in any case."""
    drawn = set(roots)
    queue = deque(roots)
    while queue:
        below = children.get(queue.popleft(), [])[: max(0, most - len(drawn))]
        drawn.update(below)
        queue.extend(below)
    return drawn


def _cut(members: Sequence[str], parents: Mapping[str, str], drawn: Collection[str]) -> dict[str, list[str]]:
    """The models that are not drawn, by the nearest one above them that is."""
    anchors = {node: node for node in drawn}
    cut: dict[str, list[str]] = {}
    for member in members:
        path = []
        node = member
        while node not in anchors:
            path.append(node)
            node = parents[node]
        anchors |= dict.fromkeys(path, anchors[node])
        if path:
            cut.setdefault(anchors[node], []).append(member)
    return cut


def facts(graph: nx.DiGraph[str], row: Row, longest: int = LONGEST, *, fully: bool = False) -> list[str]:
    """What the line of a model says beside its name, of the edge from the parent that it hangs on; ``fully``: all that
    one line can hold.
    """
    if not row.parent:
        return []
    told, more = edge_facts(graph.edges[row.parent, row.node])
    if graph.nodes[row.node]["generation"] != row.depth + 1 or row.depth >= DEEPEST:
        told.append(f"generation {graph.nodes[row.node]['generation']}")
    others = sorted(other for other in graph.predecessors(row.node) if other != row.parent)
    if others:
        told.append("also from " + ", ".join(shorten(visible(other), longest) for other in others))
    return told + more if fully else told


def edge_facts(edge: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """An edge in a few words: kind, confidence, and a direction that is not sure; and what else there is to say."""
    sure = edge["direction_confidence"] >= SURE
    turned = f"direction {direction(edge)}"
    told = [visible(edge["kind"]), percent(edge["confidence"]), *([] if sure else [turned])]
    more = [turned] if sure else []
    more += [f"share {part}"] if (part := share(edge)) else []
    more += [f"distance {edge['distance']:.3g}"]
    more += [f"declared: {edge['declared']}"] if edge["declared"] != "absent" else []
    return told, more


def outline(graph: nx.DiGraph[str], members: Sequence[str], most: int | None = None) -> list[str]:
    """The lines of :func:`rows`, each with its name and :func:`facts`."""
    return [row.lead + _line(graph, row) for row in rows(graph, members, most)]


def _line(graph: nx.DiGraph[str], row: Row) -> str:
    if row.more:
        return f"{LINES.cut} and {row.more:,} more"
    name = shorten(visible(row.node), LONGEST)
    if graph.nodes[row.node]["role"] == "unseen":
        name += "  [not in the zoo]"
    told = facts(graph, row)
    return f"{name}  ({', '.join(told)})" if told else name
