"""lineage.html in a real browser."""

import networkx as nx
import pytest

from lineage_graph.types import LineageGraph
from lineage_graph.visible import visible
from render.lineages import HOSTILE, demo, finish, grown, hostile, node

BLUE, ORANGE = (0, 114, 178), (230, 159, 0)


def near(boxes):
    """The places of the models, give or take a pixel."""
    return [pytest.approx(box["model"], abs=1) for box in boxes]


def lit(seen):
    """Does each of the models keep its colour while another is looked at?"""
    return {name for name, colour in ((n, seen.pixel(n)) for n in demo().graph) if colour in {BLUE, ORANGE}}


def test_a_page_asks_for_nothing_and_reports_nothing(visit):
    seen = visit(demo())
    seen.page.mouse.move(*seen.spot("model-a-1"))
    seen.page.mouse.click(*seen.spot("model-a-1"))
    seen.page.fill("#search", "model")
    seen.page.keyboard.press("Escape")
    seen.page.click("#fit")
    assert seen.quiet(), (seen.requests, seen.complaints)


def test_every_model_is_drawn_in_its_family_s_colour(visit):
    seen = visit(demo())
    families = nx.get_node_attributes(demo().graph, "family")
    assert lit(seen) == {name for name, family in families.items() if family in {1, 2}}
    assert seen.pixel("model-d-1") != seen.pixel("model-c-1")


def test_evidence_is_drawn_around_zero_only_where_its_sign_counts(visit):
    seen = visit(demo())
    seen.page.mouse.click(*seen.edge_spot("model-b-2", "model-b-5"))
    bars = """[...document.querySelectorAll("#panel tr")].filter((row) => row.querySelector(".bar")).map((row) =>
        ["bdi", ".bar", "i"].map((part) => row.querySelector(part))).map(([name, bar, filled]) =>
        [name.textContent, bar.className, filled.style.width])"""
    drawn = {name: (look, float(width.rstrip("%"))) for name, look, width in seen.page.evaluate(bars)}
    assert drawn["coverage"] == ("bar", 98)
    assert drawn["inherited"] == ("bar", 13)
    assert drawn["kurtosis_growth"][0] == "bar centred"
    assert drawn["norm_growth"][0] == "bar centred"
    assert {look for name, (look, _) in drawn.items() if name in {"distance", "cosine"}} == {"bar"}
    left = "document.querySelector('#panel .bar i').getBoundingClientRect().left"
    assert seen.page.evaluate(left) == pytest.approx(
        seen.page.evaluate("document.querySelector('#panel .bar').getBoundingClientRect().left"), abs=0.5
    )


def test_the_panel_says_which_network_gave_features_or_why_none(visit):
    graph = nx.DiGraph()
    without = ", ".join(f"layer{index}.weight" for index in range(400))
    graph.add_node("some", **node("some", features=f"test_vit 3x160x160; 400 left out ({without})"))
    graph.add_node("none", **node("none", features="none: 3 networks of this shape <b>"))
    seen = visit(finish("two", graph))
    seen.page.mouse.click(*seen.spot("some"))
    assert "FEATURES\ntest_vit 3x160x160\n400 left out (layer0" in seen.page.inner_text("#panel").replace("\n\n", "\n")
    assert seen.page.locator("#panel .long").bounding_box()["height"] < 200
    seen.page.mouse.click(*seen.spot("none"))
    assert "None\n3 networks of this shape <b>" in seen.page.inner_text("#panel").replace("\n\n", "\n")


def test_hovering_lights_ancestors_and_descendants(visit):
    seen = visit(demo())
    seen.page.mouse.move(*seen.spot("model-a-4"))
    assert lit(seen) == {"model-a-0", "model-a-1", "model-a-4", "model-a-7", "soup"}
    seen.page.mouse.move(5, 5)
    assert len(lit(seen)) == 16


def test_a_click_on_a_model_opens_its_facts(visit):
    seen = visit(demo())
    seen.page.mouse.click(*seen.spot("soup"))
    text = seen.page.inner_text("#panel")
    assert "Merge · family 1 · generation 4" in text
    assert "merge, 97.0 %" in text
    assert "model-b-1\ndeclared, not audited" in text
    assert "What inherits from this\n0\nWhere does this come from\n5\n" in text
    seen.page.click("#panel button.link >> text=model-a-5")
    assert seen.page.inner_text("#panel h2") == "model-a-5"


def test_a_click_on_an_edge_opens_its_evidence(visit):
    seen = visit(demo())
    seen.page.mouse.click(*seen.edge_spot("model-b-2", "model-b-5"))
    text = seen.page.inner_text("#panel")
    assert "model-b-2 → model-b-5" in text
    assert "80.0 %" in text
    assert "60.0 %" in text
    assert "counter.num_batches_tracked" in text
    assert "cosine_z" in text


def test_a_failed_model_says_why(visit):
    seen = visit(demo())
    seen.page.mouse.click(*seen.spot("broken/evil.pt"))
    assert "UnsafePickleError\n\nevil.pt: the pickle asks for posix.system" in seen.page.inner_text("#panel")


def test_a_loner_shows_its_nearest_misses(visit):
    seen = visit(demo())
    seen.page.mouse.click(*seen.spot("loner"))
    assert "18.0 % — the weights agree no more than strangers' do" in seen.page.inner_text("#panel")


