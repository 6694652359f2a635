"""Figures without a browser."""

import io
import math
import sys
from xml.etree import ElementTree as ET

import pytest
from PIL import Image

from lineage_graph.errors import MissingExtraError
from lineage_graph.render import ancestry, measure
from lineage_graph.render.figure import figure, png, svg
from lineage_graph.render.figure.frame import WIDTHS
from lineage_graph.render.palette import FAMILIES, LIGHT, PALETTES, blue, legible, reds
from render.lineages import crowded, demo, finish, grown, hostile, joined, node

NAME = "{http://www.w3.org/2000/svg}"
LINEAGES = {"demo": demo, "joined": joined, "crowded": crowded, "hostile": hostile, "grown": lambda: grown(120, 5)}


def parsed(text):
    """The tree of an SVG that holds drawing and words alone."""
    root = ET.fromstring(text)
    tags = {item.tag.removeprefix(NAME) for item in root.iter()}
    assert tags <= {"svg", "title", "rect", "g", "path", "circle", "text"}
    names = {name for item in root.iter() for name in item.attrib}
    assert not [name for name in names if name.startswith("on") or "href" in name or name == "style"]
    return root


def titles(root):
    return [item.text for item in root.iter(f"{NAME}title")]


@pytest.mark.parametrize("columns", [1, 2])
@pytest.mark.parametrize("view", ["ring", "tree"])
@pytest.mark.parametrize("make", LINEAGES.values(), ids=LINEAGES)
def test_a_figure_is_well_formed_and_as_wide_as_asked(make, view, columns):
    lineage = make()
    text = figure(lineage, view, columns, "light")
    root = parsed(text)
    assert root.get("width") == f"{WIDTHS[columns]:g}pt"
    assert figure(make(), view, columns, "light") == text


@pytest.mark.parametrize("make", LINEAGES.values(), ids=LINEAGES)
def test_the_ring_holds_every_model_and_every_pair(make):
    lineage = make()
    root = parsed(figure(lineage, "ring", 2, "light"))
    shown = titles(root)
    assert len([one for one in shown if one]) > lineage.graph.number_of_nodes()
    curves = [item for item in root.iter(f"{NAME}path") if "C" in item.get("d")]
    assert len(curves) == len(ancestry.pairs(lineage.graph))


def test_the_ring_has_the_colours_of_the_figure():
    text = figure(grown(300, 5), "ring", 2, "light")
    for colour in (*LIGHT.reds, *LIGHT.blues, *LIGHT.gaps):
        assert colour in text


def test_the_tree_draws_every_edge_by_kind_confidence_and_certainty():
    lineage = demo()
    root = parsed(figure(lineage, "tree", 2, "light"))
    groups = [item for item in root.iter(f"{NAME}g") if (item.findtext(f"{NAME}title") or "").find(" → ") > 0]
    assert len(groups) == lineage.graph.number_of_edges()
    lines = {item.findtext(f"{NAME}title").split(":")[0]: item.find(f"{NAME}path") for item in groups}
    assert lines["model-f-0 → model-f-1"].get("stroke-dasharray") == "8 5"
    assert lines["model-b-2 → model-b-5"].get("stroke-dasharray") == "2.5 4"
    assert lines["model-a-0 → model-a-1"].get("stroke-dasharray") is None
    width = {name: float(line.get("stroke-width")) for name, line in lines.items()}
    assert width["model-b-2 → model-b-5"] < width["model-a-4 → soup"] < width["model-a-0 → model-a-1"]
    words = {item.text for item in root.iter(f"{NAME}text")}
    assert words >= {"root", "several parents", "unseen ancestor", "snapshot", "quantize", "Generation 4", "Family 6"}


def test_names_that_have_no_room_are_left_out_and_others_are_not():
    few = {item.text for item in parsed(figure(demo(), "ring", 2, "light")).iter(f"{NAME}text")}
    assert {"model-a-0", "soup", "loner"} <= few
    many = [item.text for item in parsed(figure(grown(300, 5), "ring", 1, "light")).iter(f"{NAME}text")]
    assert len(many) < 40


