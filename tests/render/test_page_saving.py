"""Pictures that the page saves, what it prints, and its theme."""

import io
import xml.etree.ElementTree as ET  # our own output, written a moment before

import pytest
from PIL import Image

from render.lineages import HOSTILE, demo, grown, hostile

SVG = "{http://www.w3.org/2000/svg}"


def saved(seen, button):
    """The bytes and the name of what a button saves."""
    with seen.page.expect_download() as download:
        seen.page.click(button)
    return download.value.path().read_bytes(), download.value.suggested_filename


@pytest.mark.parametrize("view", ["tree", "ring"])
def test_a_view_is_saved_as_svg_with_its_legend(visit, view):
    seen = visit(demo(), fragment=f"#view={view}&model=soup")
    content, name = saved(seen, "#svg")
    assert name == f"demo-{view}.svg"
    root = ET.fromstring(content)
    assert root.tag == f"{SVG}svg"
    texts = {text.text for text in root.iter(f"{SVG}text")}
    assert "model-a-0" in texts
    assert set(seen.page.locator("#legend li").all_inner_texts()) <= texts
    assert not any(
        value.startswith("url(") or "http" in value for node in root.iter() for value in node.attrib.values()
    )
    assert seen.page.inner_text("#notice") == f"Saved demo-{view}.svg"
    assert seen.quiet(), (seen.requests, seen.complaints)


def test_the_svg_looks_like_the_canvas(visit, chromium, tmp_path):
    seen = visit(demo())
    content, _ = saved(seen, "#svg")
    (tmp_path / "saved.svg").write_bytes(content)
    frame = seen.page.locator("#graph").bounding_box()
    page = chromium.new_page(viewport={"width": 1440, "height": 900})
    page.goto((tmp_path / "saved.svg").as_uri())
    drawn = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    page.close()
    for name in demo().graph:
        x, y = seen.spot(name)
        assert drawn.getpixel((int(x - frame["x"]), int(y - frame["y"]))) == pytest.approx(seen.pixel(name), abs=12), (
            name
        )


def test_a_view_is_saved_as_png_at_twice_the_size(visit):
    seen = visit(demo(), scheme="dark")
    content, name = saved(seen, "#png")
    assert name == "demo-tree.png"
    picture = Image.open(io.BytesIO(content)).convert("RGB")
    frame = seen.page.locator("#graph").bounding_box()
    assert picture.width == 2 * frame["width"]
    assert picture.height > 2 * frame["height"], "the legend stands below"
    x, y = seen.spot("model-a-1")
    assert picture.getpixel((int(2 * (x - frame["x"])), int(2 * (y - frame["y"])))) == (0, 114, 178)
    assert picture.getpixel((2, picture.height - 3)) == (20, 23, 27)
    assert seen.quiet(), (seen.requests, seen.complaints)


def test_hostile_names_stay_text_in_a_picture(visit):
    seen = visit(hostile())
    content, name = saved(seen, "#svg")
    assert name == "-title-h1-zoo-tree.svg"
    root = ET.fromstring(content)
    kinds = {node.tag.removeprefix(SVG) for node in root.iter()}
    assert kinds <= {"svg", "title", "desc", "rect", "path", "text"}
    assert not {"onerror", "onload"} & {key for node in root.iter() for key in node.attrib}
    assert any(HOSTILE[0][:8] in (text.text or "") for text in root.iter(f"{SVG}text"))


def test_paper_gets_the_picture_as_vectors_on_white_and_the_whole_panel(visit):
    seen = visit(demo(), scheme="dark", fragment="#model=soup")
    seen.page.evaluate("""addEventListener("beforeprint", () => {
        const picture = document.querySelector("#printed svg");
        window.printed = [picture.querySelector("rect").getAttribute("fill"), picture.querySelectorAll("text").length];
    })""")
    assert seen.page.pdf()[:5] == b"%PDF-"
    ground, texts = seen.page.evaluate("window.printed")
    assert ground == "#ffffff"
    assert texts > 36
    assert seen.page.locator("#printed svg").count() == 0
    assert seen.pixel("model-a-1") == (0, 114, 178)
    seen.page.emulate_media(media="print")
    assert seen.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert seen.page.locator("#search").is_hidden()
    assert seen.page.locator("#panel").is_visible()
    assert seen.quiet(), seen.complaints


def test_paper_gets_all_rows_of_the_table(visit):
    seen = visit(grown(120, 3), fragment="#view=table")
    rows = "document.querySelectorAll('.rows tbody tr').length"
    seen.page.evaluate(f"addEventListener('beforeprint', () => {{ window.printed = {rows}; }})")
    seen.page.pdf()
    assert seen.page.evaluate("window.printed") == 120
    assert seen.page.evaluate(rows) == 50


def test_the_theme_is_chosen_on_the_page_and_kept_in_the_link(visit):
    seen = visit(demo())
    ground = "getComputedStyle(document.body).backgroundColor"
    seen.page.select_option("#theme", "dark")
    assert seen.page.evaluate(ground) == "rgb(20, 23, 27)"
    assert seen.page.evaluate("location.hash") == "#theme=dark"
    light = visit(demo(), scheme="dark", fragment="#theme=light")
    assert light.page.evaluate(ground) == "rgb(255, 255, 255)"
    light.page.select_option("#theme", "")
    assert light.page.evaluate(ground) == "rgb(20, 23, 27)"