def test_search_finds_by_name_and_enter_chooses(visit):
    seen = visit(demo())
    seen.page.keyboard.press("/")
    seen.page.keyboard.type("el-b")
    assert seen.page.locator("#hits [role=option]").all_inner_texts()[0] == "model-b-0\nfamily 2"
    assert lit(seen) == {name for name in demo().graph if name.startswith("model-b")}
    seen.page.keyboard.press("ArrowDown")
    seen.page.keyboard.press("Enter")
    assert seen.page.inner_text("#panel h2") == "model-b-1"
    assert seen.page.locator("#hits").is_hidden()
    seen.page.keyboard.press("/")
    seen.page.keyboard.type("nothing like it")
    assert seen.page.inner_text("#hits") == "No model has this in its name"


def test_escape_closes_what_is_open(visit):
    seen = visit(demo())
    seen.page.mouse.click(*seen.spot("loner"))
    assert seen.page.locator("#panel").is_visible()
    seen.page.keyboard.press("Escape")
    assert seen.page.locator("#panel").is_hidden()


def test_arrow_keys_walk_the_tree(visit):
    seen = visit(demo())
    seen.page.focus("#graph .vis-network")
    walk = []
    for key in ("ArrowDown", "ArrowDown", "ArrowRight", "ArrowDown", "ArrowUp"):
        seen.page.keyboard.press(key)
        walk.append(seen.page.inner_text("#panel h2"))
    assert walk == ["model-a-0", "model-a-1", "model-a-2", "model-a-5", "model-a-2"]


def test_fit_brings_everything_back(visit):
    seen = visit(demo())
    before = near(seen.page.evaluate("lineage.boxes()"))
    scale = seen.page.evaluate("lineage.network.getScale()")
    seen.page.mouse.move(*seen.spot("model-a-0"))
    seen.page.mouse.wheel(0, -600)
    assert seen.page.evaluate("lineage.network.getScale()") > 1.05 * scale
    seen.page.keyboard.press("f")
    assert [box["model"] for box in seen.page.evaluate("lineage.boxes()")] == before


def test_a_window_of_another_size_is_fitted_anew(visit):
    seen, fresh = visit(demo(), 1440, 900), visit(demo(), 500, 900)
    seen.page.set_viewport_size({"width": 500, "height": 900})
    expected = near(fresh.page.evaluate("lineage.boxes()"))
    seen.page.wait_for_function("lineage.network.getScale() < 0.8")
    seen.page.wait_for_timeout(300)
    assert [box["model"] for box in seen.page.evaluate("lineage.boxes()")] == expected


def test_hostile_names_stay_text(visit):
    seen = visit(hostile())
    assert seen.page.title() == "</title><h1>zoo · model lineage"
    for name in map(visible, HOSTILE):
        seen.page.mouse.move(*seen.spot(name))
        seen.page.mouse.click(*seen.spot(name))
        assert seen.page.inner_text("#panel h2") == name
        seen.page.keyboard.press("Escape")
    seen.page.fill("#search", "<img")
    assert "<img src=x onerror=alert(1)>" in seen.page.inner_text("#hits")
    assert seen.page.locator("img, b, iframe, object, body h1 h1").count() == 0
    assert seen.page.locator("script").count() == 3
    assert seen.quiet(), (seen.requests, seen.complaints, seen.dialogs)


def test_the_policy_stops_a_script_that_got_in(visit):
    seen = visit(demo())
    seen.page.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: 'hacked = 1'}))")
    seen.page.evaluate("document.body.append(Object.assign(new Image(), {src: 'https://example.invalid/x.png'}))")
    assert seen.page.evaluate("typeof hacked") == "undefined"
    assert all("Content Security Policy" in complaint for complaint in seen.complaints)
    assert len(seen.complaints) == 2


def test_a_telephone_gets_a_tall_layout_and_the_panel_below(visit):
    seen = visit(demo(), 420, 800)
    assert len({round(box["y"]) for box in seen.page.evaluate("lineage.boxes()")}) > 10
    seen.page.mouse.click(*seen.spot("model-d-5"))
    panel = seen.page.locator("#panel").bounding_box()
    assert panel["width"] == 420
    assert seen.spot("model-d-5")[1] < panel["y"]
    assert seen.page.evaluate("document.documentElement.scrollWidth") == 420


def test_dark_pages_are_dark(visit):
    light, dark = (visit(demo(), scheme=scheme) for scheme in ("light", "dark"))
    ground = "getComputedStyle(document.body).backgroundColor"
    assert light.page.evaluate(ground) == "rgb(255, 255, 255)"
    assert dark.page.evaluate(ground) == "rgb(20, 23, 27)"
    assert dark.pixel("model-a-1") == BLUE


def test_an_empty_zoo_says_so(visit):
    seen = visit(LineageGraph("empty", nx.DiGraph()))
    assert seen.page.inner_text("#empty") == "This zoo holds no models."
    assert seen.page.locator(".stats li").all_inner_texts() == ["0 models", "0 families", "0 edges"]
    assert seen.quiet()


def test_one_model_alone(visit):
    graph = nx.DiGraph()
    graph.add_node("only", **node("only"))
    seen = visit(finish("one", graph))
    seen.page.mouse.click(*seen.spot("only"))
    assert "Without relatives" in seen.page.inner_text("#panel")
    assert seen.quiet()


def test_5000_models_open_and_answer(visit):
    seen = visit(grown(5000, 80))
    names = seen.page.evaluate("lineage.models.map((model) => model.name)")
    seen.page.fill("#search", names[4321])
    seen.page.keyboard.press("Enter")
    assert seen.page.inner_text("#panel h2") == names[4321]
    assert seen.quiet()
