import json
import math
from xml.etree import ElementTree

import networkx as nx
import pytest

from lineage_graph.render import graphml
from render.lineages import HOSTILE, demo, edge, finish, hostile, node, spliced


def read(lineage):
    """The graph as networkx reads it back from the bytes of a file."""
    return nx.parse_graphml(graphml.render(lineage).encode("utf-8").decode("utf-8"))


def test_networkx_reads_back_what_was_written():
    back, original = read(demo()), demo().graph
    assert set(back) == set(original)
    assert set(back.edges) == set(original.edges)
    for name, facts in original.nodes(data=True):
        lists = {key: json.dumps(facts[key]) for key in ("declared_parents", "origins")}
        assert back.nodes[name] == {**facts, **lists}
    for ends in original.edges:
        expected = original.edges[ends]
        found = back.edges[ends]
        assert json.loads(found["evidence"]) == expected["evidence"]
        assert json.loads(found["layers"]) == expected["layers"]
        assert json.loads(found["by_block"]) == expected["by_block"]
        apart = {"evidence": 0, "layers": 0, "by_block": 0, "id": 0}
        assert {**found, **apart} == {**expected, **apart, "weight": expected["confidence"]}


def test_origins_and_layers_are_json_in_strings():
    back = read(spliced())
    assert json.loads(back.nodes["hybrid"]["origins"])[3] == {
        "block": "blocks.2",
        "model": "vit-2",
        "there": "blocks.9",
        "probability": 0.979,
        "cosine": 0.93,
    }
    assert json.loads(back.edges["vit-1", "hybrid"]["layers"]) == ["blocks.1", "blocks.4", "blocks.7", "blocks.10"]


def test_every_attribute_has_one_type_that_gephi_and_yed_know():
    keys = ElementTree.fromstring(graphml.render(demo())).findall("{*}key")
    assert {key.get("attr.type") for key in keys} == {"string", "long", "double"}
    assert len({key.get("id") for key in keys}) == len(keys)


def test_a_whole_confidence_stays_a_real_number():
    graph = nx.DiGraph()
    for name in "abc":
        graph.add_node(name, **node(name))
    graph.add_edge("a", "b", **edge(confidence=1))
    graph.add_edge("a", "c", **edge(confidence=0.75))
    keys = ElementTree.fromstring(graphml.render(finish("mixed", graph))).findall("{*}key")
    assert [key.get("attr.type") for key in keys if key.get("attr.name") == "confidence"] == ["double"]


def test_a_number_that_is_not_finite_is_left_out():
    graph = nx.DiGraph()
    graph.add_node("a", **node("a"))
    graph.add_node("b", **node("b"))
    graph.add_edge("a", "b", **edge(distance=math.inf))
    assert "distance" not in read(finish("far", graph)).edges["a", "b"]


def test_characters_that_xml_forbids_are_replaced():
    names = set(read(hostile()))
    assert len(names) == len(HOSTILE)
    assert HOSTILE[0] in names
    assert "line\nbreak\ufffd\n\ttab\ufffdnul\ufffd[31m" in names


@pytest.mark.parametrize("pair", [("a\x00", "a\x01"), ("a\x00", "a\ufffd")])
def test_names_that_become_equal_stay_apart(pair):
    graph = nx.DiGraph()
    for name in pair:
        graph.add_node(name, **node(name))
    assert set(read(finish("twins", graph))) == {"a\ufffd", "a\ufffd~2"}
