"""Judging a graph, adding up zoos, the tables, and both benches at a small size."""

from dataclasses import replace
from xml.etree import ElementTree

import networkx as nx
import numpy as np
import pytest
from safetensors.numpy import save_file

from lineage_graph import build
from lineage_graph.bench import documented, lineage300, wild, wild_report
from lineage_graph.bench.judging import families, judge, pooled
from lineage_graph.bench.references import REFERENCES
from lineage_graph.evaluate import Rates, Truth
from lineage_graph.executors import SerialExecutor
from lineage_graph.fitting.run import FIRST_SEED
from lineage_graph.sources.base import LocatedModel
from lineage_graph.sources.grow import GrownZoo
from lineage_graph.sources.grow.recipes import RECIPES
from lineage_graph.types import silent

TRUTH = Truth(
    edges={
        ("a", "b"): "finetune",
        ("b", "c"): "snapshot",
        ("a", "m"): "merge",
        ("x", "m"): "merge",
        ("b", "n"): "merge",
        ("c", "n"): "merge",
    },
    strangers=frozenset([frozenset(["a", "x"]), frozenset(["a", "z"])]),
    related=frozenset([frozenset(["z", "w"]), frozenset(["x", "n"])]),
)


def drawn(*edges, unseen=()):
    """A graph of (parent, child, kind, confidence, direction confidence)."""
    graph = nx.DiGraph()
    graph.add_nodes_from(TRUTH.names)
    for parent, child, kind, confidence, direction in edges:
        graph.add_edge(parent, child, kind=kind, confidence=confidence, direction_confidence=direction)
    for node in unseen:
        graph.nodes[node]["role"] = "unseen"
    return graph


FOUND = drawn(
    ("a", "b", "finetune", 0.99, 0.9),
    ("c", "b", "snapshot", 0.9, 0.55),
    ("a", "m", "merge", 0.8, 0.9),
    ("x", "m", "merge", 0.8, 0.9),
    ("n", "b", "finetune", 0.7, 0.7),
    ("a", "z", "finetune", 0.6, 0.6),
    ("z", "w", "finetune", 0.95, 0.5),
    ("ghost", "z", "finetune", 0.9, 0.9),
    unseen=["ghost"],
)


def test_what_is_counted():
    found = judge(FOUND, TRUTH)
    assert found.directed == Rates(right=3, wrong=3, missed=3)
    assert (found.linked, found.committed, found.pointed) == (5, 4, 3)
    assert (found.direction, found.abstained, found.named) == (3 / 4, 1 / 5, 4 / 5)
    assert (found.false_links, found.stranger_pairs) == (1, 2)
    assert (found.complete, found.merges) == (1, 2)
    wrong = [(0.6, False), (0.7, False), (0.9, False)]
    assert sorted(found.confidences) == sorted([*wrong, (0.99, True), (0.8, True), (0.8, True)])


def test_a_merge_with_a_parent_too_many_is_not_complete():
    more = FOUND.copy()
    more.add_edge("w", "m", kind="merge")
    assert judge(more, TRUTH).complete == 0
    open_one = drawn(*[(a, "n", "merge", 0.9, 0.9) for a in "bcx"])
    assert judge(open_one, TRUTH).complete == 1, "an edge between related models is neither right nor wrong"


def test_without_confidences_every_direction_is_an_answer():
    bare = nx.DiGraph()
    bare.add_nodes_from(TRUTH.names)
    bare.add_edge("b", "a", kind="finetune")
    found = judge(bare, TRUTH)
    assert (found.committed, found.pointed, found.confidences) == (1, 0, ())


def test_zoos_add_up():
    one, two = judge(FOUND, TRUTH), judge(drawn(), TRUTH)
    both = pooled([one, two])
    assert both.directed == Rates(3, 3, 9)
    assert both.kinds["merge"].edges == 8
    assert both.kinds["merge"].linked == one.kinds["merge"].linked == 3
    assert (both.merges, both.complete, both.stranger_pairs) == (4, 1, 4)
    assert both.confidences == one.confidences
    assert pooled([one]) == one


def test_families_are_what_edges_and_relations_join():
    assert families(TRUTH, TRUTH.names) == 2
    assert families(TRUTH, [*TRUTH.names, "lonely"]) == 3
    assert families(Truth({}), "ab") == 2


