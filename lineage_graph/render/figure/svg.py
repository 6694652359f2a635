"""SVG as text: elements, numbers and the shapes of the figures. Whatever comes in as text or as a value is escaped."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape, quoteattr

from lineage_graph.render.bundling import Bezier, Point
from lineage_graph.render.ring import on_circle
from lineage_graph.visible import visible


def element(tag: str, *children: str, **attributes: str | float | None) -> str:
    """An element around children that are markup already. ``_`` in a name stands for ``-``; attributes that
    are None are left out.
    """
    given = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items() if value is not None}
    head = "".join(f" {name}={quoteattr(_value(value))}" for name, value in given.items())
    return f"<{tag}{head}>{''.join(children)}</{tag}>" if children else f"<{tag}{head}/>"


def text(content: str, x: float, y: float, **attributes: str | float | None) -> str:
    """One line of text whose baseline begins (or as ``text_anchor`` says) at the point."""
    return element("text", escape(visible(content)), x=x, y=y, **attributes)


def title(content: str) -> str:
    """The name of the element around it, which viewers show under the pointer and read out."""
    return element("title", escape(visible(content)))


def number(value: float) -> str:
    """At most two decimals, which is finer than print."""
    shown = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if shown == "-0" else shown


def _value(value: str | float) -> str:
    return value if isinstance(value, str) else number(value)


def points(*places: Point) -> str:
    """Coordinates for a path."""
    return " ".join(f"{number(x)} {number(y)}" for x, y in places)


def curve(parts: Sequence[Bezier]) -> str:
    """Path data of Béziers that join."""
    return f"M{points(parts[0][0])}" + "".join(f"C{points(*rest)}" for _, *rest in parts)


def sector(inner: float, outer: float, start: float, end: float) -> str:
    """Path data of the part of a ring around the origin between two radii and two angles (clockwise from the top)."""
    there = _bend(outer, start, end)
    back = _bend(inner, end, start)
    return f"M{points(on_circle(start, outer))}{there}L{points(on_circle(end, inner))}{back}Z"


def _bend(radius: float, start: float, end: float) -> str:
    """Arcs from one angle to another, each well under half a circle, so that none is ambiguous."""
    steps = max(1, math.ceil(abs(end - start) / (math.pi / 2)))
    ends = (on_circle(start + (end - start) * step / steps, radius) for step in range(1, steps + 1))
    turn = int(end > start)
    return "".join(f"A{number(radius)} {number(radius)} 0 0 {turn} {points(place)}" for place in ends)


def group(children: Iterable[str], **attributes: str | float | None) -> str:
    """Elements with attributes in common; empty where there are none."""
    inside = "".join(children)
    return element("g", inside, **attributes) if inside else ""
