"""Models and the heads of edges as the page draws them, in its pixels. Heads point down, their tips at the origin."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lineage_graph.render import palette
from lineage_graph.render.figure import svg
from lineage_graph.render.palette import FAMILIES, Palette

RADIUS = 9.0

HEAD = 9.0
"""Length of a head."""

SHAPES: Mapping[str, str] = {
    "root": "root",
    "child": "descendant",
    "merge": "several parents",
    "unseen": "unseen ancestor",
    "isolated": "without relatives",
    "failed": "could not be read",
}
"""What the legend says of each shape."""


def shape_of(facts: Mapping[str, Any]) -> str:
    """Which of ``SHAPES`` a model has."""
    if facts["role"] != "unseen" and facts["status"] != "ok":
        return "failed"
    return facts["role"] if facts["role"] in SHAPES else "child"


def reach(shape: str) -> float:
    """From the centre of a shape to its upper end."""
    return {"root": RADIUS + 5, "merge": RADIUS + 3}.get(shape, RADIUS)


def colour(facts: Mapping[str, Any], colours: Palette) -> str:
    """By family; grey without one."""
    if shape_of(facts) in ("isolated", "failed"):
        return colours.apart
    return FAMILIES[(facts["family"] - 1) % len(FAMILIES)]


def model(shape: str, fill: str, colours: Palette, *content: str) -> str:
    """A model around the origin; ``content``: elements beside it, such as its title."""
    line = palette.outline(fill, colours)
    if shape == "failed":
        cross = svg.element("path", d="M-8-8H8V8H-8ZM-4-4L4 4M-4 4L4-4")
        return svg.group([*content, cross], fill=colours.ground, stroke=colours.danger, stroke_width=2)
    if shape == "merge":
        diamond = svg.element("path", d="M0-12L12 0L0 12L-12 0Z")
        return svg.group([*content, diamond], fill=fill, stroke=line, stroke_width=1.5)
    if shape == "unseen":
        hollow = svg.element("circle", r=RADIUS, stroke_dasharray="4 3")
        return svg.group([*content, hollow], fill=colours.ground, stroke=line, stroke_width=2)
    circles = [svg.element("circle", r=RADIUS)]
    if shape == "root":
        circles.append(svg.element("circle", r=RADIUS + 4.5, fill="none", stroke_width=1.75))
    return svg.group([*content, *circles], fill=fill, stroke=line, stroke_width=1.5)


def _filled(data: str) -> Callable[[str, str], str]:
    return lambda ink, ground: svg.element("path", d=data, fill=ink)


HEADS: Mapping[str, Callable[[str, str], str]] = {
    "finetune": _filled("M0 0L-4.5-9H4.5Z"),
    "snapshot": lambda ink, ground: svg.element(
        "path", d="M-4.5-6.3L0 0L4.5-6.3M0 0V-9", fill="none", stroke=ink, stroke_width=1.5
    ),
    "merge": _filled("M0 0L-4.5-4.5L0-9L4.5-4.5Z"),
    "splice": _filled("M-3.8-8.1H3.8V-.5H-3.8Z"),
    "adapter": lambda ink, ground: svg.element("circle", cy=-4.5, r=4, fill=ink),
    "quantize": _filled("M-5.4-3.6H5.4V-.9H-5.4ZM-.75-9H.75V-2.7H-.75Z"),
    "prune": lambda ink, ground: svg.element("path", d="M0 0L-4.5-9H4.5Z", fill=ground, stroke=ink, stroke_width=1.5),
    "duplicate": _filled("M-5.4-3.2H5.4V-1.2H-5.4ZM-5.4-7.7H5.4V-5.7H-5.4Z"),
}
"""By kind of edge: from ink and ground to markup."""


def head(kind: str, ink: str, ground: str) -> str:
    """The head of an edge; kinds without one of their own have that of a fine-tune."""
    return HEADS.get(kind, HEADS["finetune"])(ink, ground)


def width(confidence: float) -> float:
    """Of an edge, by confidence: 1 at one half, 2.4 when certain."""
    return 1 + 1.4 * min(max((confidence - 0.5) / 0.5, 0.0), 1.0)
