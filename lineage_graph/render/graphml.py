"""``lineage.graphml``, with attribute types that networkx, yEd and Gephi read.

GraphML has no lists: ``evidence`` is a JSON object in a string; ``declared_parents``, ``origins`` and the ``layers`` of
an edge are JSON lists in strings. Integers are declared ``long`` and real numbers ``double``; a number that is not
finite is left out, since its spelling differs between readers.
Specification: http://graphml.graphdrawing.org/specification.html
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from lineage_graph.render.order import edge_order, node_order
from lineage_graph.render.schema import EDGE, NODE, jsonable
from lineage_graph.types import LineageGraph

_ALLOWED = ((0x20, 0xD7FF), (0xE000, 0xFFFD), (0x10000, 0x10FFFF))
"""Characters of XML 1.0 besides tab and line feed (section 2.2). A carriage return is allowed, but readers turn it into
a line feed."""

REPLACEMENT = "\ufffd"


def render(lineage: LineageGraph) -> str:
    """The graph as GraphML text; read it with ``networkx.parse_graphml`` or ``read_graphml``."""
    import networkx as nx

    ids = _distinct_ids(node_order(lineage.graph))
    graph: nx.DiGraph[str] = nx.DiGraph(name=_clean(lineage.name))
    for node, clean in ids.items():
        graph.add_node(clean, **_attributes(lineage.graph.nodes[node], NODE))
    for parent, child in edge_order(lineage.graph):
        graph.add_edge(ids[parent], ids[child], **_attributes(lineage.graph.edges[parent, child], EDGE))
    body = "\n".join(nx.generate_graphml(graph, named_key_ids=True))
    return f'<?xml version="1.0" encoding="utf-8"?>\n{body}\n'


def _attributes(values: Mapping[str, Any], schema: Mapping[str, type]) -> dict[str, str | int | float]:
    """Each attribute in its one type: a key that is an integer here and a real number there would be two keys."""
    attributes: dict[str, str | int | float] = {}
    for name, value in values.items():
        number = float(value) if schema.get(name) is float else value
        if not isinstance(number, int | float):
            attributes[name] = _text(value)
        elif math.isfinite(number):
            attributes[name] = number
    return attributes


def _text(value: Any) -> str:
    """Strings as they are; lists and objects as JSON, in ASCII so that no name inside needs replacing."""
    return _clean(value) if isinstance(value, str) else json.dumps(jsonable(value))


def _clean(text: str) -> str:
    return "".join(char if _is_xml(char) else REPLACEMENT for char in text)


def _is_xml(char: str) -> bool:
    code = ord(char)
    return char in "\t\n" or any(low <= code <= high for low, high in _ALLOWED)


def _distinct_ids(nodes: list[str]) -> dict[str, str]:
    """Ids that XML can hold; two that become equal are told apart by a number."""
    ids: dict[str, str] = {}
    taken: set[str] = set(nodes)
    for node in nodes:
        clean = candidate = _clean(node)
        number = 2
        while candidate != node and candidate in taken:
            candidate = f"{clean}~{number}"
            number += 1
        taken.add(candidate)
        ids[node] = candidate
    return ids
