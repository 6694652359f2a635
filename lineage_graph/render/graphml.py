"""``lineage.graphml``, with attribute types that networkx, yEd and Gephi read.

GraphML has no lists: ``evidence`` and ``by_block`` are JSON objects in strings; ``declared_parents``, ``origins`` and
the ``layers`` of an edge are JSON lists in strings. Integers are declared ``long`` and real numbers ``double``; a
number that is not finite is left out, since its spelling differs between readers.
Specification: http://graphml.graphdrawing.org/specification.html
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lineage_graph.render.ids import distinct
from lineage_graph.render.order import edge_order, node_order
from lineage_graph.render.schema import EDGE, NODE, jsonable
from lineage_graph.types import LineageGraph

if TYPE_CHECKING:
    import networkx as nx

_FORBIDDEN = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What is no character of XML 1.0 (section 2.2), and the carriage return, which readers turn into a line feed."""

REPLACEMENT = "\ufffd"


def render(lineage: LineageGraph) -> str:
    """The graph as GraphML text; read it with ``networkx.parse_graphml`` or ``read_graphml``."""
    import networkx as nx

    body = "\n".join(nx.generate_graphml(typed_graph(lineage), named_key_ids=True))
    return f'<?xml version="1.0" encoding="utf-8"?>\n{body}\n'


def typed_graph(lineage: LineageGraph) -> nx.DiGraph[str]:
    """The graph in the common order, with ids and attributes that XML can hold.

    An edge has its confidence as ``weight`` too: that is the name that Gephi and networkx look for.
    """
    import networkx as nx

    ids = distinct(node_order(lineage.graph), _clean)
    graph: nx.DiGraph[str] = nx.DiGraph(name=_clean(lineage.name))
    for node, clean in ids.items():
        graph.add_node(clean, **_attributes(lineage.graph.nodes[node], NODE))
    for parent, child in edge_order(lineage.graph):
        edge = lineage.graph.edges[parent, child]
        weighted = {**edge, "weight": float(edge["confidence"])}
        graph.add_edge(ids[parent], ids[child], **_attributes(weighted, EDGE))
    return graph


def _attributes(values: Mapping[str, Any], schema: Mapping[str, type]) -> dict[str, str | int | float]:
    """Each attribute in its one type: a key that is an integer here and a real number there would be two keys."""
    attributes: dict[str, str | int | float] = {}
    for name, value in values.items():
        if value is None:
            continue
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
    return _FORBIDDEN.sub(REPLACEMENT, text)
