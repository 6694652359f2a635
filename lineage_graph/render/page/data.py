"""What the page knows: facts, positions, counts. Everything in it is plain JSON; names are made visible first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lineage_graph.render import measure, order, reading
from lineage_graph.render.claims import verdict, whereabouts
from lineage_graph.render.layout import Layout, arrange
from lineage_graph.render.meanings import meaning
from lineage_graph.render.page import network
from lineage_graph.render.page.ring import ring_data
from lineage_graph.render.text import count, short_labels
from lineage_graph.types import LineageGraph, RunRecord
from lineage_graph.visible import visible

LABEL = 18
"""Characters of a name in the drawing."""

FONT = 12.0
"""Size of a label, in pixels."""

ASPECTS: Mapping[str, float] = {"wide": 1.75, "tall": 0.6}
"""The pages that positions are made for, width over height: a screen, a telephone."""

MISSES = 5000
"""Near misses that the page carries, the nearest ones."""


def page_data(lineage: LineageGraph, run: RunRecord) -> dict[str, Any]:
    """Everything that the page's script reads. Models and edges are numbered in the common order."""
    graph = lineage.graph
    nodes, edges = order.node_order(graph), order.edge_order(graph)
    number = {node: index for index, node in enumerate(nodes)}
    labels = short_labels(nodes, LABEL)
    slots = {node: max(measure.width(label, FONT), 40.0) + 16.0 for node, label in zip(nodes, labels, strict=True)}
    signals = sorted({signal for *_, edge in graph.edges(data=True) for signal in edge["evidence"]})
    known = {tuple(edge["by_block"]) for *_, edge in graph.edges(data=True) if edge.get("by_block")}
    networks = {blocks: place for place, blocks in enumerate(sorted(known))}
    layouts = {name: arrange(graph, slots, aspect) for name, aspect in ASPECTS.items()}
    wide = [layouts["wide"].positions[node] for node in nodes]
    return {
        "name": visible(lineage.name),
        "version": visible(run.version),
        "stats": _stats(lineage),
        "network": network.build(labels, wide, [(number[parent], number[child]) for parent, child in edges]),
        "models": [_model(lineage, node, slots[node]) for node in nodes],
        "open": reading.OPEN,
        "signals": [visible(signal) for signal in signals],
        "meanings": [meaning(signal.removeprefix(reading.CUE)) for signal in signals],
        "networks": [list(map(visible, blocks)) for blocks in networks],
        "edges": [_edge(graph.edges[edge], signals, networks) for edge in edges],
        "origins": {
            number[node]: _origins(graph.nodes[node], number) for node in nodes if graph.nodes[node].get("origins")
        },
        "ring": ring_data(graph, number),
        "audit": [
            {
                "model": number[found.model],
                "verdict": found.verdict,
                "words": visible(found.words),
                "mend": "\n".join(map(visible, found.mend.splitlines())),
            }
            for found in lineage.audit
            if found.model in number
        ],
        "layouts": {name: _layout(layout, nodes, edges) for name, layout in layouts.items()},
        "misses": [
            [number[miss.a], number[miss.b], _short(miss.confidence), _short(miss.distance), visible(miss.reason)]
            for miss in sorted(lineage.rejected, key=lambda miss: (-miss.confidence, miss.a, miss.b))[:MISSES]
            if miss.a in number and miss.b in number
        ],
    }


def _stats(lineage: LineageGraph) -> list[str]:
    graph = lineage.graph
    absent = len(reading.unseen(graph))
    parts = [
        count(graph.number_of_nodes() - absent, "model"),
        *([count(absent, "unseen ancestor")] if absent else []),
        count(len(order.families(graph)), "family", "families"),
        count(graph.number_of_edges(), "edge"),
    ]
    return parts + [count(len(failed), "failure") for failed in [order.failed(graph)] if failed]


def _model(lineage: LineageGraph, node: str, slot: float) -> dict[str, Any]:
    apart = ("label", "origins")
    facts = {key: value for key, value in lineage.graph.nodes[node].items() if key not in apart and value != ""}
    claims = [
        [visible(claim), verdict(lineage.graph, node, claim), whereabouts(lineage.graph, node, claim)]
        for claim in facts.pop("declared_parents")
    ]
    return {**_plain(facts), "name": visible(node), "claims": claims, "slot": round(slot, 1)}


def _edge(edge: Mapping[str, Any], signals: list[str], networks: Mapping[tuple[str, ...], int]) -> dict[str, Any]:
    """``evidence`` as pairs of a signal's place in ``signals`` and its value: the names would fill half the page.

    Likewise ``apart``: the place of the blocks' names in ``networks``, and their distances. ``why``: what keeps an open
    direction open. What is empty is left out.
    """
    evidence = [[signals.index(name), _short(value)] for name, value in edge["evidence"].items()]
    facts = {**edge, "why": reading.why_open(edge)}
    kept = {k: v for k, v in facts.items() if k not in ("evidence", "by_block") and v not in ("", [])}
    blocks = edge.get("by_block")
    apart = {"apart": [networks[tuple(blocks)], [_short(v) for v in blocks.values()]]} if blocks else {}
    return {**_plain(kept), **apart, "evidence": evidence}


def _origins(facts: Mapping[str, Any], number: Mapping[str, int]) -> list[list[Any]]:
    """Of each block: its name, the origin's number (-1 for none), its block there, probability and cosine."""
    return [
        [
            visible(one["block"]),
            number.get(one["model"], -1),
            visible(one["there"]),
            _short(one["probability"]),
            _short(one["cosine"]),
        ]
        for one in facts["origins"]
    ]


def _plain(value: Any) -> Any:
    """Text made visible, numbers shortened, at any depth."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, float):
        return _short(value)
    if isinstance(value, Mapping):
        return {visible(str(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _short(value: float) -> float | str:
    """Five digits are more than a page shows; what JSON cannot hold becomes a word."""
    shortened = float(f"{value:.5g}")
    return shortened if abs(shortened) < float("inf") else str(shortened)


def _layout(layout: Layout, nodes: list[str], edges: list[tuple[str, str]]) -> dict[str, Any]:
    """``routes``: by the number of an edge, its lanes (x, top, bottom) and the height of its branch, or null."""
    routes = {index: layout.routes[edge] for index, edge in enumerate(edges) if edge in layout.routes}
    return {
        "width": round(layout.width, 1),
        "height": round(layout.height, 1),
        "positions": [[round(coordinate, 1) for coordinate in layout.positions[node]] for node in nodes],
        "routes": {
            index: [
                [[round(v, 1) for v in (lane.x, lane.top, lane.bottom)] for lane in route.lanes],
                None if route.branch is None else round(route.branch, 1),
            ]
            for index, route in routes.items()
        },
        "bands": [[band.generation, round(band.y, 1), round(band.height, 1)] for band in layout.bands],
        "headings": [
            [
                heading.family,
                heading.title,
                heading.detail,
                *(round(v, 1) for v in (heading.x, heading.y, heading.width)),
            ]
            for heading in layout.headings
        ],
    }
