"""The tree as a figure: the page's layout, shapes and edges, scaled to the width of a paper."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lineage_graph.render import measure, order
from lineage_graph.render.figure import frame, glyphs, svg, ways
from lineage_graph.render.figure.frame import Group, Key, Sheet
from lineage_graph.render.layout import Band, Heading, Layout, arrange
from lineage_graph.render.palette import FAMILIES
from lineage_graph.render.reading import is_open
from lineage_graph.render.text import percent, short_labels
from lineage_graph.types import LineageGraph

if TYPE_CHECKING:
    import networkx as nx

ASPECTS = (1.75, 1.3, 1.0, 0.8, 0.62)
"""Width over height of the layouts that are tried, the widest first."""

FONT, DROP, LABEL = 12.0, 17.0, 18
"""Of names, in the layout's pixels: size, from the centre of a model down to its name; and characters."""

READABLE = 5.0
"""Points that a name has in print, where there is a layout that lets it."""

LEFT, TOP, RIGHT = 84.0, 6.0, 10.0
"""Around the layout, in its pixels; on the left stand the names of the generations."""

UNSURE = 0.75
"""Probability of a direction below which an edge is dotted."""

DOTTED, DASHED = "2.5 4", "8 5"


@dataclass(frozen=True, slots=True)
class _Scene:
    graph: nx.DiGraph[str]
    sheet: Sheet
    layout: Layout
    labels: Mapping[str, str]

    @property
    def scale(self) -> float:
        """Points in a pixel of the layout."""
        return _scale(self.layout, self.sheet)


def draw(lineage: LineageGraph, sheet: Sheet) -> str:
    """The whole figure as SVG."""
    nodes = order.node_order(lineage.graph)
    labels = dict(zip(nodes, short_labels(nodes, LABEL), strict=True))
    slots = {node: max(measure.width(label, FONT), 40.0) + 16.0 for node, label in labels.items()}
    scene = _Scene(lineage.graph, sheet, _layout(lineage.graph, slots, sheet), labels)
    parts = [*_bands(scene), *_edges(scene), *_headings(scene), *_models(scene)]
    placed = f"translate({svg.number(LEFT * scene.scale)} {svg.number(TOP)}) scale({scene.scale:.4f})"
    drawing = svg.group(parts, transform=placed, font_size=FONT)
    height = TOP + scene.layout.height * scene.scale
    legend, down = frame.abreast(_legend(scene), sheet, sheet.width - 2 * TOP)
    return frame.document(
        sheet,
        height + down + 3 * TOP,
        f"{lineage.name}: model lineage",
        drawing,
        frame.moved(TOP, height + 2 * TOP, legend),
    )


def _layout(graph: nx.DiGraph[str], slots: Mapping[str, float], sheet: Sheet) -> Layout:
    """The widest layout in which names can be read in print; failing that, the one in which they are largest."""
    tried: list[Layout] = []
    for aspect in ASPECTS:
        tried.append(arrange(graph, slots, aspect))
        if FONT * _scale(tried[-1], sheet) >= READABLE:
            break
    return min(tried, key=lambda layout: layout.width)


def _scale(layout: Layout, sheet: Sheet) -> float:
    return min(sheet.width / (layout.width + LEFT + RIGHT), 0.75)


def _bands(scene: _Scene) -> Iterator[str]:
    width = scene.sheet.width / scene.scale
    for band in scene.layout.bands:
        if band.generation % 2:
            shade = scene.sheet.palette.band
            yield svg.element("rect", x=-LEFT, y=band.y, width=width, height=band.height, fill=shade)
        if band.generation:
            yield _band_name(band, scene)


def _band_name(band: Band, scene: _Scene) -> str:
    middle = band.y + band.height / 2 + 4
    name, fill = f"Generation {band.generation}", scene.sheet.palette.muted
    return svg.text(name, 6 - LEFT, middle, fill=fill, font_size=11.0, font_weight="bold")


def _headings(scene: _Scene) -> Iterator[str]:
    for heading in scene.layout.headings:
        yield from _heading(heading, scene)


def _heading(heading: Heading, scene: _Scene) -> Iterator[str]:
    x, baseline = heading.x, heading.y + 25
    if heading.family:
        hue = FAMILIES[(heading.family - 1) % len(FAMILIES)]
        yield svg.element("circle", cx=x + 4.5, cy=baseline - 4.7, r=4.5, fill=hue)
        x += 13
    yield svg.text(heading.title, x, baseline, font_size=14.0, font_weight="bold")
    x += measure.width(heading.title, 14.0 * measure.BOLD) + 6
    if x + measure.width(heading.detail, FONT) <= heading.x + heading.width + 40:
        yield svg.text(heading.detail, x, baseline, fill=scene.sheet.palette.muted)


