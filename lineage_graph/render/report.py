"""``report.md``: what was found, for people; fit to be pasted into a pull request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from lineage_graph.render import audit_section, findings, order
from lineage_graph.render.markdown import code, fence, left_out, table
from lineage_graph.render.outline import outline
from lineage_graph.render.reading import direction, unseen
from lineage_graph.render.text import count, percent
from lineage_graph.types import LineageGraph, RunRecord

if TYPE_CHECKING:
    import networkx as nx

FAMILIES, TREE_LINES, EDGES, NAMES, MISSES, DOUBTS = 100, 400, 150, 100, 12, 10
"""The longest that each list grows; what is left out is counted, and stands in the JSON file."""


def render(lineage: LineageGraph, run: RunRecord) -> str:
    """The report as GitHub-flavoured Markdown. Every name, message and reason stands in a code span or a fence."""
    graph = lineage.graph
    lines = [
        *_summary(lineage, run),
        *_families(graph),
        *_trees(graph),
        *findings.sections(graph),
        *_edges(graph),
        *_loners(graph),
        *_failures(graph),
        *audit_section.lines(lineage.audit),
        *_misses(lineage),
        *_certainty(graph, run),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _summary(lineage: LineageGraph, run: RunRecord) -> Iterator[str]:
    graph = lineage.graph
    yield f"# Lineage of {code(lineage.name)}"
    yield ""
    if not graph:
        yield "The zoo holds no models."
        yield ""
        return
    absent = len(unseen(graph))
    parts = [
        count(graph.number_of_nodes() - absent, "model"),
        *([count(absent, "unseen ancestor")] if absent else []),
        count(len(order.families(graph)), "family", "families"),
        count(graph.number_of_edges(), "edge"),
        f"{count(len(order.loners(graph)), 'model')} without relatives",
        f"{count(len(order.failed(graph)), 'model')} that could not be used",
    ]
    yield ", ".join(parts) + f". Made by lgraph {run.version}."
    yield ""


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
        yield from fence(outline(graph, members)[:room])
        yield from left_out(len(members) - room, "model")
        room -= len(members)
        drawn += 1
    yield from left_out(len(families) - drawn, "tree")


def _edges(graph: nx.DiGraph[str]) -> Iterator[str]:
    edges = order.edge_order(graph)
    if not edges:
        return
    rows = []
    for parent, child in edges[:EDGES]:
        edge = graph.edges[parent, child]
        numbers = (percent(edge["confidence"]), direction(edge), f"{edge['distance']:.3g}")
        declared = "" if edge["declared"] == "absent" else edge["declared"]
        rows.append((code(parent), code(child), code(edge["kind"]), *numbers, declared))
    yield "## Edges"
    yield ""
    yield from table(
        ("Parent", "Child", "Kind", "Confidence", "Direction", "Distance", "Declared"), rows, right=(3, 4, 5)
    )
    yield from left_out(len(edges) - EDGES, "edge")


def _loners(graph: nx.DiGraph[str]) -> Iterator[str]:
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


def _failures(graph: nx.DiGraph[str]) -> Iterator[str]:
    nodes = order.failed(graph)
    if not nodes:
        return
    facts = [(node, graph.nodes[node]) for node in nodes[:NAMES]]
    rows = [(code(node), code(fact["status"]), code(fact["message"], 200)) for node, fact in facts]
    yield "## Failures"
    yield ""
    yield from table(("Model", "Error", "Message"), rows)
    yield from left_out(len(nodes) - NAMES, "failure")


def _misses(lineage: LineageGraph) -> Iterator[str]:
    misses = sorted(lineage.rejected, key=lambda miss: (-miss.confidence, miss.a, miss.b))
    if not misses:
        return
    rows = [
        (code(miss.a), code(miss.b), percent(miss.confidence), f"{miss.distance:.3g}", code(miss.reason, 200))
        for miss in misses[:MISSES]
    ]
    yield "## Nearest misses"
    yield ""
    yield "Pairs that came closest to an edge and did not get one."
    yield ""
    yield from table(("Model", "Model", "Confidence", "Distance", "Why not"), rows, right=(2, 3))
    yield from left_out(len(misses) - MISSES, "pair")


def _certainty(graph: nx.DiGraph[str], run: RunRecord) -> Iterator[str]:
    if not graph:
        return
    yield "## How sure we are"
    yield ""
    edges = [(parent, child, graph.edges[parent, child]) for parent, child in order.edge_order(graph)]
    if edges:
        yield "Confidence: how probable it is that the two models are related as drawn."
        yield "Direction: how probable it is that the arrow points the right way; 50 % is a coin toss."
        yield ""
        rows = [
            (name, *_bins([edge[attribute] for *_, edge in edges]))
            for name, attribute in (("Confidence", "confidence"), ("Direction", "direction_confidence"))
        ]
        yield from table(("Edges", "99 % and more", "90 to 99 %", "75 to 90 %", "below 75 %"), rows, right=(1, 2, 3, 4))
        yield from _doubts(edges)
    if "metadata" in run.settings:
        part = "were evidence, beside the weights" if run.settings["metadata"] else "took no part in any decision"
        yield f"Names, dates and declared parents {part}."
    if run.settings.get("features"):
        seen = [fact for _, fact in graph.nodes(data=True) if fact["status"] == "ok" and fact["role"] != "unseen"]
        told = [fact["features"] for fact in seen]
        gave = sum(bool(text) and not text.startswith("none: ") for text in told)
        yield f"Networks could be built, and their features compared, for {gave:,} of {count(len(told), 'model')}."
    elif "features" in run.settings:
        yield "No networks were built: features took no part."
    yield "All settings are in `run.json`."


def _doubts(edges: Sequence[tuple[str, str, dict[str, float]]]) -> Iterator[str]:
    doubtful = [edge for edge in edges if min(edge[2]["confidence"], edge[2]["direction_confidence"]) < 0.9]
    doubtful.sort(key=lambda edge: edge[2]["confidence"] * edge[2]["direction_confidence"])
    if not doubtful:
        return
    yield "Least sure:"
    yield ""
    for parent, child, edge in doubtful[:DOUBTS]:
        sure = f"{percent(edge['confidence'])}, direction {percent(edge['direction_confidence'])}"
        yield f"- {code(parent)} → {code(child)}: {sure}"
    yield ""
    yield from left_out(len(doubtful) - DOUBTS, "edge")


def _bins(values: Sequence[float]) -> list[str]:
    bounds = (1.01, 0.99, 0.9, 0.75, -1.0)
    return [f"{sum(low <= value < high for value in values):,}" for high, low in pairwise(bounds)]
