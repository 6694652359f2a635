"""The ring as a figure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lineage_graph.render import measure, palette
from lineage_graph.render.figure import frame, svg
from lineage_graph.render.figure.frame import SIZE, SMALL, Group, Key, Sheet
from lineage_graph.render.ring import Arc, Block, Curve, Ring, on_circle, ring, way
from lineage_graph.render.text import short_labels
from lineage_graph.types import LineageGraph
from lineage_graph.visible import shorten

if TYPE_CHECKING:
    import networkx as nx

BANDS = ((0.0, 0.05), (0.06, 0.125), (0.135, 0.2))
"""From the rim inwards, where the outer, middle and inner ring begin and end, in radii."""

CURVES = 0.205
"""Where the curves end, the same way."""

GAP_NAMES = ("parent", "grandparent", "great-grandparent")

STROKES = ((0.8, 0.75), (0.65, 0.65), (0.55, 0.65))
"""Width in points and opacity of the curves, by gap."""

CROWD = 900
"""Curves from which on they are drawn finer."""

NAMED, KEYED = 8, 30
"""Roots that the legend names one by one, and the characters of a name there."""

LABEL = {1: 12, 2: 20}
"""Characters of a name at the ring, by columns."""


@dataclass(frozen=True, slots=True)
class _Scene:
    graph: nx.DiGraph[str]
    ring: Ring
    sheet: Sheet
    radius: float

    def band(self, index: int) -> tuple[float, float]:
        """Inner and outer radius of a ring, in points."""
        outer, inner = BANDS[index]
        return self.radius * (1 - inner), self.radius * (1 - outer)


def draw(lineage: LineageGraph, sheet: Sheet) -> str:
    """The whole figure as SVG."""
    found = ring(lineage.graph)
    groups = _legend(lineage.graph, found, sheet)
    legend, across, down = frame.stacked(groups, sheet)
    side = sheet.width - (across + 18 if sheet.columns > 1 else 0)
    labels = _labels(found, side, LABEL[sheet.columns])
    margin = 3 + max((measure.width(label, SMALL) + 5 for label in labels.values()), default=0.0)
    scene = _Scene(lineage.graph, found, sheet, side / 2 - margin)
    centre = side / 2
    drawing = frame.moved(
        centre, centre, *_curves(scene), *_generations(scene), *_roots(scene), *_blocks(scene), *_names(scene, labels)
    )
    if sheet.columns > 1:
        height = max(side, down + 2 * SIZE)
        placed = frame.moved(side + 10, max((height - down) / 2, SIZE), legend)
    else:
        legend, down = frame.abreast(groups, sheet, sheet.width - 12)
        height = side + down + SIZE + 4
        placed = frame.moved(6, side + SIZE - 2, legend)
    return frame.document(sheet, height, f"{lineage.name}: model lineage", drawing, placed)


def _labels(found: Ring, side: float, limit: int) -> dict[str, str]:
    """Names of the models, where each has room on the rim in the smallest print; else none."""
    if found.folded or not found.blocks:
        return {}
    nodes = [node for block in found.blocks for node in block.models]
    labels = dict(zip(nodes, short_labels(nodes, limit), strict=True))
    longest = max(measure.width(label, SMALL) for label in labels.values())
    pitch = min(block.end - block.start for block in found.blocks) * (side / 2 - longest)
    return labels if pitch >= SMALL * 1.1 else {}


def _curves(scene: _Scene) -> Iterator[str]:
    """The farthest pairs first, so that parents come to lie on top."""
    middle = {node: block.middle for block in scene.ring.blocks for node in block.models}
    fine = min(1.0, math.sqrt(CROWD / max(len(scene.ring.curves), 1)))
    scale = scene.radius * (1 - CURVES)
    for gap in range(len(GAP_NAMES), 0, -1):
        width, opacity = STROKES[gap - 1]
        for inferred in (False, True):
            those = [one for one in scene.ring.curves if (one.gap, one.inferred) == (gap, inferred)]
            yield svg.group(
                (svg.element("path", d=_path(scene.ring, curve, middle, scale)) for curve in those),
                fill="none",
                stroke=scene.sheet.palette.gaps[gap - 1],
                stroke_width=max(width * fine, 0.25),
                stroke_opacity=opacity,
                stroke_dasharray="2.4 1.6" if inferred else None,
                stroke_linecap="round",
            )


def _path(found: Ring, curve: Curve, middle: Mapping[str, float], scale: float) -> str:
    parts = way(middle[curve.ancestor], middle[curve.descendant], (found.hubs[hub] for hub in curve.hubs))
    return svg.curve(
        [
            ((ax * scale, ay * scale), (bx * scale, by * scale), (cx * scale, cy * scale), (dx * scale, dy * scale))
            for (ax, ay), (bx, by), (cx, cy), (dx, dy) in parts
        ]
    )


def _generations(scene: _Scene) -> Iterator[str]:
    inner, outer = scene.band(0)
    colours = palette.reds(scene.sheet.palette, _deepest(scene.ring))
    for arc in scene.ring.generations:
        fill = colours[arc.generation - 1] if arc.generation else scene.sheet.palette.line
        said = f"generation {arc.generation}" if arc.generation else "no relatives"
        yield svg.element("path", svg.title(said), d=svg.sector(inner, outer, arc.start, arc.end), fill=fill)


def _deepest(found: Ring) -> int:
    return max((arc.generation for arc in found.generations), default=0)


def _roots(scene: _Scene) -> Iterator[str]:
    """What descends from several roots is divided among them, the nearest root outside."""
    inner, outer = scene.band(1)
    number = {root: index for index, root in enumerate(scene.ring.roots)}
    colours = scene.sheet.palette
    for arc in scene.ring.middle:
        step = (outer - inner) / max(len(arc.roots), 1)
        if not arc.roots:
            yield svg.element("path", d=svg.sector(inner, outer, arc.start, arc.end), fill=colours.line)
        for place, root in enumerate(arc.roots):
            edge = outer - step * place
            fill = palette.blue(colours, number[root])
            shape = svg.sector(edge - step, edge, arc.start, arc.end)
            yield svg.element("path", svg.title(f"from {root}"), d=shape, fill=fill)
        yield from _numbered(scene, arc, arc.roots, number)


def _numbered(scene: _Scene, arc: Arc, roots: tuple[str, ...], number: Mapping[str, int]) -> Iterator[str]:
    """The number of an only root, where it has room."""
    inner, outer = scene.band(1)
    if len(roots) != 1:
        return
    words = str(number[roots[0]] + 1)
    size = min(SIZE, (outer - inner) * 0.85)
    if size < SMALL / 2 or (arc.end - arc.start) * (inner + outer) / 2 < measure.width(words, size) + 3:
        return
    x, y = on_circle(arc.middle, (inner + outer) / 2)
    fill = palette.legible(palette.blue(scene.sheet.palette, number[roots[0]]))
    yield svg.text(words, x, y + size * 0.36, text_anchor="middle", font_size=size, font_weight="bold", fill=fill)


def _blocks(scene: _Scene) -> Iterator[str]:
    """Hollow and dashed: not in the zoo; hollow and red: could not be read."""
    inner, outer = scene.band(2)
    for block in scene.ring.blocks:
        gap = min((block.end - block.start) * 0.1, 0.5 / outer)
        shape = svg.sector(inner, outer, block.start + gap, block.end - gap)
        yield svg.element("path", svg.title(_said(block)), d=shape, **_look(scene, block))


def _said(block: Block) -> str:
    return block.models[0] if len(block.models) == 1 else f"{len(block.models):,} models"


def _look(scene: _Scene, block: Block) -> dict[str, str | float]:
    colours, facts = scene.sheet.palette, scene.graph.nodes[block.models[0]]
    if facts["role"] == "unseen":
        return {"fill": colours.ground, "stroke": colours.muted, "stroke_width": 0.5, "stroke_dasharray": "1.4 1"}
    if facts["status"] != "ok":
        return {"fill": colours.ground, "stroke": colours.danger, "stroke_width": 0.6}
    return {"fill": colours.apart if facts["role"] == "isolated" else colours.edge}


def _names(scene: _Scene, labels: Mapping[str, str]) -> Iterator[str]:
    """Outside, along the radius, so that none is upside down."""
    for block in scene.ring.blocks:
        for node in block.models if labels else ():
            turn = math.degrees(block.middle) - 90
            right = math.sin(block.middle) >= -1e-9
            reach = scene.radius + 3
            turned = f"rotate({svg.number(turn if right else turn + 180)})"
            yield svg.text(
                labels[node],
                reach if right else -reach,
                SMALL * 0.36,
                transform=turned,
                font_size=SMALL,
                text_anchor="start" if right else "end",
                font_weight="bold" if node in scene.ring.roots else None,
            )


def _legend(graph: nx.DiGraph[str], found: Ring, sheet: Sheet) -> list[Group]:
    colours = sheet.palette
    generations = [
        Key(_square(colour), str(number))
        for number, colour in enumerate(palette.reds(colours, _deepest(found)), start=1)
    ]
    gaps = [
        Key(_line(colours.gaps[gap - 1], STROKES[gap - 1][0]), f"{gap}  {GAP_NAMES[gap - 1]}")
        for gap in sorted({curve.gap for curve in found.curves})
    ]
    if any(curve.inferred for curve in found.curves):
        gaps.append(Key(_line(colours.muted, 0.8, "2.4 1.6"), "through an unseen model"))
    groups = [
        Group("Generation", generations),
        Group("Root", _root_keys(found, sheet)),
        Group("Generation gap", gaps),
        Group("Model", list(_model_keys(graph, sheet))),
    ]
    return [group for group in groups if group.keys]


def _root_keys(found: Ring, sheet: Sheet) -> list[Key]:
    if len(found.roots) > NAMED:
        across = _square(sheet.palette.blues[0], -3.5) + _square(sheet.palette.blues[2], 3.5)
        return [Key(across, f"1 to {len(found.roots):,}")]
    names = short_labels(found.roots, KEYED)
    return [
        Key(_square(palette.blue(sheet.palette, index)), f"{index + 1}  {shorten(name, KEYED)}")
        for index, name in enumerate(names)
    ]


def _model_keys(graph: nx.DiGraph[str], sheet: Sheet) -> Iterable[Key]:
    colours = sheet.palette
    facts = [graph.nodes[node] for node in graph]
    if any(one["role"] == "unseen" for one in facts):
        yield Key(_square(colours.ground, stroke=colours.muted, stroke_width=0.5, stroke_dasharray="1.4 1"), "unseen")
    if any(one["role"] == "isolated" and one["status"] == "ok" for one in facts):
        yield Key(_square(colours.apart), "without relatives")
    if any(one["status"] != "ok" and one["role"] != "unseen" for one in facts):
        yield Key(_square(colours.ground, stroke=colours.danger, stroke_width=0.6), "could not be read")


def _square(fill: str, x: float = 0.0, **attributes: str | float) -> str:
    return svg.element("rect", x=x - 3, y=-3, width=6, height=6, fill=fill, **attributes)


def _line(colour: str, width: float, dash: str | None = None) -> str:
    return svg.element("path", d="M-6 0H6", stroke=colour, stroke_width=width * 1.4, stroke_dasharray=dash)
