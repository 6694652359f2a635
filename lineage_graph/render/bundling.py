"""Curves that run together as long as they share a way through a hierarchy, like strands of a cable.

Source: Holten, "Hierarchical Edge Bundles: Visualization of Adjacency Relations in Hierarchical Data", IEEE TVCG 2006.
"""

from __future__ import annotations

from collections.abc import Sequence

Point = tuple[float, float]

Bezier = tuple[Point, Point, Point, Point]
"""Start, two control points, end."""


def straightened(points: Sequence[Point], tension: float) -> list[Point]:
    """Control points moved towards the straight line between the ends: all the way at tension 0, not at all at 1."""
    (x0, y0), (x1, y1) = points[0], points[-1]
    last = max(len(points) - 1, 1)
    straight = [(x0 + (x1 - x0) * step / last, y0 + (y1 - y0) * step / last) for step in range(len(points))]
    return [_between(line, point, tension) for line, point in zip(straight, points, strict=True)]


def spline(points: Sequence[Point]) -> list[Bezier]:
    """The uniform cubic B-spline of the control points, from the first to the last, as Béziers that join smoothly."""
    knots = [points[0], points[0], *points, points[-1], points[-1]]
    curves = []
    for index in range(len(knots) - 3):
        before, a, b, after = knots[index : index + 4]
        inner, outer = _between(a, b, 1 / 3), _between(a, b, 2 / 3)
        start = _between(_between(before, a, 2 / 3), inner, 1 / 2)
        end = _between(outer, _between(b, after, 1 / 3), 1 / 2)
        curves.append((start, inner, outer, end))
    return curves


def _between(a: Point, b: Point, share: float) -> Point:
    return a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share
