"""Models that were put together from several others."""

from dataclasses import replace

import pytest

from hybrids import network, put_together, read, surveyed, tuned
from lineage_graph.clans import clans_of, layered, told_apart
from lineage_graph.examination import unmeasured
from lineage_graph.kinship import Splice
from lineage_graph.splices import _claims, splices
from lineage_graph.survey import SHORTLIST, Match, Surveyed
from lineage_graph.types import PairEvidence


def found(states, folder):
    """By child, its sources with their blocks."""
    return {splice.child: dict(splice.blocks) for splice in splices(surveyed(states, folder))}


@pytest.mark.parametrize("step", [0.05, 0.2, 0.5])
def test_a_hybrid_of_strangers_is_a_splice(step, tmp_path):
    a, b = network(1), network(2)
    hybrid = tuned(put_together([(a, 0), (b, 1), (b, 2), (a, 3)]), 3, step)
    assert found({"a": a, "b": b, "hybrid": hybrid}, tmp_path) == {
        "hybrid": {"a": ("stem", "blocks.0", "blocks.3"), "b": ("blocks.1", "blocks.2")}
    }


def test_of_a_hybrid_and_its_own_child_the_hybrid_is_the_splice(tmp_path):
    a, b = network(1), network(2)
    hybrid = tuned(put_together([(a, 0), (a, 1), (b, 2), (b, 3)]), 3)
    states = {"a": a, "b": b, "hybrid": hybrid, "child": tuned(hybrid, 4), "grandchild": tuned(tuned(hybrid, 4), 5)}
    assert set(found(states, tmp_path)) == {"hybrid"}


def test_models_that_were_taken_apart_are_no_splices(tmp_path):
    a, b = network(1), network(2)
    states = {"a": a, "b": b, "x": tuned(a, 11), "y": tuned(b, 12)}
    for number in range(3):
        parts = [((a, b)[(number >> block) & 1], block) for block in range(3)]
        states[f"h{number}"] = tuned(put_together([(b, 3), *parts]), 20 + number)
    assert set(found(states, tmp_path)) == {"h0", "h1", "h2"}


def test_hybrids_that_learn_alike_do_not_stand_for_their_sources(tmp_path):
    """All tuning moves a block the same way at first, so that hybrids are nearer to one another than to the donors."""
    donors = {name: network(number) for number, name in enumerate("abc")}
    common = {name: tuned(state, 50 + number, 0.2) for number, (name, state) in enumerate(donors.items())}
    dealt = {"x": "aabb", "y": "baca", "z": "ccab", "w": "bcca"}
    states = donors | {f"{name}-tuned": tuned(state, 90, 0.05) for name, state in donors.items()}
    for number, (name, parts) in enumerate(dealt.items()):
        states[name] = tuned(put_together([(common[part], block) for block, part in enumerate(parts)]), number, 0.2)
    assert {name: set(parts) for name, parts in found(states, tmp_path).items()} == {
        name: set(parts) for name, parts in dealt.items()
    }


@pytest.mark.parametrize("step", [0.05, 0.4])
def test_a_family_has_no_splices(step, tmp_path):
    states = {"root": network(1), "stranger": network(2)}
    for number, parent in enumerate(["root", "root", "root", "m0", "m0", "m1", "m3"]):
        states[f"m{number}"] = tuned(states[parent], 10 + number, step)
    assert found(states, tmp_path) == {}
    del states["root"]
    assert found(states, tmp_path) == {}


def test_a_block_that_was_not_read_is_not_taken_for_a_stranger_s():
    def layer(block, *matches):
        found = [Match(model, block, distance, 0.99, 90.0) for model, distance in matches]
        return Surveyed(block, 4096, 100.0, tuple(found))

    near = [(f"s{number}", 0.2 if number == 0 else 20.0) for number in range(SHORTLIST)]
    far = [(name, 30.0) for name, _ in near]
    zoo = {"child": [layer("x", *near), layer("y", ("parent", 1.0), *far)]}
    zoo["parent"] = [layer("x", *((name, 1.0) for name, _ in near)), layer("y", ("child", 1.0), *far)]
    zoo |= {name: [layer("x", ("parent", 1.0)), layer("y", ("parent", 30.0), ("child", 30.0))] for name, _ in near}
    assert told_apart(layered(zoo), "child", "parent", "s0") == {}
    few = {model: [replace(one, matches=one.matches[:3]) for one in layers] for model, layers in zoo.items()}
    assert set(told_apart(layered(few), "child", "parent", "s0")) == {"x"}


