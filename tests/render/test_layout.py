from itertools import combinations, pairwise

import networkx as nx
import pytest

from lineage_graph.render.layout import arrange
from render.lineages import crowded, demo, edge, finish, grown, node

SLOT = 80.0


def placed(lineage, aspect=1.75):
    """The layout, with the same slot for every model."""
    return arrange(lineage.graph, dict.fromkeys(lineage.graph, SLOT), aspect)


def family(*edges):
    """A lineage from pairs of names."""
    graph = nx.DiGraph()
    for parent, child in edges:
        for name in (parent, child):
            graph.add_node(name, **node(name))
        graph.add_edge(parent, child, **edge())
    return finish("family", graph)


def crossings(lineage):
    """Pairs of edges, without a common end, that cross when drawn straight."""
    at = placed(lineage).positions
    total = 0
    for (a, b), (c, d) in combinations(lineage.graph.edges, 2):
        if len({a, b, c, d}) == 4 and at[a][1] == at[c][1] and at[b][1] == at[d][1]:
            total += (at[a][0] - at[c][0]) * (at[b][0] - at[d][0]) < 0
    return total


@pytest.mark.parametrize("aspect", [1.75, 0.6])
@pytest.mark.parametrize("make", [demo, lambda: grown(300, 5), lambda: grown(400, 1, 40)])
def test_no_two_models_share_a_slot(make, aspect):
    rows = {}
    for x, y in placed(make(), aspect).positions.values():
        rows.setdefault(y, []).append(x)
    gaps = [right - left for row in rows.values() for left, right in pairwise(sorted(row))]
    assert min(gaps) >= SLOT - 1e-6
    heights = sorted(rows)
    assert min(low - high for high, low in pairwise(heights)) >= 49


def test_a_parent_stands_over_the_middle_of_its_children():
    at = placed(family(("r", "a"), ("r", "b"), ("r", "c"), ("c", "d"))).positions
    assert at["r"][0] == pytest.approx((at["a"][0] + at["c"][0]) / 2)
    assert at["c"][0] == at["d"][0]


def test_trees_have_no_crossings():
    assert crossings(grown(60, 3, seed=5)) == 0


def test_siblings_are_ordered_so_that_a_merge_crosses_nothing():
    lineage = family(("r", "a"), ("r", "b"), ("r", "c"), ("a", "m"), ("c", "m"), ("b", "x"))
    assert crossings(lineage) == 0


def test_a_merge_of_two_roots_stands_under_their_mean():
    at = placed(family(("p", "m"), ("q", "m"))).positions
    assert at["m"][0] == pytest.approx((at["p"][0] + at["q"][0]) / 2)


def test_a_merge_stands_between_its_parents_other_children():
    at = placed(family(("p", "m"), ("q", "m"), ("p", "z"), ("q", "b"))).positions
    assert at["z"][0] < at["m"][0] < at["b"][0] or at["z"][0] > at["m"][0] > at["b"][0]


def test_many_childless_siblings_fold_into_rows():
    layout = placed(family(*(("r", f"c{index:03}") for index in range(200))))
    assert layout.width < 40 * SLOT
    assert len({y for _, y in layout.positions.values()}) > 5


def test_edges_pass_rows_of_models_between_the_slots():
    layout = placed(crowded())
    passed = 0
    for (parent, child), route in layout.routes.items():
        for lane in route.lanes:
            for name, (x, y) in layout.positions.items():
                if name not in {parent, child} and lane.top < y < lane.bottom:
                    assert abs(x - lane.x) >= SLOT / 2 - 1e-6
                    passed += 1
    assert passed > 50
    assert len(layout.routes["root", "soup"].lanes) >= 1


def test_edges_to_folded_siblings_share_a_trunk_and_a_branch_for_each_row():
    layout = placed(family(*(("r", f"c{index:02}") for index in range(17))))
    assert {route.lanes[-1].x for route in layout.routes.values()} == {layout.positions["r"][0]}
    branches = {(layout.positions[child][1], route.branch) for (_, child), route in layout.routes.items()}
    assert len(branches) == len({y for y, _ in branches}) == 3
    assert len(layout.routes) == 17


def test_an_edge_to_the_next_row_goes_straight():
    assert placed(family(("r", "a"), ("r", "b"), ("a", "c"))).routes == {}


def test_a_long_chain_is_laid_out_without_recursion():
    names = [f"step{index:04}" for index in range(3000)]
    layout = placed(family(*pairwise(names)))
    assert len(layout.bands) == 3000


def test_bands_name_the_generations_and_hold_their_models():
    lineage = demo()
    layout = placed(lineage)
    for name, (_, y) in layout.positions.items():
        (band,) = [band for band in layout.bands if band.y < y < band.y + band.height]
        alone = lineage.graph.degree(name) == 0
        assert band.generation == (0 if alone else lineage.graph.nodes[name]["generation"])


def test_families_come_first_then_loners_then_failures():
    titles = [heading.title for heading in placed(demo()).headings]
    assert titles == [*(f"Family {number}" for number in range(1, 7)), "Without relatives", "Could not be read"]


def test_a_tall_page_gets_a_taller_layout():
    wide, tall = placed(demo(), 1.75), placed(demo(), 0.6)
    assert wide.width / wide.height > 1.2
    assert tall.width / tall.height < 0.8


def test_an_empty_graph():
    layout = placed(finish("none", nx.DiGraph()))
    assert (layout.width, layout.height, layout.positions) == (0.0, 0.0, {})


def test_the_edges_of_many_parents_get_room_to_come_in():
    few = placed(family(*((f"p{number}", "child") for number in range(2))), aspect=999)
    many = placed(family(*((f"p{number}", "child") for number in range(9))), aspect=999)
    assert many.bands[1].height > few.bands[1].height + 40
    crowd = placed(family(*((f"p{number}", "child") for number in range(200))), aspect=999)
    assert crowd.bands[1].height < 200


def test_edges_of_different_parents_do_not_share_a_lane():
    pairs = [("r", name) for name in "abc"] + [("b", "b1"), ("b1", "b2"), ("b2", "b3")]
    layout = placed(family(*pairs, *((parent, "far") for parent in ("a", "b", "b3"))))
    lanes = {edge[0]: route.lanes[-1] for edge, route in layout.routes.items() if edge[1] == "far"}
    assert set(lanes) == {"a", "b"}
    assert abs(lanes["a"].x - lanes["b"].x) >= 5
    assert min(lanes["a"].bottom, lanes["b"].bottom) > max(lanes["a"].top, lanes["b"].top)