def rows(text):
    return [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ") and "---" not in line]


def test_averages_over_regimes():
    right = judge(drawn(("a", "b", "finetune", 1.0, 1.0)), Truth({("a", "b"): "finetune"}))
    wrong = judge(FOUND, TRUTH)
    found = {
        "one": {"lgraph": right, "informed": right, "other": right},
        "two": {"lgraph": wrong, "informed": right, "other": right},
    }
    text = "\n".join(wild_report.regimes(found, "lgraph", "informed"))
    compared = rows(text[text.index("Directed F1 by method") :])
    assert compared[:5] == [
        ["lgraph", "informed", "other"],
        ["one", "1.000", "1.000", "1.000"],
        ["two", "0.500", "1.000", "1.000"],
        ["all", f"{8 / 14:.3f}", "1.000", "1.000"],
        ["macro", "0.750", "1.000", "1.000"],
    ]
    changed = rows(text[text.index("informed, where that changes anything") :])
    assert changed[1] == ["two", "finetune", "1", "1.000", "1.000", "1.000", "1.000"]
    assert "at least that of lgraph: one: other; two: other." in text
    worse = {"two": {"lgraph": right, "informed": right, "other": wrong}}
    text = "\n".join(wild_report.regimes(worse, "lgraph", "informed"))
    assert "better than every reference method in every regime" in text
    assert "where that changes anything" not in text


def test_calibration_is_of_edges_that_are_right_or_wrong():
    tally = replace(judge(FOUND, TRUTH), confidences=((0.95, True), (0.95, False), (0.25, False)))
    text = wild_report.calibration(tally)
    assert "Confidence of 3 edges" in text
    assert f"calibration error {(2 * 0.45 + 0.25) / 3:.3f} over 10 bins of equal width" in text
    assert rows(text)[1:] == [["0.2 to 0.3", "1", "0.250", "0.000"], ["0.9 to 1.0", "2", "0.950", "0.500"]]


def _kin(folder, names):
    """Files of a parent and its child, random matrices."""
    folder.mkdir(parents=True, exist_ok=True)
    dice = np.random.default_rng(0)
    parent = {name: dice.standard_normal((16, 16)).astype(np.float32) for name in ("a.weight", "b.weight")}
    child = {name: values + 0.1 * dice.standard_normal((16, 16)).astype(np.float32) for name, values in parent.items()}
    for name, state in zip(names, (parent, child), strict=True):
        save_file(state, folder / name)


def _truth(path, *edges):
    lines = [f"  - {{parent: {parent}, child: {child}, kind: finetune}}\n" for parent, child in edges]
    path.write_text("edges:\n" + "".join(lines), encoding="utf-8")
    return path


def _grow(recipe, models, seed, cache, executor, progress):
    """In the place of training: a parent and its child."""
    folder = cache / "made-up"
    _kin(folder, ("p.safetensors", "c.safetensors"))
    located = tuple(LocatedModel(name, folder / f"{name}.safetensors", "grow") for name in ("c", "p"))
    return GrownZoo(located, _truth(folder / "truth.yaml", ("p", "c")))


@pytest.fixture
def small(monkeypatch, tmp_path):
    """A cache of its own; zoos of two models, which are made up; no process pools."""
    monkeypatch.setattr("lineage_graph.zoo.grow", _grow)
    for module in (wild, build):
        monkeypatch.setattr(module, "make_executor", lambda *_: SerialExecutor())
    for module in (wild, lineage300):
        monkeypatch.setattr(module, "default_cache", lambda: tmp_path / "cache")
    monkeypatch.setattr(wild, "REGIMES", {"near": 2})
    monkeypatch.setattr(wild, "SEEDS", (0,))
    return tmp_path / "cache"


def _family(root):
    """Two models and one that cannot be read, with their truth."""
    folder = root / "kin"
    _kin(folder, ("m1.safetensors", "m2.safetensors"))
    (folder / "m3.safetensors").write_bytes(b"none")
    (folder / "manifest.yaml").write_text("{name: kin, models: [{path: '*.safetensors'}]}", encoding="utf-8")
    _truth(folder / "kin.truth.yaml", *(("m1.safetensors", f"m{child}.safetensors") for child in (2, 3)))


def test_the_wild_bench(small, monkeypatch, tmp_path):
    _family(tmp_path / "published")
    monkeypatch.setenv(documented.VARIABLE, str(tmp_path / "published"))
    steps = []
    text = wild.run(tmp_path, lambda *step: steps.append(step))
    grown, published = text.split("Published checkpoints.")
    table = rows(grown)
    assert table[0] == ["regime", *wild_report.HEADER]
    assert [row[0] for row in table[1:4]] == ["near", "all", "macro"]
    assert [row[0] for row in rows(grown[grown.index("all as one") :])[1:9]] == [wild.OWN, wild.INFORMED, *REFERENCES]
    undirected = rows(published[published.index("Undirected F1 by") :])
    assert undirected[0] == ["lgraph", "lgraph, metadata", *REFERENCES]
    assert undirected[1] == ["kin", *["0.667"] * 8], "the model that cannot be read is missed by all"
    drawing = small / "bench" / "reliability.svg"
    assert str(drawing) in text
    assert ElementTree.parse(drawing).getroot().tag.endswith("svg")
    assert {("near", 1, 1), ("published", 1, 1)} <= set(steps)


def test_where_there_are_no_published_checkpoints(small, monkeypatch, tmp_path):
    monkeypatch.setenv(documented.VARIABLE, str(tmp_path / "none"))
    assert "No published checkpoints" in wild._published(tmp_path, silent)


def test_every_regime_can_be_grown():
    for regime, models in wild.REGIMES.items():
        for seed in wild.SEEDS:
            assert len(RECIPES[regime].plan(models, seed)) >= models


def test_nothing_is_fitted_on_what_is_judged():
    fitted = range(FIRST_SEED, FIRST_SEED + 100)
    assert not set(wild.SEEDS) & set(fitted)
    assert lineage300.SEED not in fitted


def test_pairs_by_generation_gap():
    true = [("a", "b"), ("b", "c"), ("c", "d"), ("d", "e")]
    assert lineage300.by_gap(true, true) == {
        "parent–child": Rates(4, 0, 0),
        "grandparent": Rates(3, 0, 0),
        "great-grandparent": Rates(2, 0, 0),
        "all": Rates(9, 0, 0),
    }
    found = lineage300.by_gap([("a", "b"), ("b", "d"), ("d", "c"), ("d", "e")], true)
    assert found["parent–child"] == Rates(2, 2, 2)
    assert found["grandparent"] == Rates(0, 3, 3)
    assert found["great-grandparent"] == Rates(0, 2, 2)


def test_inferred_ancestors_are_in_no_pair():
    text = lineage300.report(drawn(("ghost", "a", "finetune", 0.9, 0.9), unseen=["ghost"]), TRUTH)
    assert rows(text)[1][:4] == ["parent–child", "0", "0", "6"]


def test_the_300_at_a_small_size(small, tmp_path):
    text = lineage300.run(tmp_path, silent)
    assert text.startswith("2 models")
    assert [row[0] for row in rows(text)[:5]] == ["pairs", *lineage300.GAPS.values(), "all"]
