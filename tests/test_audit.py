"""The audit: every verdict on graphs made by hand, and end to end on really trained models with cards beside them."""

import shutil

import networkx as nx
import pytest
import yaml
from safetensors.numpy import load_file, save_file

from fingerprints import model
from lineage_graph.audit import Judged, attach, audit, mending, undecided
from lineage_graph.build import BuildSettings, build
from lineage_graph.declarations import VERDICTS, Card, Claim, worst
from lineage_graph.declared import resolve
from lineage_graph.kin import Kin
from lineage_graph.manifest import load
from render.lineages import FAILURES, edge, finish, node

ALONE = {"w.weight": [[1.0, 2.0], [3.0, 4.0]]}


def graph_of(*edges, licences=(), failures=(), lone=()):
    """Edges as (parent, child, changes …)."""
    graph = nx.DiGraph()
    for parent, child, *_ in edges:
        for name in (parent, child):
            graph.add_node(name, **node(name))
    for name in lone:
        graph.add_node(name, **node(name))
    for parent, child, *changes in edges:
        graph.add_edge(parent, child, **{**edge(), **(changes[0] if changes else {})})
    for name, licence in dict(licences).items():
        graph.nodes[name]["license"] = licence
    return finish("zoo", graph, failures=failures)


def said(name, *claims, card=None, **written):
    """A model whose card names these parents."""
    read = card or Card(base_models=claims, **written)
    return model(name, ALONE, card=read, claims=tuple(Claim(claim, "card", claim) for claim in claims))


def verdicts(lineage, models, judged=None):
    return [(f.model, f.kind, f.subject, f.verdict) for f in audit(lineage, models, judged or {})]


CHAIN = (("a", "b"), ("b", "c"))


def test_a_parent_a_grandparent_and_a_stranger():
    lineage = graph_of(*CHAIN, lone=["d"])
    models = [said("b", "a"), said("c", "a"), said("d", "a")]
    assert undecided(lineage, models) == [("a", "d")]
    judged = {frozenset("ad"): Judged(0.01, False, True, "strangers (cosine 0.01)")}
    found = audit(lineage, models, judged)
    assert [(f.model, f.kind, f.verdict) for f in found] == [
        ("d", "parent", "contradicted"),
        ("c", "undeclared", "missing"),
        ("b", "parent", "confirmed"),
        ("c", "parent", "confirmed"),
    ]
    assert found[0].words == "the card names a: strangers (cosine 0.01)"
    assert "as grandparent (a → b → c, 99.8 %)" in found[3].words
    assert yaml.safe_load(found[1].mend) == {"base_model": "b", "base_model_relation": "finetune"}


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, "contradicted"),
        ({"direction_confidence": 0.55}, "untestable"),
        ({"confidence": 0.6}, "untestable"),
    ],
)
def test_the_other_way_round(changes, verdict):
    lineage = graph_of(("a", "b", changes))
    assert verdicts(lineage, [said("a", "b")]) == [("a", "parent", "b", verdict)]


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [({}, "confirmed"), ({"direction_confidence": 0.55}, "untestable"), ({"confidence": 0.4}, "untestable")],
)
def test_what_is_drawn_confirms_only_where_it_is_sure(changes, verdict):
    assert verdicts(graph_of(("a", "b", changes)), [said("b", "a")]) == [("b", "parent", "a", verdict)]


@pytest.mark.parametrize(
    ("judged", "verdict"),
    [
        (None, "untestable"),
        (Judged(0.0, False, False, "too few weights can be compared"), "untestable"),
        (Judged(0.3, False, True, "could be chance"), "untestable"),
        (Judged(0.02, False, True, "strangers"), "contradicted"),
        (Judged(0.99, True, True, ""), "contradicted"),
    ],
)
def test_no_descent_either_way(judged, verdict):
    lineage = graph_of(("p", "a"), ("p", "b"))
    found = audit(lineage, [said("b", "a")], {frozenset("ab"): judged} if judged else {})
    (parent,) = [f for f in found if f.kind == "parent"]
    assert parent.verdict == verdict
    if verdict == "contradicted":
        assert yaml.safe_load(parent.mend)["base_model"] == "p"


def test_relatives_without_a_sure_parent_are_untestable():
    lineage = graph_of(("p", "a"), ("p", "b", {"confidence": 0.5}))
    assert verdicts(lineage, [said("b", "a")], {frozenset("ab"): Judged(0.99, True, True, "")}) == [
        ("b", "parent", "a", "untestable")
    ]


