"""The ways of edges in the tree: from under the parent's name to above the child, as Béziers that join."""

from __future__ import annotations

from lineage_graph.render.bundling import Bezier, Point
from lineage_graph.render.routes import Route

CORNER = 6.0
"""Radius of the corners of a bus, in pixels."""


def way(start: Point, end: Point, route: Route | None) -> list[Bezier]:
    """One swing, which leaves and arrives vertically; or along the lanes of a route."""
    if route is None:
        return [_swing(start, end)]
    first = route.lanes[0]
    at = (start[0], min(start[1], first.top))
    parts: list[Bezier] = []
    for index, lane in enumerate(route.lanes):
        places = [(lane.x, lane.top)]
        if index < len(route.lanes) - 1 or route.branch is None:
            places.append((lane.x, lane.bottom))
        for place in places:
            parts.append(_swing(at, place))
            at = place
    return parts + ([_swing(at, end)] if route.branch is None else _turn(at, route.branch, end))


def _swing(start: Point, end: Point) -> Bezier:
    middle = (start[1] + end[1]) / 2
    return start, (start[0], middle), (end[0], middle), end


def _turn(start: Point, branch: float, end: Point) -> list[Bezier]:
    """Down a trunk, along a branch and down to the child, around two corners."""
    across = end[0] - start[0]
    radius = min(CORNER, abs(across) / 2)
    side = radius if across > 0 else -radius
    above, below = (start[0], branch - radius), (end[0], branch + radius)
    along = ((start[0] + side, branch), (end[0] - side, branch))
    corners = ((start[0], branch), (end[0], branch))
    return [
        _swing(start, above),
        (above, corners[0], corners[0], along[0]),
        (along[0], along[0], along[1], along[1]),
        (along[1], corners[1], corners[1], below),
        _swing(below, end),
    ]
