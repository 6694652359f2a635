"""``lineage.json``: networkx node-link JSON, with the zoo's name, nearest misses, failures and the audit beside it.

Numbers that JSON cannot hold are the strings ``Infinity``, ``-Infinity`` and ``NaN``, which ``float`` reads.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from lineage_graph.declarations import VERDICTS, Finding
from lineage_graph.errors import LineageGraphError
from lineage_graph.render.order import edge_order, node_order
from lineage_graph.render.schema import EDGE, LATER, NODE, ORIGIN, jsonable
from lineage_graph.types import Failure, LineageGraph, Rejected

Record = TypeVar("Record")

_REJECTED: Mapping[str, type] = {"a": str, "b": str, "confidence": float, "distance": float, "reason": str}
_FAILURE: Mapping[str, type] = {"id": str, "error": str, "message": str, "stage": str, "source": str}
_FINDING: Mapping[str, type] = dict.fromkeys(("model", "kind", "subject", "verdict", "words", "mend"), str)


def to_json(lineage: LineageGraph) -> str:
    """The graph as text; :func:`from_json` gives back an equal one. ASCII, so that any name survives any encoding."""
    graph = lineage.graph
    document = {
        "name": lineage.name,
        "directed": True,
        "multigraph": False,
        "graph": {},
        "nodes": [{"id": node, **graph.nodes[node]} for node in node_order(graph)],
        "edges": [{"source": u, "target": v, **graph.edges[u, v]} for u, v in edge_order(graph)],
        "rejected": [asdict(miss) for miss in lineage.rejected],
        "failures": [asdict(failure) for failure in lineage.failures],
        "audit": [asdict(finding) for finding in lineage.audit],
    }
    return json.dumps(jsonable(document), indent=1, allow_nan=False) + "\n"


def from_json(text: str) -> LineageGraph:
    """Read what :func:`to_json` wrote.

    Raises :class:`~lineage_graph.errors.LineageGraphError`, with the place that is wrong, where the text is no lineage
    graph: no JSON, a part missing or of the wrong type, an edge to nowhere, a cycle.
    """
    return _read(text, _decode)


def _read(text: str, decode: Callable[[Any], Record]) -> Record:
    try:
        return decode(json.loads(text))
    except json.JSONDecodeError as error:
        raise LineageGraphError(f"not a lineage graph: not JSON ({error})") from error
    except (ValueError, RecursionError) as error:
        raise LineageGraphError(f"not a lineage graph: {error}") from error


@dataclass(frozen=True, slots=True)
class Families:
    """What placing one more model takes from a built graph. ``families``: by model whose weights were read, the number
    of its family; ``ids``: of everything in the graph, unseen ancestors and models that failed among them.
    """

    name: str
    families: Mapping[str, int]
    ids: frozenset[str]
    failures: tuple[Failure, ...]


def read_families(text: str) -> Families:
    """The families in what :func:`to_json` wrote, without the rest of the graph, which takes several times as long.

    Raises :class:`~lineage_graph.errors.LineageGraphError` where the text is no lineage graph.
    """
    return _read(text, _families)


def _families(document: Any) -> Families:
    if not isinstance(document, dict):
        raise ValueError("the top is not an object")
    families: dict[str, int] = {}
    ids: set[str] = set()
    for index, item in enumerate(_typed(document.get("nodes"), list, "nodes")):
        where = f"nodes[{index}]"
        node = _typed(_typed(item, dict, where).get("id"), str, f"{where}.id")
        ids.add(node)
        if item.get("status") == "ok" and item.get("role") != "unseen":
            families[node] = _typed(item.get("family"), int, f"{where}.family")
    return Families(_typed(document.get("name"), str, "name"), families, frozenset(ids), _failures(document))


def _decode(document: Any) -> LineageGraph:
    import networkx as nx

    if not isinstance(document, dict):
        raise ValueError("the top is not an object")
    graph: nx.DiGraph[str] = nx.DiGraph()
    for where, item in _items(document, "nodes"):
        node = _typed(item.pop("id", None), str, f"{where}.id")
        if node in graph:
            raise ValueError(f"{where}.id: {node!r} occurs twice")
        attributes = _attributes(item, NODE, where)
        attributes["origins"] = [_origin(one, place) for place, one in _items(attributes, "origins", where)]
        graph.add_node(node, **attributes)
    for where, item in _items(document, "edges"):
        ends = [_typed(item.pop(end, None), str, f"{where}.{end}") for end in ("source", "target")]
        for end in ends:
            if end not in graph:
                raise ValueError(f"{where}: {end!r} is not among the nodes")
        attributes = _attributes(item, EDGE, where)
        attributes["evidence"] = {
            key: _typed(value, float, f"{where}.evidence.{key}") for key, value in attributes["evidence"].items()
        }
        attributes["by_block"] = {
            key: _typed(value, float, f"{where}.by_block.{key}") for key, value in attributes["by_block"].items()
        }
        attributes["layers"] = [_typed(name, str, f"{where}.layers") for name in attributes["layers"]]
        graph.add_edge(ends[0], ends[1], **attributes)
    if not nx.is_directed_acyclic_graph(graph):
        raise ValueError("edges: the graph has a cycle")
    return LineageGraph(
        name=_typed(document.get("name"), str, "name"),
        graph=graph,
        rejected=tuple(Rejected(**_attributes(item, _REJECTED, where)) for where, item in _items(document, "rejected")),
        failures=_failures(document),
        audit=tuple(_finding(item, where) for where, item in _items({"audit": [], **document}, "audit")),
    )


def _failures(document: dict[str, Any]) -> tuple[Failure, ...]:
    return tuple(Failure(**_attributes(item, _FAILURE, where)) for where, item in _items(document, "failures"))


def _items(document: dict[str, Any], part: str, inside: str = "") -> list[tuple[str, dict[str, Any]]]:
    """Copies of the objects of one list, each with its place in the document; ``inside``: that of ``document``."""
    place = f"{inside}.{part}" if inside else part
    listed = _typed(document.get(part), list, place)
    return [(f"{place}[{index}]", dict(_typed(item, dict, f"{place}[{index}]"))) for index, item in enumerate(listed)]


def _finding(item: dict[str, Any], where: str) -> Finding:
    finding = Finding(**_attributes(item, _FINDING, where))
    if finding.verdict not in VERDICTS:
        raise ValueError(f"{where}.verdict: {finding.verdict!r} is none of {', '.join(VERDICTS)}")
    return finding


def _origin(item: dict[str, Any], where: str) -> dict[str, Any]:
    if "runners" in item:
        item["runners"] = [
            _runner(one, f"{where}.runners") for one in _typed(item["runners"], list, f"{where}.runners")
        ]
    return _attributes(item, ORIGIN, where)


def _runner(item: Any, where: str) -> list[Any]:
    kinds = (str, str, float)
    if len(_typed(item, list, where)) != len(kinds):
        raise ValueError(f"{where}: expected a model, its block and a probability")
    return [_typed(value, kind, where) for value, kind in zip(item, kinds, strict=True)]


def _attributes(item: dict[str, Any], schema: Mapping[str, type], where: str) -> dict[str, Any]:
    """``item`` with the attributes of ``schema`` checked; others, which later versions may add, pass as they are."""
    given = {key: item.get(key, kind() if key in LATER else None) for key, kind in schema.items()}
    return {**item, **{key: _typed(given[key], kind, f"{where}.{key}") for key, kind in schema.items()}}


def _typed(value: Any, kind: type[Record], where: str) -> Record:
    if kind is float and isinstance(value, int | float | str) and not isinstance(value, bool):
        return kind(value)  # type: ignore[call-arg]
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ValueError(f"{where}: expected {kind.__name__}, found {type(value).__name__}")
    return value
