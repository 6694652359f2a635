"""Families as trees of lines on a terminal or in a pipe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lgraph.summary import headline
from lgraph.text import console, draws_lines, show, table, visible
from lineage_graph.render import order, outline, reading
from lineage_graph.render.selection import hanging
from lineage_graph.render.text import count
from lineage_graph.visible import shorten

if TYPE_CHECKING:
    import networkx as nx
    from rich.console import Console
    from rich.text import Text

    from lineage_graph.types import LineageGraph

FAMILIES, MODELS, NAMES = 12, 24, 5
"""Families, models of each, and names of a list that are shown where nothing more was asked for."""

_SHORTEST = 16
"""Characters of a name that a narrow terminal shows in any case."""

_NOT_CUT = 10**9


def draw_families(lineage: LineageGraph, *, cut: bool) -> None:
    """All families, then the models without relatives and those that failed; ``cut``: the first of everything."""
    graph = lineage.graph
    target = console()
    show(target, headline(lineage))
    found = order.families(graph)
    shown = FAMILIES if cut else len(found)
    for number, members in list(found.items())[:shown]:
        show(target, "", _title(graph, number, members), *_tree(target, graph, members, MODELS if cut else _NOT_CUT))
    if len(found) > shown:
        show(target, "", f"and {count(len(found) - shown, 'more family', 'more families')}: --family N or --all")
    names = NAMES if cut else _NOT_CUT
    for nodes, what in ((order.loners(graph), "without relatives"), (order.failed(graph), "could not be used")):
        if nodes:
            more = f" and {len(nodes) - names:,} more" if len(nodes) > names else ""
            show(target, "", f"{what}: {', '.join(map(visible, nodes[:names]))}{more}")


def draw_model(whole: LineageGraph, part: LineageGraph, node: str) -> None:
    """One model: what is known of it, and its ancestors above it and its descendants below it, with their edges.

    ``part`` holds these alone; ``whole`` has the other parents of the descendants too.
    """
    graph = whole.graph
    target = console()
    show(target, visible(node), *(f"  {line}" for line in _known(graph, node)))
    if graph.in_degree(node):
        show(target, "", table(("parent", "edge", "cues"), _parents(graph, node)))
    if len(part.graph) > 1:
        guides = _guides(target)
        found = outline.rows(hanging(part, node), order.node_order(part.graph), guides=guides)
        show(
            target, "", *(_line(target, graph, row, _told(graph, row, guides, True), row.node == node) for row in found)
        )


def _parents(graph: nx.DiGraph[str], node: str) -> list[tuple[str, str, str]]:
    """A row for each parent, the most confident first, with the cues that contradict each other."""
    rows = []
    for parent in sorted(graph.predecessors(node), key=lambda one: (-graph.edges[one, node]["confidence"], one)):
        edge = graph.edges[parent, node]
        told, more = outline.edge_facts(edge)
        conflict = f"contradict: {edge['conflict']}" if edge.get("conflict") else ""
        rows.append((parent, ", ".join(told + more), reading.why_open(edge) or conflict))
    return rows


def _title(graph: nx.DiGraph[str], number: int, members: Sequence[str]) -> Text:
    from rich.text import Text

    generations = max(graph.nodes[node]["generation"] for node in members)
    names = sorted({graph.nodes[node]["architecture"] for node in members} - {""})
    more = f" and {len(names) - 1} more architectures" if len(names) > 1 else ""
    facts = (reading.census(graph, members), count(generations, "generation"), *(f"{name}{more}" for name in names[:1]))
    return Text(visible(f"family {number}: {', '.join(facts)}"), style="bold")


def _known(graph: nx.DiGraph[str], node: str) -> list[str]:
    """What the graph says of a model, a line each."""
    facts = graph.nodes[node]
    if facts["status"] != "ok":
        return [visible(f"{facts['status']}: {facts['message']}")]
    parents, children = graph.in_degree(node), graph.out_degree(node)
    lines = [
        f"{facts['role']}, family {facts['family']}, generation {facts['generation']}, "
        f"{count(parents, 'parent')}, {count(children, 'child', 'children')}"
    ]
    if facts["role"] != "unseen":
        shape = (facts["architecture"], count(facts["parameters"], "parameter"), facts["format"])
        lines += [", ".join(filter(None, shape)), facts["sha256"] and f"sha256 {facts['sha256']}"]
    for name in ("license", "created", "audit"):
        lines += [f"{name}: {facts[name]}"] if facts.get(name) else []
    if facts["declared_parents"]:
        lines.append(f"declares as parents: {', '.join(facts['declared_parents'])}")
    return [visible(line) for line in lines if line]


def _guides(target: Console) -> outline.Guides:
    return outline.LINES if draws_lines(target) else outline.ASCII


def _tree(target: Console, graph: nx.DiGraph[str], members: Sequence[str], most: int) -> list[Text]:
    """The lines of a family."""
    guides = _guides(target)
    found = outline.rows(graph, members, most, guides)
    return [_line(target, graph, row, _told(graph, row, guides, False)) for row in found]


def _told(graph: nx.DiGraph[str], row: outline.Row, guides: outline.Guides, fully: bool) -> str:
    if row.more:
        return f"{guides.cut} and {row.more:,} more"
    if row.parent:
        return ", ".join(outline.facts(graph, row, longest=30, fully=fully))
    return "not in the zoo" if graph.nodes[row.node]["role"] == "unseen" else "root"


def _line(target: Console, graph: nx.DiGraph[str], row: outline.Row, told: str, chosen: bool = False) -> Text:
    """One line that fits the terminal: the middle of a long name goes first, then the end of the facts."""
    from rich.cells import cell_len
    from rich.text import Text

    line = Text(row.lead, style="none", no_wrap=True)
    if row.more:
        return line.append(told, style="dim")
    room = target.width - cell_len(row.lead) - cell_len(told) - 4
    unseen = graph.nodes[row.node]["role"] == "unseen"
    name = visible(row.node)
    shown = name if cell_len(name) <= room else shorten(name, max(room, _SHORTEST))
    line.append(shown, style="italic dim" if unseen else "bold reverse" if chosen else "bold")
    line.append("  " + told, style=_mood(graph, row))
    line.truncate(target.width, overflow="crop" if target.options.ascii_only else "ellipsis")
    return line


def _mood(graph: nx.DiGraph[str], row: outline.Row) -> str:
    """Yellow where the direction is open, dim elsewhere."""
    return "yellow" if row.parent and reading.is_open(graph.edges[row.parent, row.node]) else "dim"
