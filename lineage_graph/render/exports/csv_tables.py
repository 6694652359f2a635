"""CSV (RFC 4180, UTF-8): a table of the models and one of the edges.

Text that a spreadsheet would run as a formula gets an apostrophe before it, as does text that begins with one: taking
one leading apostrophe away gives back every cell. Lists and objects are JSON. What cannot be seen or reorders other
characters is an escape (see ``visible``). Gephi knows the columns ``id``, ``label``, ``source``, ``target``, ``type``
and ``weight``.
On formulas: https://owasp.org/www-community/attacks/CSV_Injection
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lineage_graph.render.exports import Options
from lineage_graph.render.ids import distinct
from lineage_graph.render.order import edge_order, node_order
from lineage_graph.render.schema import EDGE, NODE, jsonable
from lineage_graph.types import LineageGraph
from lineage_graph.visible import visible

RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "'")
"""Beginnings of text that get an apostrophe; the wide forms count in some languages' spreadsheets."""


def render(lineage: LineageGraph, options: Options) -> str:
    """The table that ``options.part`` names: ``nodes`` or ``edges``."""
    return _nodes(lineage) if options.part == "nodes" else _edges(lineage)


def _nodes(lineage: LineageGraph) -> str:
    facts = lineage.graph.nodes
    ids = distinct(node_order(lineage.graph))
    columns = _columns(NODE, (facts[node] for node in ids))
    return _written(("id", *columns), ([name, *_row(facts[node], columns)] for node, name in ids.items()))


def _edges(lineage: LineageGraph) -> str:
    graph = lineage.graph
    ids = distinct(node_order(graph))
    order = edge_order(graph)
    columns = _columns(EDGE, (graph.edges[ends] for ends in order))
    rows = (
        [ids[parent], ids[child], "Directed", edge["confidence"], *_row(edge, columns)]
        for parent, child in order
        for edge in [graph.edges[parent, child]]
    )
    return _written(("source", "target", "type", "weight", *columns), rows)


def _columns(schema: Mapping[str, type], items: Iterable[Mapping[str, Any]]) -> list[str]:
    """The contract's attributes in its order, then those that only some of the items have."""
    return list(dict.fromkeys([*schema, *sorted({name for item in items for name in item})]))


def _row(item: Mapping[str, Any], columns: Sequence[str]) -> list[Any]:
    return [item.get(name) for name in columns]


def _written(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return file.getvalue()


def _cell(value: Any) -> str:
    """Numbers as they are, empty where there is none."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    if isinstance(value, bool | int | float):
        return str(value)
    text = visible(value) if isinstance(value, str) else json.dumps(jsonable(value))
    return f"'{text}" if text.startswith(RISKY) else text