def test_names_that_cannot_be_tested():
    lineage = graph_of(("a", "b"), failures=FAILURES)
    failed = FAILURES[0].id
    away = model("b", ALONE, card=Card(("org/x",)), claims=(Claim("org/x", "card", why="not in the zoo"),))
    words = {f.subject: f.words for f in audit(lineage, [away, said("a", failed)], {}) if f.verdict == "untestable"}
    assert words["org/x"] == "the card names org/x: not in the zoo"
    assert words[failed].endswith("could not be used (TruncatedFileError)")


def test_a_card_that_cannot_be_read():
    lineage = graph_of(("a", "b"))
    found = audit(lineage, [said("b", card=Card(problem="line 1: tags"))], {})
    assert [(f.kind, f.verdict) for f in found] == [("undeclared", "missing"), ("card", "untestable")]


@pytest.mark.parametrize(
    ("kind", "relation", "verdict"),
    [
        ("finetune", "finetune", ""),
        ("snapshot", "finetune", ""),
        ("quantize", "quantized", ""),
        ("duplicate", "quantized", ""),
        ("merge", "merge", ""),
        ("finetune", "quantized", "contradicted"),
        ("quantize", "finetune", "contradicted"),
        ("duplicate", "finetune", "contradicted"),
        ("finetune", "inspired", "untestable"),
        ("finetune", "", ""),
    ],
)
def test_the_word_for_the_relation(kind, relation, verdict):
    lineage = graph_of(("a", "b", {"kind": kind}))
    found = [f for f in audit(lineage, [said("b", "a", relation=relation)], {}) if f.kind == "relation"]
    assert [f.verdict for f in found] == ([verdict] if verdict else [])


def test_copies_count_as_one_model():
    lineage = graph_of(("a", "copy", {"kind": "duplicate", "direction_confidence": 0.5}), ("a", "b"), lone=["x"])
    assert verdicts(lineage, [said("b", "copy"), said("copy", "a")]) == [
        ("b", "parent", "copy", "confirmed"),
        ("copy", "parent", "a", "confirmed"),
    ]


def test_models_without_a_card_miss_nothing():
    bare = model("b", ALONE, claims=(Claim("x", "manifest", why="not in the zoo"),))
    assert verdicts(graph_of(("a", "b")), [bare]) == [("b", "parent", "x", "untestable")]


@pytest.mark.parametrize(
    ("kind", "evidence", "lines"),
    [
        ("merge", {}, {"base_model": ["a", "b"], "base_model_relation": "merge"}),
        ("quantize", {}, {"base_model": ["a", "b"], "base_model_relation": "quantized"}),
        ("prune", {}, {"base_model": ["a", "b"]}),
        ("adapter", {"adapter_gain": 1.0}, {"base_model": ["a", "b"], "base_model_relation": "adapter"}),
        ("adapter", {}, {"base_model": ["a", "b"], "base_model_relation": "finetune"}),
    ],
)
def test_the_lines_that_mend(kind, evidence, lines):
    changes = {"kind": kind, "evidence": evidence}
    kin = Kin(graph_of(("a", "m", changes), ("b", "m", changes)).graph)
    assert yaml.safe_load(mending(kin, "m")) == lines


def test_hostile_names_stay_one_value_of_the_mended_lines():
    name = "x\nlicense: mit # ' \" : {"
    kin = Kin(graph_of((name, "m")).graph)
    assert yaml.safe_load(mending(kin, "m"))["base_model"] == "x\\nlicense: mit # ' \" : {"


def test_licences_along_the_descent():
    licences = {"a": "cc-by-nc-4.0", "b": "", "c": "mit", "d": "cc-by-nc-sa-4.0"}
    lineage = graph_of(*CHAIN, ("c", "d"), licences=licences)
    (found,) = audit(lineage, [], {})
    assert (found.model, found.subject, found.verdict) == ("c", "a", "licence")
    assert found.words.endswith("its ancestor, is cc-by-nc-4.0, which asks: no commercial use")
    unsure = graph_of(("a", "b", {"confidence": 0.6}), licences={"a": "gpl-3.0", "b": "mit"})
    assert audit(unsure, [], {}) == ()


def test_the_worst_verdict_is_the_models():
    lineage = graph_of(("a", "b"), licences={"a": "gpl-3.0", "b": "mit"})
    findings = audit(lineage, [said("b", "a", relation="quantized")], {})
    assert attach(lineage, findings).graph.nodes["b"]["audit"] == "contradicted"
    assert worst([f for f in findings if f.kind == "licence"]) == "licence"
    assert worst(()) == ""
    assert lineage.graph.nodes["a"]["audit"] == ""
    assert [VERDICTS.index(f.verdict) for f in findings] == sorted(VERDICTS.index(f.verdict) for f in findings)


