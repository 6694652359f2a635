"""The figures, against cases counted by hand."""

from __future__ import annotations

import json
from pathlib import Path

import networkx as nx
import pytest

from lineage_graph.errors import TruthError
from lineage_graph.evaluate import Evaluation, KindScore, Rates, Truth, evaluate, load_truth
from lineage_graph.types import LineageGraph

WILD = Path(__file__).parents[2] / "shared" / "wild"


def drawn(*edges: str, alone: str = "", unseen: str = "", kind: str = "finetune") -> LineageGraph:
    """A graph from edges such as ``ab`` (a → b); ``alone`` and ``unseen`` are nodes."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(alone, role="isolated")
    graph.add_edges_from(((a, b) for a, b in edges), kind=kind)
    graph.add_nodes_from(unseen, role="unseen")
    return LineageGraph("zoo", graph)


def truth(*edges: str, strangers: str = "", related: str = "", kind: str = "finetune") -> Truth:
    return Truth(
        {(edge[0], edge[1]): kind for edge in edges},
        frozenset(frozenset(pair) for pair in strangers.split()),
        frozenset(frozenset(pair) for pair in related.split()),
    )


def test_a_case_counted_by_hand() -> None:
    # Truth: a → b → c, a → d, e alone. Drawn: a → b right, c → b reversed, a → d missing, e → d invented.
    result = evaluate(drawn("ab", "cb", "ed"), truth("ab", "bc", "ad", strangers="ae"))
    assert result == Evaluation(
        directed=Rates(right=1, wrong=2, missed=2),
        undirected=Rates(right=2, wrong=1, missed=1),
        # True descents: ab, bc, ac, ad. Drawn: ab, cb, ed.
        reachability=Rates(right=1, wrong=2, missed=3),
        distinct=Rates(right=1, wrong=2, missed=2),
        open_edges=0,
        false_links=0,
        false_descents=0,
        stranger_pairs=1,
        kinds=(KindScore("finetune", edges=3, linked=2, directed=1, named=2, alike=2),),
    )
    assert result.directed.precision == pytest.approx(1 / 3)
    assert result.directed.recall == pytest.approx(1 / 3)
    assert result.directed.f1 == pytest.approx(1 / 3)
    assert result.undirected.precision == pytest.approx(2 / 3)
    assert result.reachability.recall == pytest.approx(1 / 4)
    assert result.reachability.f1 == pytest.approx(2 / 7)
    assert result.direction_accuracy == pytest.approx(1 / 2)
    assert result.kind_accuracy == 1


def test_the_whole_truth() -> None:
    result = evaluate(drawn("ab", "bc", alone="d"), truth("ab", "bc", strangers="ad bd"))
    assert (result.directed.f1, result.undirected.f1, result.reachability.f1) == (1, 1, 1)
    assert (result.false_links, result.false_descents, result.stranger_pairs) == (0, 0, 2)


def test_what_has_no_cases_is_none() -> None:
    nothing = evaluate(drawn(alone="ab"), truth(strangers="ab"))
    assert (nothing.directed.precision, nothing.directed.recall, nothing.directed.f1) == (None, None, None)
    assert nothing.direction_accuracy is None
    assert nothing.kind_accuracy is None
    assert nothing.kinds == ()

    missed = evaluate(drawn(alone="ab"), truth("ab"))
    assert (missed.directed.precision, missed.directed.recall, missed.directed.f1) == (None, 0, 0)
    assert missed.direction_accuracy is None
    assert missed.kinds[0].kind_accuracy is None

    invented = evaluate(drawn("ab"), truth())
    assert (invented.directed.precision, invented.directed.recall, invented.directed.f1) == (0, None, 0)


def test_an_edge_between_related_models_is_neither_right_nor_wrong() -> None:
    for edge in ("bc", "cb"):
        result = evaluate(drawn("ab", edge), truth("ab", related="bc"))
        assert result.directed == Rates(right=1, wrong=0, missed=0)
        assert result.undirected == Rates(right=1, wrong=0, missed=0)
        assert result.reachability == Rates(right=1, wrong=0, missed=0)
        assert result.open_edges == 1


def test_what_follows_from_a_related_pair_is_open_too() -> None:
    # Known: a → b, c → d; b and c are related. If b → c, then a → c, b → d and a → d.
    known = truth("ab", "cd", related="bc")
    assert evaluate(drawn("ab", "bc", "cd"), known).reachability == Rates(right=2, wrong=0, missed=0)
    # Nothing opens the way from b to a, nor from a to e.
    assert evaluate(drawn("ba", "cd"), known).reachability == Rates(right=1, wrong=1, missed=1)
    assert evaluate(drawn("ab", "cd", "ae"), known).reachability == Rates(right=2, wrong=1, missed=0)


def test_what_is_known_backwards_opens_nothing() -> None:
    # c copies b, a child of a: c and a are related, but a comes first, so b → a stays wrong, and so does b → d.
    known = truth("ab", "bc", "ad", related="ac")
    result = evaluate(drawn("ba", "ad", "bc"), known)
    assert result.reachability == Rates(right=2, wrong=2, missed=1)


def test_false_links_and_false_descents_among_strangers() -> None:
    # a and c are strangers. A merge b of both is none of their business; a path from one to the other is.
    assert evaluate(drawn("ab", "cb"), truth("ab", "cb", strangers="ac")).false_descents == 0
    path = evaluate(drawn("ab", "bc"), truth("ab", strangers="ac"))
    assert (path.false_links, path.false_descents) == (0, 1)
    edge = evaluate(drawn("ca", alone="d"), truth(strangers="ac ad"))
    assert (edge.false_links, edge.false_descents, edge.stranger_pairs) == (1, 1, 2)


def test_inferred_ancestors_are_on_nobodys_account() -> None:
    # u is not in the zoo: its edges are left out, a path through it is not.
    result = evaluate(drawn("au", "ub", "uc", unseen="u"), truth("ab", "ac"))
    assert result.directed == Rates(right=0, wrong=0, missed=2)
    assert result.open_edges == 3
    assert result.reachability == Rates(right=2, wrong=0, missed=0)


def test_copies_count_as_one_model() -> None:
    # b is a copy of a; c was trained from a, and d from c. Drawn: the copy for the original, and c → d.
    graph = drawn("bc", "cd").graph
    graph.add_edge("b", "a", kind="duplicate")
    known = Truth({("a", "b"): "duplicate", ("a", "c"): "finetune", ("c", "d"): "finetune"})
    result = evaluate(LineageGraph("zoo", graph), known)
    assert result.directed == Rates(right=1, wrong=2, missed=2)
    assert result.distinct == Rates(right=2, wrong=0, missed=0)
    assert result.kinds == (
        KindScore("finetune", edges=2, linked=1, directed=1, named=1, alike=2),
        KindScore("duplicate", edges=1, linked=1, directed=0, named=1, alike=1),
    )


def test_files_of_equal_bytes_count_as_one_model() -> None:
    # b and c are a, rounded twice in the same way. Drawn: a → b → c.
    graph = drawn("ab", "bc").graph
    known = truth("ab", "ac", kind="quantize")
    assert evaluate(LineageGraph("zoo", graph), known).distinct == Rates(right=1, wrong=1, missed=1)
    for node, digest in (("a", "1"), ("b", "2"), ("c", "2")):
        graph.nodes[node]["sha256"] = digest
    assert evaluate(LineageGraph("zoo", graph), known).distinct == Rates(right=1, wrong=0, missed=0)


def test_each_kind_has_its_figures() -> None:
    graph = drawn("ab", "bc", kind="snapshot").graph
    graph.add_edge("e", "d", kind="merge")
    known = Truth({("a", "b"): "snapshot", ("b", "c"): "finetune", ("d", "e"): "merge", ("a", "d"): "merge"})
    result = evaluate(LineageGraph("zoo", graph), known)
    assert result.kinds == (
        KindScore("finetune", edges=1, linked=1, directed=1, named=0, alike=1),
        KindScore("snapshot", edges=1, linked=1, directed=1, named=1, alike=1),
        KindScore("merge", edges=2, linked=1, directed=0, named=1, alike=1),
    )
    assert result.kind_accuracy == pytest.approx(2 / 3)
    assert [kind.recall for kind in result.kinds] == [1, 1, 0]


def test_the_json_form_holds_counts_and_ratios() -> None:
    record = json.loads(json.dumps(evaluate(drawn(alone="ab"), truth("ab")).as_json()))
    assert record["directed"] == {"right": 0, "wrong": 0, "missed": 1, "precision": None, "recall": 0.0, "f1": 0.0}
    assert record["direction_accuracy"] is None
    assert record["kinds"][0] == {
        "kind": "finetune",
        "edges": 1,
        "linked": 0,
        "directed": 0,
        "named": 0,
        "alike": 0,
        "recall": 0.0,
        "kind_accuracy": None,
    }


def test_names_that_the_graph_lacks() -> None:
    with pytest.raises(TruthError, match=r"'zoo' lacks 4 of 5 models that the truth names: 'b', 'c', 'd' and others"):
        evaluate(drawn(alone="a"), truth("ab", "bc", "cd", "de"))


def test_the_contract_example(tmp_path: Path) -> None:
    path = tmp_path / "zoo.truth.yaml"
    path.write_text(
        "edges:\n  - {parent: a, child: b, kind: finetune}\nunrelated: [[x, y, z]]\nrelated: [[u, v]]\n",
        encoding="utf-8",
    )
    assert load_truth(path) == truth("ab", strangers="xy xz yz", related="uv")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "the file is empty"),
        ("edges: x", "edges: should be a list, not 'x'"),
        ("edgse: []", "unknown key 'edgse', did you mean 'edges'?"),
        ("edges: [x]", "edge 1: should be a mapping of keys to values, not 'x'"),
        ("edges: [{parent: a, child: b}]", "edge 1: the key 'kind' is missing"),
        ("edges: [{parent: a, chidl: b, kind: merge}]", "edge 1: unknown key 'chidl', did you mean 'child'?"),
        ("edges: [{parent: a, child: b, kind: cousin}]", "edge 1: kind: should be 'finetune', 'snapshot', "),
        ("edges: [{parent: 1, child: b, kind: merge}]", "edge 1: parent: should be text, not the number 1"),
        (
            "edges: [{parent: a, child: b, kind: merge}, {parent: a, child: b, kind: prune}]",
            "edge 2: 'a' → 'b' occurs twice",
        ),
        ("edges: [{parent: a, child: a, kind: merge}]", "edges: run in a circle: a → a"),
        (
            "edges: [{parent: a, child: b, kind: merge}, {parent: b, child: a, kind: merge}]",
            "edges: run in a circle: a → b → a",
        ),
        ("unrelated: [a, b]", "unrelated[1]: should be a list, not 'a'"),
        ("unrelated: [[a, a]]", "unrelated: a group names a model twice"),
        ("related: [[a, b, c]]", "related: each item should be a pair of two models"),
        ("related: [[a, a]]", "related: each item should be a pair of two models"),
        ("related: [[a, b]]\nunrelated: [[b, a, c]]", "unrelated and related: contradict each other about 'a' and 'b'"),
        (
            "edges: [{parent: a, child: b, kind: merge}]\nrelated: [[b, a]]",
            "edges and related: contradict each other about 'a' and 'b'",
        ),
        (
            "edges: [{parent: a, child: b, kind: merge}, {parent: b, child: c, kind: merge}]\nunrelated: [[c, a]]",
            "edges and unrelated: contradict each other about 'a' and 'c'",
        ),
    ],
)
def test_a_truth_that_is_wrong(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "zoo.truth.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TruthError) as caught:
        load_truth(path)
    assert str(caught.value).startswith(f"{path}: {sentence}")


@pytest.mark.skipif(not WILD.is_dir(), reason="the collection of real checkpoints is not here")
def test_the_truth_of_real_zoos_is_sound() -> None:
    files = sorted(WILD.glob("*/*.truth.yaml"))
    edges = [edge for file in files for edge in load_truth(file).edges]
    assert len(files) == 9
    assert len(edges) == 93
