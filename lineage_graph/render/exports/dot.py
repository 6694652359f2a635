"""DOT, the language of Graphviz: families in layers, edges as wide as they are sure, unseen ancestors dashed.

Beside what Graphviz draws by, nodes and edges carry the attributes of the contract, which it passes over. What cannot
be seen or reorders other characters is an escape (see ``visible``); lists and objects are JSON. Graphviz gives
backslashes in ids and attributes back in pairs, as they are written.
Grammar: https://graphviz.org/doc/info/lang.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from lineage_graph.render.exports import Options
from lineage_graph.render.ids import distinct
from lineage_graph.render.order import edge_order, node_order
from lineage_graph.render.reading import is_open
from lineage_graph.render.schema import jsonable
from lineage_graph.render.text import percent
from lineage_graph.types import LineageGraph
from lineage_graph.visible import shorten, visible

LONGEST = 60
"""Characters of a name that is drawn; the node's id has all of them."""


def render(lineage: LineageGraph, options: Options) -> str:
    """The graph as DOT text."""
    return "\n".join(_lines(lineage)) + "\n"


def _lines(lineage: LineageGraph) -> Iterator[str]:
    graph = lineage.graph
    ids = distinct(node_order(graph))
    yield f"digraph {_quoted(visible(lineage.name))} {{"
    yield "  rankdir=TB;"
    yield '  node [shape=box, style="rounded,filled", fillcolor=white, fontname="Helvetica"];'
    yield '  edge [fontname="Helvetica", fontsize=10];'
    for node, name in ids.items():
        yield f"  {_quoted(name)} [{_listed({**graph.nodes[node], **_node_look(name, graph.nodes[node])})}];"
    for parent, child in edge_order(graph):
        edge = graph.edges[parent, child]
        absent = "unseen" in (graph.nodes[parent]["role"], graph.nodes[child]["role"])
        ends = f"{_quoted(ids[parent])} -> {_quoted(ids[child])}"
        yield f"  {ends} [{_listed({**edge, **_edge_look(edge, absent)})}];"
    yield "}"


def _node_look(name: str, facts: Mapping[str, Any]) -> dict[str, str]:
    look = {"label": _literal(shorten(name, LONGEST)), "tooltip": _literal(name)}
    if facts["role"] == "unseen":
        look["style"] = "rounded,dashed"
    elif facts["status"] != "ok":
        look["style"] = "dotted"
    return look


def _edge_look(edge: Mapping[str, Any], absent: bool) -> dict[str, str]:
    look = {
        "label": _literal(f"{visible(edge['kind'])} {percent(edge['confidence'])}"),
        "penwidth": f"{0.5 + 2 * edge['confidence']:.2f}",
    }
    if absent:
        look["style"] = "dashed"
    if is_open(edge):
        look["dir"] = "both"
        look["arrowtail"] = "odot"
    return look


def _listed(attributes: Mapping[str, Any]) -> str:
    return ", ".join(f"{_quoted(key)}={_quoted(_text(v))}" for key, v in attributes.items() if v is not None)


def _text(value: Any) -> str:
    return visible(value) if isinstance(value, str) else json.dumps(jsonable(value))


def _quoted(text: str) -> str:
    r"""A string of the grammar: a mark is written ``\"``, and a backslash twice.

    Graphviz keeps both backslashes in ids and attributes, and draws one of them in a label.
    """
    body = text.replace("\\", "\\\\").replace('"', r"\"")
    return f'"{body}"'


def _literal(text: str) -> str:
    """``text`` for a label, in which Graphviz reads the entities of HTML."""
    return text.replace("&", "&amp;")
