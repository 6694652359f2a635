"""Where things are on the open page."""

from itertools import combinations

import networkx as nx
import pytest

from render.lineages import crowded, demo, grown, hostile


def overlaps(first, second):
    """Do two boxes (left, top, right, bottom) share more than an edge?"""
    return first[0] < second[2] and second[0] < first[2] and first[1] < second[3] and second[1] < first[3]


def holds(box, x, y):
    """Is the point inside of the box?"""
    return box[0] < x < box[2] and box[1] < y < box[3]


def collisions(boxes):
    """Pairs of models of which a mark or a label covers one of the other's."""
    parts = [(box["name"], kind, box[kind]) for box in boxes for kind in ("model", "label") if box[kind]]
    return [(a[:2], b[:2]) for a, b in combinations(parts, 2) if a[0] != b[0] and overlaps(a[2], b[2])]


def run_over(seen):
    """Edges (parent, child, what, of which model) that pass through a model, or a label other than their parent's."""
    boxes = seen.page.evaluate("lineage.boxes()")
    ways = seen.page.evaluate("lineage.edges.map(({id, from, to}) => [from, to, lineage.points(id)])")
    found = []
    for parent, child, points in ways:
        for model, box in enumerate(boxes):
            for kind, own in (("model", {parent, child}), ("label", {parent})):
                if box[kind] and model not in own and any(holds(box[kind], p["x"], p["y"]) for p in points):
                    found.append((boxes[parent]["name"], boxes[child]["name"], kind, box["name"]))
    return found


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (420, 800)])
@pytest.mark.parametrize("make", [demo, hostile, lambda: grown(300, 5)], ids=["36", "hostile", "300"])
def test_nothing_overlaps_and_all_of_it_is_in_the_window(visit, make, width, height):
    seen = visit(make(), width, height)
    seen.page.click("#fit")
    boxes = seen.page.evaluate("lineage.boxes()")
    frame = seen.page.locator("#graph").bounding_box()
    assert len(boxes) == make().graph.number_of_nodes()
    assert collisions(boxes) == []
    assert all(0 < b["x"] < frame["width"] and b["y"] > 0 and b["model"][3] < frame["height"] for b in boxes)
    assert all(b["label"][3] < frame["height"] for b in boxes if b["label"])


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (420, 800)])
@pytest.mark.parametrize("make", [crowded, demo, hostile], ids=["crowded", "36", "hostile"])
def test_no_edge_runs_through_a_model_or_a_label(visit, make, width, height):
    seen = visit(make(), width, height)
    assert collisions(seen.page.evaluate("lineage.boxes()")) == []
    assert run_over(seen) == []


def test_on_a_telephone_names_are_shown_in_a_size_that_can_be_read(visit):
    boxes = visit(demo(), 420, 800).page.evaluate("lineage.boxes()")
    assert {box["name"] for box in boxes if box["label"]} >= {f"model-{letter}-0" for letter in "abcde"}
    assert min(box["label"][3] - box["label"][1] for box in boxes if box["label"]) >= 6.5


def test_where_not_all_names_have_room_roots_come_first(visit):
    lineage = grown(90, 5)
    boxes = visit(lineage, 420, 800).page.evaluate("lineage.boxes()")
    roles = nx.get_node_attributes(lineage.graph, "role")
    shown = {box["name"] for box in boxes if box["label"]}
    assert shown >= {name for name, role in roles.items() if role == "root"}
    assert len(shown) < len(boxes)
    assert collisions(boxes) == []


def test_a_telephone_opens_a_large_zoo_at_the_first_family(visit):
    seen = visit(grown(300, 5), 420, 800)
    boxes = seen.page.evaluate("lineage.boxes()")
    assert all(box["label"] for box in boxes)
    assert 0 < boxes[0]["x"] < 420
    assert 0 < boxes[0]["y"] < 100
    seen.page.click("#fit")
    assert all(0 < box["x"] < 420 for box in seen.page.evaluate("lineage.boxes()"))


def test_generations_stand_below_each_other(visit):
    lineage = demo()
    height = {box["name"]: box["y"] for box in visit(lineage).page.evaluate("lineage.boxes()")}
    assert all(height[child] > height[parent] for parent, child in lineage.graph.edges)
    for level in range(1, 5):
        rows = {height[n] for n, a in lineage.graph.nodes(data=True) if (a["family"], a["generation"]) == (1, level)}
        assert len(rows) == 1