def _edges(scene: _Scene) -> Iterator[str]:
    colours = scene.sheet.palette
    for parent, child in order.edge_order(scene.graph):
        edge = scene.graph.edges[parent, child]
        (x1, y1), (x2, y2) = scene.layout.positions[parent], scene.layout.positions[child]
        tip = y2 - glyphs.reach(glyphs.shape_of(scene.graph.nodes[child])) - 2.5
        parts = ways.way(
            (x1, y1 + DROP + FONT + 3), (x2, tip - glyphs.HEAD + 1), scene.layout.routes.get((parent, child))
        )
        said = svg.title(f"{parent} → {child}: {edge['kind']}, {percent(edge['confidence'])}")
        look = {"stroke_width": glyphs.width(edge["confidence"]), "stroke_dasharray": _dash(scene.graph, parent, child)}
        line = svg.element("path", d=svg.curve(parts), fill="none", stroke=colours.edge, **look)
        doubt = svg.text("?", 6, 3, font_size=14.0, font_weight="bold", fill=colours.edge) if is_open(edge) else ""
        head = frame.moved(x2, tip, glyphs.head(edge["kind"], colours.edge, colours.ground), doubt)
        yield svg.group([said, line, head])


def _dash(graph: nx.DiGraph[str], parent: str, child: str) -> str | None:
    if "unseen" in (graph.nodes[parent]["role"], graph.nodes[child]["role"]):
        return DASHED
    return DOTTED if graph.edges[parent, child]["direction_confidence"] < UNSURE else None


def _models(scene: _Scene) -> Iterator[str]:
    colours = scene.sheet.palette
    for node, (x, y) in scene.layout.positions.items():
        facts = scene.graph.nodes[node]
        shape = glyphs.shape_of(facts)
        mark = glyphs.model(shape, glyphs.colour(facts, colours), colours, svg.title(node))
        weight = "bold" if shape == "root" else None
        fill = colours.muted if shape in ("unseen", "failed") else None
        name = svg.text(scene.labels[node], 0, DROP + 9.5, text_anchor="middle", font_weight=weight, fill=fill)
        yield frame.moved(x, y, mark, name)


def _legend(scene: _Scene) -> list[Group]:
    colours, graph = scene.sheet.palette, scene.graph
    shapes = {glyphs.shape_of(graph.nodes[node]) for node in graph}
    fills = {"isolated": colours.apart}
    models = [
        Key(_small(glyphs.model(shape, fills.get(shape, FAMILIES[0]), colours)), words)
        for shape, words in glyphs.SHAPES.items()
        if shape in shapes
    ]
    edges = [edge for *_, edge in graph.edges(data=True)]
    found = {edge["kind"] for edge in edges}
    kinds = [kind for kind in glyphs.HEADS if kind in found] + sorted(found - set(glyphs.HEADS))[:3]
    groups = [
        Group("Models by family", models),
        Group("Edges", [Key(_line(scene, kind=kind), kind) for kind in kinds]),
        Group("Certainty", list(_certainty(scene)) if edges else []),
    ]
    return [group for group in groups if group.keys]


def _certainty(scene: _Scene) -> Iterator[Key]:
    graph = scene.graph
    dashes = {_dash(graph, parent, child) for parent, child in graph.edges}
    yield Key(_line(scene, width=1.0), "50 %")
    yield Key(_line(scene, width=2.4), "100 %")
    if DOTTED in dashes:
        yield Key(_line(scene, dash=DOTTED), "direction < 75 %")
    if any(is_open(edge) for *_, edge in graph.edges(data=True)):
        doubt = svg.text("?", -4, 5, font_size=14.0, font_weight="bold", fill=scene.sheet.palette.edge)
        yield Key(_small(doubt), "direction open")
    if DASHED in dashes:
        yield Key(_line(scene, dash=DASHED), "unseen ancestor")


def _small(*content: str) -> str:
    """A glyph in the size of a key."""
    return svg.group(content, transform="scale(.3)")


def _line(scene: _Scene, kind: str | None = None, width: float = 2.0, dash: str | None = None) -> str:
    colours = scene.sheet.palette
    line = svg.element(
        "path", d=f"M0-20V{8 if kind else 20}", stroke=colours.edge, stroke_width=width, stroke_dasharray=dash
    )
    head = frame.moved(0, 17, glyphs.head(kind, colours.edge, colours.ground)) if kind else ""
    return svg.group([line, head], transform="rotate(-90) scale(.34)")