def test_a_model_that_comes_later_can_be_what_a_claim_meant():
    claims = (Claim("org/a", "card", why="not in the zoo"),)
    late = model("b", ALONE, claims=claims, declared_parents=("org/a",))
    (alone,) = resolve([late])
    assert alone.checkpoint.declared_parents == ("org/a",)
    found, _ = resolve([late, model("zoo/a.pt", ALONE)])
    assert found.checkpoint.declared_parents == ("zoo/a.pt",)
    assert found.checkpoint.claims == (Claim("org/a", "card", "zoo/a.pt"),)


CARDS = {
    "m4": "license: cc-by-nc-4.0",
    "m7": "base_model: lab/m4\nbase_model_relation: finetune\nlicense: cc-by-nc-4.0",
    "m5": "base_model: lab/m4\nlicense: mit",
    "m1": "license: cc-by-nc-4.0",
    "m8": "base_model: [lab/m2, elsewhere/thing]",
    "m3": "base_model: lab/m6",
    "m2": "base_model: !!python/name:os.system",
    "m6": None,
}


@pytest.fixture(scope="module")
def with_cards(tiny_zoo, tmp_path_factory):
    """Each model a folder with its card, and one in a format that shares nothing with the others."""
    root = tmp_path_factory.mktemp("cards")
    for name, card in CARDS.items():
        folder = root / name
        folder.mkdir()
        shutil.copy(tiny_zoo.paths[name], folder / "model.safetensors")
        (folder / "config.json").write_text("{}")
        if card is not None:
            (folder / "README.md").write_text(f"---\n{card}\n---\n# {name}\n")
    (root / "odd").mkdir()
    head = {f"z.{key}": values[:3, :3] for key, values in load_file(tiny_zoo.paths["m6"]).items() if values.ndim == 2}
    save_file({key: values.copy() for key, values in head.items()}, root / "odd" / "model.safetensors")
    (root / "odd" / "config.json").write_text("{}")
    (root / "odd" / "README.md").write_text("---\nbase_model: lab/m4\n---\n")
    (root / "zoo.yaml").write_text("name: cards\nmodels: [{path: '*'}]\n")
    return root


def built(root, out, metadata):
    settings = BuildSettings(metadata=metadata, features=False, detector=False, jobs=1, cache=root / "cache")
    return build(load(root / "zoo.yaml"), out, settings).lineage


def test_every_verdict_end_to_end(with_cards, tmp_path):
    lineage = built(with_cards, tmp_path / "out", metadata=True)
    found = {(f.model, f.kind, f.subject): f for f in lineage.audit}
    assert {key: f.verdict for key, f in found.items()} == {
        ("m3", "parent", "m6"): "contradicted",
        ("m5", "licence", "m7"): "licence",
        ("m1", "undeclared", "m4"): "missing",
        ("m3", "undeclared", "m8"): "missing",
        ("m5", "undeclared", "m7"): "missing",
        ("m2", "card", ""): "untestable",
        ("m8", "parent", "elsewhere/thing"): "untestable",
        ("odd", "parent", "m4"): "untestable",
        ("m7", "parent", "m4"): "confirmed",
        ("m5", "parent", "m4"): "confirmed",
        ("m8", "parent", "m2"): "confirmed",
    }
    assert "grandparent (m4 → m7 → m5" in found["m5", "parent", "m4"].words
    assert found["m3", "parent", "m6"].mend == "base_model: m8\nbase_model_relation: finetune"
    nodes = lineage.graph.nodes
    assert {name: nodes[name]["audit"] for name in ("m3", "m5", "m1", "m2", "m7", "m4", "m6")} == {
        "m3": "contradicted",
        "m5": "licence",
        "m1": "missing",
        "m2": "untestable",
        "m7": "confirmed",
        "m4": "",
        "m6": "",
    }
    assert nodes["m8"]["declared_parents"] == ["m2", "elsewhere/thing"]
    assert (nodes["m4"]["license"], nodes["m6"]["license"]) == ("cc-by-nc-4.0", "")
    text = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    assert (
        "## Audit of the cards\n\n11 findings: 1 contradicted, 1 licence, 3 missing, 3 untestable, 3 confirmed" in text
    )

    weights_only = built(with_cards, tmp_path / "plain", metadata=False)
    assert weights_only.audit == lineage.audit
    assert not any("declared" in e["evidence"] for *_, e in weights_only.graph.edges(data=True))
