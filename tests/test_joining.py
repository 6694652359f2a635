"""Parts become one graph, the same whichever was drawn first, and no name of an unseen node is anybody else's."""

import itertools

import networkx as nx

from fingerprints import model
from lineage_graph.joining import joined
from lineage_graph.lineage import Drawn, canonical
from lineage_graph.types import Failure, Rejected
from lineages_on_disk import root


def edge(parent, child):
    return parent, child, {"kind": "finetune"}


def siblings(*children, miss=0.0):
    """Children of something unseen; ``miss``: confidence of a near miss between the first two."""
    rejected = (Rejected(children[0], children[1], miss, 1.0, "far"),) if miss else ()
    return Drawn(tuple(edge("unseen-1", child) for child in children), ("unseen-1",), rejected)


def zoo(*names):
    """In the order that decides ties."""
    return sorted((model(name, root(number)) for number, name in enumerate(names)), key=canonical)


def test_the_order_of_parts_changes_nothing():
    models = zoo(*"abcdefg")
    a, b, c, d, e, f, _ = (one.id for one in models)
    parts = [siblings(a, b, miss=0.2), siblings(c, d, miss=0.4), Drawn((edge(f, e),))]
    found = [joined("zoo", models, order, ()) for order in itertools.permutations(parts)]
    graph = found[0].graph
    assert list(graph) == [*(one.id for one in models), "unseen-1", "unseen-2"]
    assert set(graph.edges) == {("unseen-1", a), ("unseen-1", b), ("unseen-2", c), ("unseen-2", d), (f, e)}
    assert [one.confidence for one in found[0].rejected] == [0.4, 0.2]
    for other in found[1:]:
        assert list(other.graph.nodes(data=True)) == list(graph.nodes(data=True))
        assert list(other.graph.edges(data=True)) == list(graph.edges(data=True))
        assert other.rejected == found[0].rejected


def test_unseen_nodes_take_no_name_that_is_taken():
    models = zoo("a", "b", "unseen-1", "d")
    names = [one.id for one in models]
    parts = [siblings("a", "b"), Drawn((edge("unseen-1", "d"),))]
    graph = joined("zoo", models, parts, [Failure("unseen-2", "EmptyFileError", "empty", "fetch")]).graph
    assert list(graph) == [*names, "unseen-3", "unseen-2"]
    assert set(graph.edges) == {("unseen-3", "a"), ("unseen-3", "b"), ("unseen-1", "d")}
    assert {node: data["role"] for node, data in graph.nodes(data=True)} == {
        "a": "child",
        "b": "child",
        "d": "child",
        "unseen-1": "root",
        "unseen-2": "isolated",
        "unseen-3": "unseen",
    }
    assert nx.is_directed_acyclic_graph(graph)


def test_origins_are_the_models_own():
    models = zoo("a", "b")
    found = joined("zoo", models, [Drawn((), origins={"a": [{"block": "x"}]}), Drawn(())], ()).graph
    assert found.nodes["a"]["origins"] == [{"block": "x"}]
    assert found.nodes["b"]["origins"] == []
