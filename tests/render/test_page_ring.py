"""The ring on the open page."""

import math

import networkx as nx
import pytest

from lineage_graph.render.ring import ring
from render.lineages import demo, grown, hostile, joined

IN_WINDOW = (
    "() => { const { left, top } = document.querySelector('#ring').getBoundingClientRect(); return [left, top]; }"
)


def turn_to_ring(seen):
    seen.page.get_by_role("button", name="Ring", exact=True).click()
    seen.page.wait_for_function("lineage.state.view === 'ring'")
    return seen


def spot(seen, name):
    """Where the block of a model is in the window, in pixels."""
    box = next(box for box in seen.page.evaluate("lineage.boxes()") if box["name"] == name)
    left, top = seen.page.evaluate(IN_WINDOW)
    return box["x"] + left, box["y"] + top


def brightness(seen):
    """How far the colour in the middle of each block is from the ground, by name."""
    script = """() => {
        const canvas = document.querySelector("#ring canvas");
        const ratio = canvas.width / canvas.clientWidth;
        const ctx = canvas.getContext("2d");
        return lineage.boxes().map(({ name, x, y }) => [name, ctx.getImageData(x * ratio, y * ratio, 1, 1).data[3]]);
    }"""
    return dict(seen.page.evaluate(script))


def is_quiet(seen):
    """No request, and no complaint but the one about how these tests read pixels."""
    complaints = [one for one in seen.complaints if "willReadFrequently" not in one]
    return len(seen.requests) == 1 and not complaints and not seen.dialogs


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (420, 800)])
@pytest.mark.parametrize("make", [demo, hostile, lambda: grown(300, 5)], ids=["36", "hostile", "300"])
def test_every_model_has_a_block_in_the_window(visit, make, width, height):
    lineage = make()
    seen = turn_to_ring(visit(lineage, width, height))
    boxes = seen.page.evaluate("lineage.boxes()")
    frame = seen.page.locator("#ring").bounding_box()
    assert len(boxes) == lineage.graph.number_of_nodes()
    assert all(0 < box["x"] < frame["width"] and 0 < box["y"] < frame["height"] for box in boxes)
    centre = frame["width"] / 2, frame["height"] / 2
    away = [math.dist(centre, (box["x"], box["y"])) for box in boxes]
    assert max(away) - min(away) < 1
    assert is_quiet(seen)


def test_blocks_follow_the_order_of_the_geometry(visit):
    lineage = demo()
    seen = turn_to_ring(visit(lineage))
    frame = seen.page.locator("#ring").bounding_box()
    angles = {
        box["name"]: math.atan2(box["x"] - frame["width"] / 2, frame["height"] / 2 - box["y"]) % (2 * math.pi)
        for box in seen.page.evaluate("lineage.boxes()")
    }
    assert sorted(angles, key=angles.get) == [block.models[0] for block in ring(lineage.graph).blocks]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_hovering_lights_ancestors_and_descendants_and_dims_the_rest(visit, scheme):
    lineage = demo()
    seen = turn_to_ring(visit(lineage, scheme=scheme))
    assert min(brightness(seen).values()) == 255
    seen.page.mouse.move(*spot(seen, "model-a-2"))
    seen.page.wait_for_function("lineage.state.hovered !== null")
    lit = nx.ancestors(lineage.graph, "model-a-2") | nx.descendants(lineage.graph, "model-a-2") | {"model-a-2"}
    assert {name for name, alpha in brightness(seen).items() if alpha == 255} == lit
    left, top = seen.page.evaluate(IN_WINDOW)
    seen.page.mouse.move(left + 5, top + 5)
    seen.page.wait_for_function("lineage.state.hovered === null")
    assert min(brightness(seen).values()) == 255


def test_a_click_chooses_a_model_and_one_beside_the_ring_lets_go(visit):
    seen = turn_to_ring(visit(demo()))
    seen.page.mouse.click(*spot(seen, "model-b-2"))
    assert seen.page.locator("#panel h2").inner_text() == "model-b-2"
    left, top = seen.page.evaluate(IN_WINDOW)
    seen.page.mouse.click(left + 5, top + 5)
    assert seen.page.evaluate("lineage.state.chosen") is None