def test_a_graph_without_models_is_an_empty_figure():
    for view in ("ring", "tree"):
        parsed(figure(finish("none", demo().graph.__class__()), view, 1, "light"))


def test_a_single_model_fills_the_circle():
    graph = demo().graph.__class__()
    graph.add_node("only", **node("only"))
    root = parsed(figure(finish("one", graph), "ring", 1, "light"))
    assert next(item.text for item in root.iter(f"{NAME}text")) == "only"


@pytest.mark.parametrize("view", ["ring", "tree"])
def test_a_png_is_the_figure_in_pixels(view):
    picture = Image.open(io.BytesIO(png.rasterized(figure(demo(), view, 1, "dark"))))
    picture.load()
    assert picture.format == "PNG"
    assert picture.width == round(WIDTHS[1] / 72 * 300)
    ground = tuple(int(PALETTES["dark"].ground[at : at + 2], 16) for at in (1, 3, 5))
    assert picture.convert("RGB").getpixel((2, 2)) == ground
    assert len(picture.convert("RGB").resize((80, 80)).getcolors(6400)) > 50


def test_without_its_library_a_png_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'lgraph\[figure\]'"):
        png.rasterized("<svg/>")


def test_values_and_words_are_escaped():
    made = svg.element("a", svg.text('<b> & "c"\x00', 0, -0.001), x='"<&', y=None)
    assert made == '<a x=\'"&lt;&amp;\'><text x="0" y="0">&lt;b&gt; &amp; "c"\\x00</text></a>'


def test_sectors_go_all_the_way_round():
    assert svg.sector(1, 2, 0, 6.28).count("A") == 8


def test_more_generations_than_reds_are_finer_steps():
    assert reds(LIGHT, 4) == list(LIGHT.reds)
    seven = reds(LIGHT, 7)
    assert (seven[0], seven[-1]) == (LIGHT.reds[0], LIGHT.reds[-1])
    assert len(set(seven)) == 7
    assert blue(LIGHT, 5) == blue(LIGHT, 0)
    assert [legible(colour) for colour in (LIGHT.blues[0], LIGHT.blues[-1])] == ["#ffffff", "#000000"]


def test_figure_and_page_have_the_same_hues():
    from importlib.resources import files

    page = files("lineage_graph.render.page")
    assert ", ".join(f'"{hue}"' for hue in FAMILIES) in page.joinpath("js/colours.js").read_text(encoding="utf-8")
    assert measure.width("mm", 10) > measure.width("il", 10) > 0


DEUTAN = ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881))
PROTAN = ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998))
TRITAN = ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900))
SIGHT = ((1, 0, 0), (0, 1, 0), (0, 0, 1))


def lab(colour, sight):
    """CIELAB of a colour as seen by such eyes: Machado, Oliveira & Fernandes, IEEE TVCG 2009."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    seen = [min(max(sum(a * b for a, b in zip(row, linear, strict=True)), 0), 1) for row in sight]
    to_xyz = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
    white = (0.9505, 1, 1.089)
    xyz = [sum(a * b for a, b in zip(row, seen, strict=True)) / w for row, w in zip(to_xyz, white, strict=True)]
    x, y, z = (v ** (1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116 for v in xyz)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


@pytest.mark.parametrize("theme", PALETTES)
@pytest.mark.parametrize("sight", [SIGHT, DEUTAN, PROTAN, TRITAN], ids=["all", "deutan", "protan", "tritan"])
def test_colours_can_be_told_apart(theme, sight):
    colours = PALETTES[theme]
    for group, least in ((colours.reds, 18), (colours.blues, 12), (colours.gaps, 30)):
        seen = [lab(colour, sight) for colour in group]
        apart = [math.dist(a, b) for index, a in enumerate(seen) for b in seen[:index]]
        assert min(apart) > least
