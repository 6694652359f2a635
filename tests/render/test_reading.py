import pytest

from lineage_graph.render import reading
from render.lineages import demo, edge, joined


def test_a_direction_is_open_only_where_nothing_decides_it():
    assert reading.direction(edge(direction=0.97)) == "97.0 %"
    assert reading.direction(edge(direction=0.55)) == "open (55.0 %)"
    assert not reading.is_open(edge(direction=reading.OPEN))
    assert reading.why_open(edge(direction=0.97)) == ""


@pytest.mark.parametrize(
    ("kind", "evidence", "reason"),
    [
        ("finetune", {"unseen": 0.9}, "not in the zoo"),
        ("duplicate", {"direction.x": 0.3}, "the weights are equal"),
        ("merge", {"direction.x": 0.3}, "its parts alone say"),
        ("finetune", {"distance": 0.1, "direction.x": 0.01}, "no cue speaks for either side"),
        ("finetune", {"direction.b": -0.7, "direction.a": 2.0}, "of this edge: a +2.0, b -0.7"),
    ],
)
def test_an_open_direction_says_why(kind, evidence, reason):
    assert reason in reading.why_open({**edge(kind, direction=0.52), "evidence": evidence})


def test_a_share_is_a_coefficient_with_its_spread():
    graph = joined().graph
    assert reading.share(graph.edges["b", "soup"]) == "-0.500 ± 0.020"
    assert reading.share(graph.edges["a", "c"]) == ""


def test_blocks_that_follow_one_another_in_the_network_are_one_run():
    graph = joined().graph
    assert reading.blocks(graph, "a", "mosaic") == [("blocks.0", "blocks.2"), ("blocks.4", "blocks.11")]
    assert reading.blocks(graph, "b", "mosaic") == [("blocks.3", "blocks.3")]
    assert reading.spans(["y", "b", "x", "a"], ["a", "b"]) == [("a", "b"), ("y", "y"), ("x", "x")]


def test_unseen_ancestors_are_no_models():
    graph = joined().graph
    assert reading.unseen(graph) == ["unseen-1"]
    assert reading.census(graph, list(graph)) == "6 models, 1 unseen"
    assert reading.census(graph, ["a"]) == "1 model"


def test_what_is_joined_has_its_largest_part_first():
    assert reading.joined(joined().graph, "merge") == {"soup": ["c", "a", "b"]}
    assert reading.joined(joined().graph, "splice") == {"mosaic": ["a", "b"]}
    assert reading.joined(demo().graph, "splice") == {}