def test_a_curve_from_a_parent_is_the_edge(visit):
    seen = turn_to_ring(visit(demo()))
    x, y = spot(seen, "model-f-1")
    frame = seen.page.locator("#ring").bounding_box()
    centre = frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2
    for step in range(1, 60):  # from the block inwards, until the pointer meets the curve
        share = step / 60
        seen.page.mouse.move(x + (centre[0] - x) * share, y + (centre[1] - y) * share)
        if seen.page.evaluate("lineage.state.hovered?.kind") == "edge":
            break
    edge = seen.page.evaluate("lineage.edges[lineage.state.hovered.id]")
    names = seen.page.evaluate("lineage.models.map((model) => model.name)")
    assert (names[edge["from"]], names[edge["to"]]) == ("model-f-0", "model-f-1")


def test_keys_walk_round_the_circle_and_up_and_down(visit):
    lineage = demo()
    seen = turn_to_ring(visit(lineage))
    order = [block.models[0] for block in ring(lineage.graph).blocks]
    seen.page.locator("#ring").focus()

    def press(key):
        seen.page.keyboard.press(key)
        return seen.page.locator("#panel h2").inner_text()

    assert press("ArrowRight") == order[0]
    assert press("ArrowRight") == order[1]
    assert press("ArrowLeft") == order[0]
    assert press("ArrowLeft") == order[-1]
    assert press("ArrowRight") == "model-a-0"
    assert press("ArrowUp") == "model-a-0"
    child = press("ArrowDown")
    assert lineage.graph.has_edge("model-a-0", child)


def test_the_wheel_comes_closer_to_what_is_under_the_pointer_and_dragging_moves(visit):
    seen = turn_to_ring(visit(grown(300, 5)))
    name = seen.page.evaluate("lineage.models[7].name")
    before = spot(seen, name)
    seen.page.mouse.move(*before)
    seen.page.mouse.wheel(0, -600)
    seen.page.wait_for_function("lineage.boxes()[0].model[2] - lineage.boxes()[0].model[0] > 8")
    assert spot(seen, name) == pytest.approx(before, abs=3)
    seen.page.mouse.down()
    seen.page.mouse.move(before[0] - 60, before[1] + 40, steps=4)
    seen.page.mouse.up()
    assert spot(seen, name) == pytest.approx((before[0] - 60, before[1] + 40), abs=3)
    assert seen.page.evaluate("lineage.state.chosen") is None
    seen.page.click("#fit")
    assert spot(seen, name) == pytest.approx(before, abs=3)


def test_a_chosen_model_comes_out_from_under_the_panel(visit):
    seen = turn_to_ring(visit(demo(), 900, 600))
    seen.page.mouse.click(*spot(seen, "model-a-6"))
    panel = seen.page.locator("#panel").bounding_box()
    assert spot(seen, "model-a-6")[0] < panel["x"]


def test_the_legend_names_generations_roots_and_gaps(visit):
    seen = turn_to_ring(visit(joined()))
    legend = seen.page.locator("#legend")
    titles = legend.locator("h2").all_inner_texts()
    assert [title.lower() for title in titles] == ["generation", "root", "generation gap", "models"]
    words = legend.locator("li").all_inner_texts()
    assert words[:4] == ["1", "2", "3", "4"]
    assert {"1 parent", "2 grandparent", "3 great-grandparent", "through an unseen model", "1 unseen-1"} <= set(words)


def test_edges_that_are_filtered_away_take_the_pairs_over_them_along(visit):
    seen = turn_to_ring(visit(demo()))
    count = "() => { let n = 0; const sum = { beginPath() {}, moveTo() { n += 1; } };"
    count += "const any = () => {}; const ctx = new Proxy(sum, { get: (t, k) => t[k] ?? (k === 'measureText' ?"
    count += "() => ({ width: 1 }) : any), set: () => true }); lineage.views.ring.paint(ctx); return n; }"
    assert seen.page.evaluate(count) == len(ring(demo().graph).curves)
    seen.page.fill("#least", "90")
    kept = nx.subgraph_view(demo().graph, filter_edge=lambda u, v: demo().graph.edges[u, v]["confidence"] >= 0.9)
    assert seen.page.evaluate(count) == len(ring(kept.copy()).curves)


def test_a_large_zoo_is_drawn_as_its_families(visit, monkeypatch):
    monkeypatch.setattr("lineage_graph.render.page.ring.ring", lambda graph: ring(graph, drawn=50))
    monkeypatch.setattr("lineage_graph.render.folding.FOLDED", 50)
    seen = turn_to_ring(visit(grown(120, 5)))
    assert len(seen.page.evaluate("lineage.boxes()")) == 5
    root = seen.page.evaluate("lineage.boxes()[1].name")
    seen.page.mouse.click(*spot(seen, root))
    assert seen.page.locator("#panel h2").inner_text() == "Family 2"
    assert is_quiet(seen)
