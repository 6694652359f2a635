"""The strip of a model's blocks in the panel, in a real browser."""

from render.lineages import HOSTILE, demo, finish, node, origin, spliced

BLUE, ORANGE, GREEN = "rgb(0, 114, 178)", "rgb(230, 159, 0)", "rgb(0, 158, 115)"
CELLS = """[...document.querySelectorAll("#panel .strip .swatch")].map((cell) => {
    const box = cell.getBoundingClientRect();
    const colour = getComputedStyle(cell).backgroundColor;
    return {left: box.left, width: box.width, says: cell.title, look: cell.className, colour};
})"""


def test_a_cell_for_each_block_in_network_order_and_in_its_origin_s_colour(visit):
    seen = visit(spliced())
    seen.page.mouse.click(*seen.spot("hybrid"))
    cells = seen.page.evaluate(CELLS)
    assert [cell["says"].split(":")[0] for cell in cells] == ["patch_embed", *(f"blocks.{n}" for n in range(12))]
    assert [cell["colour"] for cell in cells[1:4]] == [BLUE, ORANGE, GREEN]
    assert [cell["colour"] for cell in cells[4:7]] == [BLUE, ORANGE, GREEN]
    assert len({round(cell["width"]) for cell in cells}) == 1
    assert sorted(cell["left"] for cell in cells) == [cell["left"] for cell in cells]
    assert cells[3]["says"] == "blocks.2: vit-2, blocks.9 (97.9 %)"
    assert cells[0]["says"] == "patch_embed: no model of this zoo (70.0 %)"
    assert seen.quiet(), seen.complaints


def test_the_legend_counts_and_leads_to_each_origin(visit):
    seen = visit(spliced())
    seen.page.mouse.click(*seen.spot("hybrid"))
    assert [line.replace("\n", " ") for line in seen.page.locator("#panel .origins li").all_inner_texts()] == [
        "vit-0 4 of 13",
        "vit-1 4 of 13",
        "vit-2 4 of 13",
        "No model of this zoo 1 of 13",
    ]
    seen.page.click("#panel .origins button >> text=vit-1")
    assert seen.page.inner_text("#panel h2") == "vit-1"


def test_the_strip_says_the_same_without_colours(visit):
    seen = visit(spliced())
    seen.page.mouse.click(*seen.spot("hybrid"))
    strip = seen.page.get_by_role("img", name="13 blocks: 4 from vit-0, 4 from vit-1, 4 from vit-2, 1 from no model")
    assert strip.count() == 1
    seen.page.click("#panel summary >> text=Block by block")
    row = seen.page.locator("#panel .blocks tbody tr").nth(3)
    assert row.inner_text().split() == ["blocks.2", "vit-2", "blocks.9", "97.9", "%", "0.93"]
    panel = seen.page.locator("#panel .body")
    assert panel.evaluate("body => body.scrollWidth <= body.clientWidth")


def test_fourteen_origins_are_told_apart_by_hue_and_stripes(visit):
    seen = visit(spliced(sources=16, blocks=16))
    seen.page.mouse.click(*seen.spot("hybrid"))
    looks = [(cell["colour"], cell["look"]) for cell in seen.page.evaluate(CELLS)][1:]
    assert len(set(looks)) == 15
    assert sum(looks.count(look) == 1 for look in looks) == 14


def test_a_splice_s_edge_names_the_blocks_that_it_stands_for(visit):
    seen = visit(spliced())
    seen.page.mouse.click(*seen.edge_spot("vit-1", "hybrid"))
    assert "blocks.1, blocks.4, blocks.7, blocks.10" in seen.page.inner_text("#panel")


def test_a_model_whose_blocks_come_from_nowhere_has_no_strip(visit):
    graph = demo().graph
    graph.nodes["model-a-0"]["origins"] = [origin("stem"), origin("blocks.0")]
    seen = visit(finish("roots", graph))
    for name in ("model-a-0", "model-a-1"):
        seen.page.mouse.click(*seen.spot(name))
        assert seen.page.inner_text("#panel h2") == name
        assert seen.page.locator("#panel .strip").count() == 0


def test_hostile_block_names_stay_text(visit):
    graph = spliced().graph
    graph.add_node("evil", **node("evil", origins=[origin(name, "vit-0", name) for name in HOSTILE]))
    seen = visit(finish("evil", graph))
    seen.page.mouse.click(*seen.spot("evil"))
    seen.page.click("#panel summary >> text=Block by block")
    assert "<img src=x onerror=alert(1)>" in seen.page.inner_text("#panel .blocks")
    assert seen.page.locator("#panel img").count() == 0
    assert seen.quiet(), seen.complaints
