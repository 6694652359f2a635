"""What the page carries of evidence, block by block or in sentences: what grows with every signal and every layer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lineage_graph.render.order import node_order
from lineage_graph.render.page.plain import short
from lineage_graph.types import LineageGraph
from lineage_graph.visible import visible

if TYPE_CHECKING:
    import networkx as nx

HEAVIEST = 4_000_000
"""Characters that one of these may take. A page of more opens slowly and is sent around by nobody."""

MEGABYTE = 1_000_000


def details(lineage: LineageGraph, edges: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """``signals``, ``evidence``, ``networks``, ``apart``, ``origins``, ``audit``; ``left``: what is too much is left
    out and named, with its size in megabytes.
    """
    graph = lineage.graph
    number = {node: index for index, node in enumerate(node_order(graph))}
    signals = sorted({signal for *_, edge in graph.edges(data=True) for signal in edge["evidence"]})
    told: dict[str, dict[str, Any]] = {
        "the evidence of edges": {"evidence": _evidence(graph, edges, signals)},
        "how far apart models are block by block": _apart(graph, edges),
        "the origins of blocks": {"origins": dict(_origins(graph, number))},
        "the sentences of the audit": {"audit": _audit(lineage, number)},
    }
    weights = {what: len(json.dumps(part, separators=(",", ":"))) for what, part in told.items()}
    left = {what: weight for what, weight in weights.items() if weight > HEAVIEST}
    few: dict[str, dict[str, Any]] = {
        # A merge or a splice without what its parents gave would be drawn as something else.
        "the evidence of edges": {"evidence": _evidence(graph, edges, signals, joined=True)},
        "how far apart models are block by block": {"networks": [], "apart": {}},
        "the origins of blocks": {"origins": {}},
        "the sentences of the audit": {"audit": []},
    }
    carried = {what: few[what] if what in left else part for what, part in told.items()}
    return {
        "signals": signals,
        **{name: value for part in carried.values() for name, value in part.items()},
        "left": [[what, round(weight / MEGABYTE)] for what, weight in left.items()],
    }


def _evidence(
    graph: nx.DiGraph[str], edges: Sequence[tuple[str, str]], signals: Sequence[str], joined: bool = False
) -> dict[str, Any]:
    """``shapes``: sets of signals, each by its places in ``signals``; ``values``: by edge, a shape and its values.

    ``joined``: of merges and splices only; 0 in place of the others.
    """
    place = {signal: index for index, signal in enumerate(signals)}
    shapes: dict[tuple[int, ...], int] = {}
    values: list[Any] = []
    for edge in edges:
        facts = graph.edges[edge]
        if joined and facts["kind"] not in ("merge", "splice"):
            values.append(0)
            continue
        shape = tuple(place[signal] for signal in facts["evidence"])
        values.append([shapes.setdefault(shape, len(shapes)), *map(short, facts["evidence"].values())])
    return {"shapes": [list(shape) for shape in shapes], "values": values}


def _apart(graph: nx.DiGraph[str], edges: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """``networks``: names of blocks; ``apart``: by edge, a place in ``networks``, and the distances."""
    known = {tuple(edge["by_block"]) for *_, edge in graph.edges(data=True) if edge.get("by_block")}
    networks = {blocks: place for place, blocks in enumerate(sorted(known))}
    apart = {
        index: [networks[tuple(blocks)], [short(value) for value in blocks.values()]]
        for index, edge in enumerate(edges)
        if (blocks := graph.edges[edge].get("by_block"))
    }
    return {"networks": [list(map(visible, blocks)) for blocks in networks], "apart": apart}


def _origins(graph: nx.DiGraph[str], number: Mapping[str, int]) -> Iterator[tuple[int, list[list[Any]]]]:
    """By model, of each block: its name, the origin's number (-1 for none), its block there, probability and cosine."""
    for node, index in number.items():
        found = [
            [
                visible(one["block"]),
                number.get(one["model"], -1),
                visible(one["there"]),
                short(one["probability"]),
                short(one["cosine"]),
            ]
            for one in graph.nodes[node].get("origins", ())
        ]
        if found:
            yield index, found


def _audit(lineage: LineageGraph, number: Mapping[str, int]) -> list[list[Any]]:
    """Model, verdict, sentence, lines that mend its card."""
    return [
        [number[found.model], found.verdict, visible(found.words), "\n".join(map(visible, found.mend.splitlines()))]
        for found in lineage.audit
        if found.model in number
    ]
