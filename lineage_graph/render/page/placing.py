"""Where everything stands, as the page takes it: in pixels, models and edges by number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lineage_graph.render import folding
from lineage_graph.render.layout import Layout, arrange
from lineage_graph.render.routes import Edge, Route

if TYPE_CHECKING:
    import networkx as nx

ASPECTS: Mapping[str, float] = {"wide": 1.75, "tall": 0.6}
"""The pages that positions are made for, width over height: a screen, a telephone."""


def layouts(
    graph: nx.DiGraph[str], nodes: Sequence[str], edges: Sequence[Edge], slots: Mapping[str, float]
) -> dict[str, Any]:
    """The whole graph for each of ``ASPECTS``."""
    found = {name: arrange(graph, slots, aspect) for name, aspect in ASPECTS.items()}
    return {
        name: {
            **_frame(layout),
            **_places(layout.positions, layout.routes, nodes, edges),
            "headings": [
                [one.family, one.title, one.detail, *map(_pixels, (one.x, one.y, one.width))] for one in layout.headings
            ],
        }
        for name, layout in found.items()
    }


def folds(
    graph: nx.DiGraph[str], nodes: Sequence[str], edges: Sequence[Edge], slots: Mapping[str, float]
) -> dict[str, Any]:
    """``parts``: number, title, detail, and the frame of each family or group when it is open; places in it like those
    of :func:`layouts`, from its own corner; ``of``: by model, the place of its part.
    """
    found = folding.layouts(graph, slots, ASPECTS["wide"])
    members = {node: place for place, layout in enumerate(found.values()) for node in layout.positions}
    positions = {node: spot for layout in found.values() for node, spot in layout.positions.items()}
    routes = {edge: route for layout in found.values() for edge, route in layout.routes.items()}
    return {
        "parts": [
            {"id": number, "title": layout.headings[0].title, "detail": layout.headings[0].detail, **_frame(layout)}
            for number, layout in found.items()
        ],
        **_places(positions, routes, nodes, edges),
        "of": [members[node] for node in nodes],
    }


def _frame(layout: Layout) -> dict[str, Any]:
    return {
        "width": _pixels(layout.width),
        "height": _pixels(layout.height),
        "bands": [[band.generation, _pixels(band.y), _pixels(band.height)] for band in layout.bands],
    }


def _places(
    positions: Mapping[str, tuple[float, float]],
    routes: Mapping[Edge, Route],
    nodes: Sequence[str],
    edges: Sequence[Edge],
) -> dict[str, Any]:
    """``routes``: by the number of an edge, its lanes (x, top, bottom) and the height of its branch, or null."""
    return {
        "positions": [[_pixels(value) for value in positions[node]] for node in nodes],
        "routes": {number: _route(routes[edge]) for number, edge in enumerate(edges) if edge in routes},
    }


def _route(route: Route) -> list[Any]:
    lanes = [[_pixels(value) for value in (lane.x, lane.top, lane.bottom)] for lane in route.lanes]
    return [lanes, None if route.branch is None else _pixels(route.branch)]


def _pixels(value: float) -> float:
    """To a tenth; whole ones without their point."""
    tenths = round(value, 1)
    return int(tenths) if tenths == int(tenths) else tenths