def test_a_fine_tune_with_frozen_or_fresh_blocks_is_no_splice(tmp_path):
    root = network(1)
    frozen = {**tuned(root, 2), **{name: root[name] for name in ("stem.weight", "blocks.0.fc1.weight")}}
    fresh = {**tuned(root, 3), **{name: w for name, w in network(7).items() if name.startswith("blocks.3")}}
    states = {"root": root, "frozen": frozen, "fresh": fresh, "child": tuned(frozen, 4), "other": tuned(root, 5)}
    assert found(states, tmp_path) == {}


def test_a_backbone_in_a_new_network_has_one_parent(tmp_path):
    backbone = network(1)
    larger = {**network(5, blocks=8), **tuned(backbone, 2)}
    assert found({"backbone": backbone, "larger": larger}, tmp_path) == {}


def test_confidence_is_a_probability(tmp_path):
    a, b = network(1), network(2)
    states = {"a": a, "b": b, "h": tuned(put_together([(a, 0), (b, 1), (b, 2), (a, 3)]), 3)}
    (splice,) = splices(surveyed(states, tmp_path))
    assert 0.9 < splice.confidence <= 1


def test_pairs_that_were_not_compared_as_wholes_are_named_once(tmp_path):
    models = read({"a": network(1), "b": network(2), "h": network(3), "g": network(4)}, tmp_path)
    found = [Splice("h", (("a", ("x",)), ("b", ("y",))), 0.9), Splice("g", (("a", ("x",)), ("h", ("y",))), 0.9)]
    pairs = unmeasured(found, models, [PairEvidence("a", "h", 1.0, {})])
    assert sorted(sorted((pair.a, pair.b)) for pair in pairs) == [["a", "g"], ["b", "h"], ["g", "h"]]
    digest = {model.id: model.fingerprint.digest for model in models}
    assert all(digest[pair.a] < digest[pair.b] for pair in pairs)


def test_a_block_that_a_whole_family_has_alike_is_no_less_certain_to_be_theirs(tmp_path):
    """Fine-tunes that froze it have it, too; the one that all of them come from is the source."""
    a, b = network(1), network(2)
    states = {"a": a, "b": b}
    for number in range(3):
        states[f"frozen{number}"] = put_together([(a, 0), *((tuned(a, 30 + number), block) for block in (1, 2, 3))])
    states["hybrid"] = tuned(put_together([(a, 0), (b, 1), (b, 2), (b, 3)]), 40)
    assert {child: set(parts) for child, parts in found(states, tmp_path).items()} == {"hybrid": {"a", "b"}}


def test_a_source_of_known_hybrids_is_no_hybrid_of_others(tmp_path):
    """Asked without those that are splices, the others alone would make it one; the known ones are witnesses."""
    a, b = network(1), network(2)
    states = {"a": a, "b": b, "x": tuned(put_together([(a, 0), (a, 1), (b, 2), (b, 3)]), 3)}
    states["y"] = tuned(put_together([(b, 0), (b, 1), (a, 2), (a, 3)]), 4)
    made = {f"m{number}": tuned(put_together([(a, number), (b, 3 - number)]), 5 + number) for number in range(2)}
    made["m2"] = tuned(put_together([(a, 2), (a, 3), (b, 0), (b, 1)]), 9)
    made["m3"] = tuned(put_together([(a, 0), (a, 1), (b, 2), (b, 3)]), 10)
    zoo = layered(surveyed(states | made, tmp_path))
    clans = clans_of(zoo)
    assert clans.of["a"] == {"a"}
    assert _claims(zoo, clans, {"a"}, frozenset(made)) == []


def test_two_hybrids_of_the_same_parts_are_both_splices(tmp_path):
    """Each explains the other as a whole, but lies farther from it than from the sources; a child of one does not."""
    a, b = network(1), network(2)
    parts = [(a, 0), (a, 1), (b, 2), (b, 3)]
    states = {"a": a, "b": b, "one": tuned(put_together(parts), 3), "other": tuned(put_together(parts), 4)}
    states["child"] = tuned(states["one"], 5)
    assert {child: set(sources) for child, sources in found(states, tmp_path).items()} == {
        "one": {"a", "b"},
        "other": {"a", "b"},
    }
