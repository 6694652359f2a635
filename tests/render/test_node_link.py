import json
import math

import networkx as nx
import pytest

from lineage_graph.errors import LineageGraphError
from lineage_graph.render import node_link
from render.lineages import demo, edge, finish, hostile, node, spliced


def same(first, second):
    """Equal in every attribute of every part."""
    assert first.name == second.name
    assert dict(first.graph.nodes(data=True)) == dict(second.graph.nodes(data=True))
    assert {(u, v): d for u, v, d in first.graph.edges(data=True)} == {
        (u, v): d for u, v, d in second.graph.edges(data=True)
    }
    assert (first.rejected, first.failures) == (second.rejected, second.failures)
    assert first.audit == second.audit
    return True


@pytest.mark.parametrize("make", [demo, hostile, spliced])
def test_round_trip_is_exact(make):
    assert same(node_link.from_json(node_link.to_json(make())), make())


def test_graphs_of_earlier_versions_have_no_origins_and_no_layers():
    document = json.loads(node_link.to_json(spliced()))
    for item in document["nodes"] + document["edges"]:
        item.pop("origins", None)
        item.pop("layers", None)
    back = node_link.from_json(json.dumps(document)).graph
    assert all(facts["origins"] == [] for _, facts in back.nodes(data=True))
    assert all(facts["layers"] == [] for *_, facts in back.edges(data=True))


def test_numbers_that_json_lacks_survive():
    graph = nx.DiGraph()
    graph.add_node("a", **node("a"))
    graph.add_node("b", **node("b"))
    graph.add_edge("a", "b", **edge(distance=math.inf))
    graph.edges["a", "b"]["evidence"] = {"x": -math.inf, "y": math.nan}
    back = node_link.from_json(node_link.to_json(finish("odd", graph))).graph.edges["a", "b"]
    assert back["distance"] == math.inf
    assert back["evidence"]["x"] == -math.inf
    assert math.isnan(back["evidence"]["y"])


def test_networkx_reads_it():
    document = json.loads(node_link.to_json(demo()))
    graph = nx.node_link_graph(document, edges="edges")
    assert nx.is_isomorphic(graph, demo().graph)
    assert graph.is_directed()


def test_order_of_insertion_does_not_matter():
    lineage = demo()
    shuffled = nx.DiGraph()
    shuffled.add_nodes_from(reversed(list(lineage.graph.nodes(data=True))))
    shuffled.add_edges_from(reversed(list(lineage.graph.edges(data=True))))
    other = type(lineage)(lineage.name, shuffled, lineage.rejected, lineage.failures)
    assert node_link.to_json(other) == node_link.to_json(lineage)


def damaged(change):
    """The demo's document with one thing wrong."""
    document = json.loads(node_link.to_json(demo()))
    change(document)
    return json.dumps(document)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not JSON"),
        ("[1]", "the top is not an object"),
        ("[" * 100_000, "not a lineage graph"),
        (damaged(lambda d: d.pop("name")), "name: expected str"),
        (damaged(lambda d: d.pop("rejected")), "rejected: expected list"),
        (damaged(lambda d: d["nodes"][3].pop("family")), r"nodes\[3\].family: expected int, found NoneType"),
        (damaged(lambda d: d["nodes"][3].update(generation=True)), r"nodes\[3\].generation: expected int, found bool"),
        (damaged(lambda d: d["nodes"].append(d["nodes"][0])), "'model-a-0' occurs twice"),
        (damaged(lambda d: d["edges"][0].update(target="nobody")), "'nobody' is not among the nodes"),
        (damaged(lambda d: d["edges"][0].update(confidence="high")), "not a lineage graph"),
        (damaged(lambda d: d["nodes"][2].update(origins=[3])), r"nodes\[2\].origins\[0\]: expected dict, found int"),
        (
            damaged(lambda d: d["nodes"][2].update(origins=[{"block": "x", "model": 3}])),
            r"nodes\[2\].origins\[0\].model: expected str, found int",
        ),
        (
            damaged(lambda d: d["nodes"][2].update(origins=[{"runners": [["m", "x"]]}])),
            r"nodes\[2\].origins\[0\].runners: expected a model, its block and a probability",
        ),
        (damaged(lambda d: d["edges"][0].update(layers=[1])), r"edges\[0\].layers: expected str, found int"),
        (damaged(lambda d: d["edges"][0]["evidence"].update(cosine=None)), r"edges\[0\].evidence.cosine: expected"),
        (
            damaged(lambda d: d["edges"].append({**d["edges"][0], "source": "model-a-6", "target": "model-a-0"})),
            "cycle",
        ),
    ],
)
def test_a_damaged_file_is_one_clear_error(text, says):
    with pytest.raises(LineageGraphError, match=says) as caught:
        node_link.from_json(text)
    assert "\n" not in str(caught.value)
