"""Zoos whose families are folded until they are opened."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from lineage_graph.render import folding, ring
from render.lineages import demo, grown

LARGE = 6000


@pytest.fixture
def folded(visit, monkeypatch):
    """Open the page of a small zoo as if it were a large one."""
    monkeypatch.setattr(folding, "FOLDED", 20)
    return visit


def cards(seen):
    """The folded families, by their titles."""
    return {card["title"]: card for card in seen.page.evaluate("lineage.cards()")}


def spot(seen, card):
    frame = seen.page.locator("#graph").bounding_box()
    return card["x"] + frame["x"], card["y"] + frame["y"]


def drawn(seen):
    return {box["name"] for box in seen.page.evaluate("lineage.boxes()")}


def members(lineage, family):
    return {name for name, facts in lineage.graph.nodes(data=True) if facts["family"] == family}


def opened(seen):
    return set(seen.page.evaluate("[...lineage.state.open]"))


def test_a_large_zoo_opens_as_its_families_and_a_click_opens_one(folded):
    seen = folded(demo())
    titles = [*(f"Family {number}" for number in range(1, 7)), "Without relatives", "Could not be read"]
    assert list(cards(seen)) == titles
    assert drawn(seen) == set()
    seen.page.mouse.move(*spot(seen, cards(seen)["Family 2"]))
    assert seen.page.evaluate("lineage.state.hovered") == {"kind": "fold", "id": 2}
    seen.page.mouse.click(*spot(seen, cards(seen)["Family 2"]))
    assert drawn(seen) == members(demo(), 2)
    assert "Family 2" not in cards(seen)
    assert seen.page.evaluate("location.hash") == "#open=2"
    frame = seen.page.locator("#graph").bounding_box()
    for box in seen.page.evaluate("lineage.boxes()"):
        assert 0 < box["x"] < frame["width"]
        assert 0 < box["y"] < frame["height"]
    seen.page.mouse.click(*seen.spot("model-b-2"))
    assert seen.page.inner_text("#panel h2") == "model-b-2"
    assert seen.quiet(), seen.complaints


def test_a_click_on_the_heading_folds_the_family_again(folded):
    seen = folded(demo(), fragment="#open=1.3")
    assert drawn(seen) == members(demo(), 1) | members(demo(), 3)
    handle = """() => { const [, left, top, right, bottom] = lineage.handles().find(([id]) => id === 3);
        return lineage.network.canvasToDOM({ x: (left + right) / 2, y: (top + bottom) / 2 }); }"""
    seen.page.mouse.click(*spot(seen, seen.page.evaluate(handle)))
    assert drawn(seen) == members(demo(), 1)
    assert opened(seen) == {1}
    seen.page.go_back()
    assert drawn(seen) == members(demo(), 1) | members(demo(), 3)


def test_search_finds_a_model_and_opens_its_family(folded):
    seen = folded(demo())
    seen.page.fill("#search", "model-c-")
    lit = seen.page.evaluate("lineage.cards().filter(({ title }) => title === 'Family 4')").pop()
    assert lit["title"] == "Family 4"
    seen.page.fill("#search", "model-c-3")
    seen.page.keyboard.press("Enter")
    family = demo().graph.nodes["model-c-3"]["family"]
    assert drawn(seen) == members(demo(), family)
    assert seen.page.inner_text("#panel h2") == "model-c-3"
    x, _ = seen.spot("model-c-3")
    assert 0 < x < seen.page.locator("#panel").bounding_box()["x"]
    seen.page.keyboard.press("Escape")
    assert opened(seen) == {family}


def test_a_link_to_a_model_opens_its_family(folded):
    seen = folded(demo(), fragment="#model=model-d-5")
    assert drawn(seen) == members(demo(), demo().graph.nodes["model-d-5"]["family"])
    x, _ = seen.spot("model-d-5")
    assert 0 < x < seen.page.locator("#panel").bounding_box()["x"]
    lost = folded(demo(), fragment="#open=77.x&fold=99")
    assert lost.page.inner_text("#notice") == "The link names a model or an edge that is not in this graph."


def test_keys_walk_over_the_families_into_one_and_out_again(folded):
    seen = folded(demo())
    seen.page.focus("#graph .vis-network")
    walk = []
    for key in ("ArrowDown", "ArrowRight", "Enter", "ArrowDown", "ArrowDown", "ArrowUp", "ArrowUp", "Enter"):
        seen.page.keyboard.press(key)
        walk.append(seen.page.inner_text("#panel h2"))
    assert walk[:3] == ["Family 1", "Family 2", "Family 2"]
    assert walk[3] == walk[5] == "model-b-0"
    assert seen.page.evaluate("location.hash") == "#fold=2"
    assert walk[6:] == ["Family 2", "Family 2"]
    assert opened(seen) == set()


def test_the_panel_of_a_family_says_what_it_holds_and_opens_it(folded):
    seen = folded(demo(), fragment="#fold=2")
    assert seen.page.inner_text("#panel header").startswith("Family 2\n\n7 models · 4 generations")
    assert seen.page.locator("#panel section", has_text="Root").locator("li").first.inner_text() == "model-b-0"
    seen.page.focus("#turn")
    seen.page.keyboard.press("Enter")
    assert drawn(seen) == members(demo(), 2)
    assert seen.page.inner_text("#turn") == "Fold it"
    assert seen.page.evaluate("document.activeElement.id") == "turn"


def test_filters_leave_the_families_that_have_something_to_show(folded):
    seen = folded(demo())
    seen.page.click("#filter")
    seen.page.locator("#filters label", has=seen.page.get_by_text("quantize", exact=True)).click()
    assert list(cards(seen)) == ["Family 2"]
    seen.page.click("#clear")
    assert len(cards(seen)) == 8


def test_a_telephone_gets_the_families_in_its_shape(folded):
    seen = folded(demo(), 420, 800)
    boxes = [card["box"] for card in cards(seen).values()]
    assert all(0 <= left < right <= 420 for left, _, right, _ in boxes)
    assert len({round(top) for _, top, _, _ in boxes}) > 2


def test_saved_pictures_hold_cards_and_open_families(folded):
    seen = folded(demo(), fragment="#open=2")
    seen.page.click("#fit")
    with seen.page.expect_download() as download:
        seen.page.click("#svg")
    text = download.value.path().read_text(encoding="utf-8")
    assert "model-a-0" in text
    assert "▾ Family 2" in text
    assert "model-b-5" in text


def test_the_folded_ring_leads_to_a_family(folded, monkeypatch):
    monkeypatch.setattr("lineage_graph.render.page.ring.ring", lambda graph: ring.ring(graph, drawn=20))
    seen = folded(demo(), fragment="#view=ring&model=model-b-5")
    assert len(seen.page.evaluate("lineage.boxes()")) == 8
    seen.page.locator("#ring").focus()
    seen.page.keyboard.press("ArrowRight")
    assert seen.page.inner_text("#panel h2") == "Family 3"
    seen.page.click("#turn")
    assert seen.page.evaluate("lineage.state.view") == "tree"
    assert drawn(seen) == members(demo(), 3)
    assert seen.quiet(), seen.complaints


@pytest.fixture(scope="module")
def large():
    return grown(LARGE, 90, name="large")


def test_6000_models_open_find_filter_and_fill_a_table_page_by_page(visit, large):
    seen = visit(large)
    assert len(cards(seen)) == 90
    name = seen.page.evaluate("lineage.models[4321].name")
    seen.page.fill("#search", name)
    seen.page.keyboard.press("Enter")
    assert name in drawn(seen)
    assert drawn(seen) == members(large, large.graph.nodes[name]["family"])
    seen.page.get_by_role("button", name="Table", exact=True).click()
    assert seen.page.locator(".rows tbody tr").count() == 50
    assert seen.page.inner_text(".pager span").endswith("of 6,000")
    seen.page.fill("#least", "90")
    seen.page.get_by_role("button", name="Ring", exact=True).click()
    seen.page.wait_for_function("lineage.state.view === 'ring'")
    assert seen.quiet(), (seen.requests, seen.complaints)


def test_6000_models_without_serious_findings_of_axe(visit, large):
    seen = visit(large, trusting=True, fragment="#open=2&fold=3")
    found = Axe().run(seen.page).response["violations"]
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
