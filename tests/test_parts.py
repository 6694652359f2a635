"""A zoo is divided where nothing ties its models, and each part is judged as it would be among all."""

import dataclasses
import random

import numpy as np
import pytest

import hybrids
import lineages_on_disk as disk
from fingerprints import model
from lineage_graph import build, conclusion, judgement, leads, strangers, survey
from lineage_graph.build import BuildSettings
from lineage_graph.cached import Workshop
from lineage_graph.calibration import shipped
from lineage_graph.executors import make_executor
from lineage_graph.joining import joined
from lineage_graph.kinship import Blend
from lineage_graph.leads import Leads
from lineage_graph.parts import divide, together
from lineage_graph.render.node_link import to_json
from lineage_graph.store import Store
from lineage_graph.types import CandidatePair, silent
from lineage_graph.zoo import Stopwatch

NONE = Leads((), (), ())
STATES = disk.states()


@pytest.fixture
def shop(tmp_path):
    with make_executor(1) as executor:
        yield Workshop(executor, Store(tmp_path / "store"), silent)


def zoo(names, **claims):
    return [model(name, disk.root(10 + number), **claims.get(name, {})) for number, name in enumerate(names)]


def divided(models, found, shop):
    return [{one.id for one in part.models} for part in divide(models, found, shop)]


def test_what_nothing_ties_is_a_part_of_its_own(shop):
    assert divided(zoo("abc"), NONE, shop) == [{"a"}, {"b"}, {"c"}]
    assert divided([], NONE, shop) == []


def test_pairs_sums_claims_and_equal_weights_tie(shop):
    models = zoo("abcdefgh", f={"declared_parents": ("e", "somebody")})
    models.append(dataclasses.replace(models[6], checkpoint=dataclasses.replace(models[6].checkpoint, id="copy")))
    blend = Blend("d", "linear", ("b", "c"), (0.5, 0.5), (0.0, 0.0), 0.0, 1.0)
    found = Leads((CandidatePair("a", "b", 0.5),), (blend,), ())
    assert divided(models, found, shop) == [{"a", "b", "c", "d"}, {"e", "f"}, {"g", "copy"}, {"h"}]
    (first, *others) = divide(models, found, shop)
    assert first.leads == found
    assert all(part.leads == NONE for part in others)


def test_blocks_tie_where_they_agree(tmp_path, shop):
    """Whatever their sketches say: those of a stranger's are never read again."""
    one, stranger = hybrids.network(1), hybrids.network(2)
    mixed = hybrids.put_together([(hybrids.network(3), 0), (one, 1)])
    models = hybrids.read({"one": one, "stranger": stranger, "mixed": mixed}, tmp_path)
    agreeing = (("one", "blocks.1"), ("mixed", "blocks.1"))
    chance = (("one", "blocks.0"), ("stranger", "blocks.0"))
    parts = divide(models, Leads((), (), (chance, agreeing)), shop)
    assert [{one.id for one in part.models} for part in parts] == [{"one", "mixed"}, {"stranger"}]
    assert parts[0].leads.blocks == (agreeing,)
    assert parts[1].leads == NONE


def test_blocks_of_models_that_are_tied_anyway_are_not_asked(tmp_path, shop, monkeypatch):
    models = hybrids.read({"one": hybrids.network(1), "other": hybrids.network(2)}, tmp_path)
    monkeypatch.setattr(survey, "compare", None)
    found = Leads((CandidatePair("one", "other", 0.5),), (), ((("one", "blocks.0"), ("other", "blocks.0")),))
    assert [part.leads for part in divide(models, found, shop)] == [found]


def text(models, drawn):
    graph = joined("zoo", models, drawn, ())
    return to_json(graph)


@pytest.mark.parametrize("seed", range(3))
def test_parts_are_judged_as_among_all(tmp_path, shop, seed):
    """Together or one by one, and in whatever order they are joined."""
    dice = random.Random(seed)
    states = dict(STATES)
    for number in range(6):
        parent = dice.choice(sorted(states))
        states[f"more{number}"] = disk.child(states[parent], 90 + number, dice.choice([0.05, 0.2, 0.6]))
    models = sorted(hybrids.read(states, tmp_path), key=lambda one: one.fingerprint.digest)
    settings = BuildSettings(metadata=False, features=False, detector=False)
    watch = Stopwatch()
    found = build.lead(models, shop, watch, metadata=False)
    parts = divide(models, found, shop)
    assert len(parts) > 1
    assert {one.id for one in together(parts).models} == set(states)
    around = judgement.surroundings(len(found.pairs), strangers.levels(models))
    seen = build.look(models, found, shop, watch, None, settings)
    whole = text(models, [conclusion.drawn(seen, False, shipped(), around)])
    pieces = build.judge(parts, around, shop, watch, None, settings)
    again = build.judge(parts, around, shop, watch, None, settings)
    assert text(models, [piece.drawn for piece in pieces]) == whole
    assert text(models, [piece.drawn for piece in dice.sample(again, len(again))]) == whole
    assert sum(piece.compared for piece in pieces) == seen.compared


def test_surroundings_hold_only_what_makes_a_difference():
    assert judgement.surroundings(20_000, {"few": 0.1}) == judgement.surroundings(1, {})
    some = judgement.surroundings(100_000, {"few": 0.1, "shape": 0.3123})
    assert some == judgement.surroundings(131_000, {"shape": 0.3199})
    assert some.tested == 2**17
    assert some.strangers == {"shape": 0.32}
    assert judgement.surroundings(0, {}).tested == 1


def test_what_is_around_a_part_is_about_its_own_shapes():
    models = zoo("a")
    own = models[0].fingerprint.signature
    around = judgement.surroundings(1 << 20, {own: 0.5, "other": 0.6})
    assert dict(around.of(models).strangers) == {own: 0.5}
    assert around.of(models).tested == 1 << 20


def test_leads_name_the_models_that_they_are_about():
    blend = Blend("d", "linear", ("b", "c"), (0.5, 0.5), (0.0, 0.0), 0.0, 1.0)
    found = Leads((CandidatePair("a", "b", 0.5),), (blend,), ((("e", "x"), ("f", "x")),))
    assert set(map(frozenset, found.links())) == {frozenset(pair) for pair in ("ab", "bd", "cd", "ef")}


def test_claims_are_proposed_only_where_metadata_counts():
    # Of different sizes, so that no sign proposes them.
    models = [model("a", disk.root(0)), model("b", {"x.weight": np.eye(7)}, declared_parents=("a",))]
    assert leads.propose(models, metadata=False) == []
    assert [{pair.a, pair.b} for pair in leads.propose(models, metadata=True)] == [{"a", "b"}]
