"""Mermaid, for graphs that are small enough to be drawn inside Markdown.

Mermaid draws at most 500 edges and 50,000 characters unless a page is told otherwise, and forges tell it nothing else;
a graph that is larger is refused with a sentence that says so. Names are written in character references alone, apart
from letters and digits: nothing in them is syntax. Syntax: https://mermaid.js.org/syntax/flowchart.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lineage_graph.errors import LineageGraphError
from lineage_graph.render.exports import Options
from lineage_graph.render.order import edge_order, node_order
from lineage_graph.render.reading import is_open
from lineage_graph.render.text import percent
from lineage_graph.types import LineageGraph
from lineage_graph.visible import shorten, visible

EDGES, CHARACTERS = 500, 50_000
"""Mermaid's ``maxEdges`` and ``maxTextSize``: https://mermaid.js.org/config/schema-docs/config.html"""

LONGEST = 50
"""Characters of a name."""


def render(lineage: LineageGraph, options: Options) -> str:
    """The graph as a flowchart. Raises :class:`LineageGraphError` where it is too large for Mermaid."""
    edges = lineage.graph.number_of_edges()
    if edges > EDGES:
        raise LineageGraphError(_refusal(f"{edges:,} edges"))
    text = "\n".join(_lines(lineage)) + "\n"
    if len(text) > CHARACTERS:
        raise LineageGraphError(_refusal(f"{len(text):,} characters"))
    return text


def _refusal(size: str) -> str:
    return (
        f"mermaid draws at most {EDGES} edges and {CHARACTERS:,} characters, and this graph has {size}: "
        "choose a part of it with --family N or --model MODEL, or another format"
    )


def _lines(lineage: LineageGraph) -> Iterator[str]:
    graph = lineage.graph
    ids = {node: f"m{number}" for number, node in enumerate(node_order(graph))}
    yield "flowchart TD"
    for node, ref in ids.items():
        yield f'  {ref}["{_escaped(shorten(visible(node), LONGEST))}"]{_look(graph.nodes[node])}'
    for parent, child in edge_order(graph):
        edge = graph.edges[parent, child]
        absent = "unseen" in (graph.nodes[parent]["role"], graph.nodes[child]["role"])
        yield f'  {ids[parent]} {_arrow(edge, absent)}|"{_escaped(_label(edge))}"| {ids[child]}'
    yield "  classDef unseen stroke-dasharray: 5 5"
    yield "  classDef failed stroke-dasharray: 2 3"


def _look(facts: Mapping[str, Any]) -> str:
    if facts["role"] == "unseen":
        return ":::unseen"
    return "" if facts["status"] == "ok" else ":::failed"


def _arrow(edge: Mapping[str, Any], absent: bool) -> str:
    """Dotted from or to an unseen ancestor; with heads at both ends where the direction is open."""
    return f"{'<' if is_open(edge) else ''}{'-.->' if absent else '-->'}"


def _label(edge: Mapping[str, Any]) -> str:
    return f"{visible(edge['kind'])} {percent(edge['confidence'])}"


def _escaped(text: str) -> str:
    """Letters and digits of ASCII, blanks and slashes as they are, the rest as character references: ``#34;``.

    Mermaid reads Markdown in labels too, where a dot, a dash or an underscore can mean something.
    """
    return "".join(char if char.isascii() and (char.isalnum() or char in " /") else f"#{ord(char)};" for char in text)
