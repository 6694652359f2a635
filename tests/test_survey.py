"""Blocks held against all others of the zoo."""

import numpy as np
import pytest

from hybrids import network, put_together, read, surveyed, tuned
from lineage_graph import alignment, evidence
from lineage_graph.held import Side
from lineage_graph.types import PairEvidence, TensorComparison


def nearest(found, model):
    """(block, the nearest match's model and block) of each block that has a match."""
    return {one.block: (one.matches[0].model, one.matches[0].block) for one in found[model] if one.matches}


def test_blocks_meet_at_any_depth(tmp_path):
    a, b = network(1), network(2)
    child = tuned(put_together([(a, 0), (b, 3), (a, 1), (b, 0)]), 3)
    found = surveyed({"a": a, "b": b, "child": child}, tmp_path)
    assert nearest(found, "child") == {
        "stem": ("a", "stem"),
        "blocks.0": ("a", "blocks.0"),
        "blocks.1": ("b", "blocks.3"),
        "blocks.2": ("a", "blocks.1"),
        "blocks.3": ("b", "blocks.0"),
    }


def test_matches_are_exact(tmp_path):
    a = network(1)
    child = tuned(a, 3)
    match = surveyed({"a": a, "child": child}, tmp_path)["child"][2].matches[0]
    layers = [f"blocks.1.{layer}.weight" for layer in ("fc1", "fc2")]
    assert match.block == "blocks.1"
    assert match.squared_distance == pytest.approx(sum(np.sum((child[x] - a[x]) ** 2) for x in layers), rel=1e-4)
    flat = [np.concatenate([state[x].ravel() - state[x].mean() for x in layers]) for state in (a, child)]
    assert match.cosine == pytest.approx(flat[0] @ flat[1] / np.prod([np.linalg.norm(x) for x in flat]), abs=1e-4)
    assert match.z > 10


def test_what_was_compared_already_is_not_read_again(tmp_path):
    states = {"a": network(1), "child": tuned(network(1), 3)}
    a, child = sorted(read(states, tmp_path), key=lambda model: model.checkpoint.digest)
    sides = (Side(one.checkpoint.path, one.checkpoint.digest) for one in (a, child))
    plan = evidence.plan(*sides, alignment.align(a.fingerprint, child.fingerprint))
    pair = PairEvidence(a.id, child.id, 1.0, {}, evidence.compare(plan))
    found = surveyed(states, tmp_path, [pair])
    assert not (tmp_path / "store").exists()
    assert found == surveyed(states, tmp_path)
    assert (tmp_path / "store").exists()


@pytest.mark.parametrize(("cosine", "counts"), [(0.3, False), (0.9, True)])
def test_what_was_laid_out_anew_counts_where_it_agrees_well(cosine, counts, tmp_path):
    states = {"a": network(1), "b": network(2)}
    names = [name for name in states["a"] if name != "head.weight"]
    tensors = [TensorComparison(n, n, 1600, 40, cosine, 9.0, 1.0, 1.0, 1.0, False, layout="units") for n in names]
    found = surveyed(states, tmp_path, [PairEvidence("a", "b", 1.0, {}, tuple(tensors))])
    assert all(bool(block.matches) is counts for block in found["a"])


def test_copies_of_one_file_are_no_candidates_for_one_another(tmp_path):
    a = network(1)
    found = surveyed({"a": a, "copy": a, "child": tuned(a, 3)}, tmp_path)
    assert found["a"] == found["copy"]
    assert {one.model for block in found["a"] for one in block.matches} == {"child"}
    assert {one.model for block in found["child"] for one in block.matches} == {"a"}


def test_a_file_that_is_gone_has_no_matches(tmp_path):
    from lineage_graph.cached import Workshop
    from lineage_graph.executors import make_executor
    from lineage_graph.store import Store
    from lineage_graph.survey import near, survey
    from lineage_graph.types import silent

    models = read({"a": network(1), "b": tuned(network(1), 2)}, tmp_path)
    (tmp_path / "b.safetensors").unlink()
    with make_executor(1) as executor:
        found = survey(models, near(models), [], Workshop(executor, Store(tmp_path / "store"), silent))
    assert [one.matches for one in found["a"]] == [()] * 5


def test_few_strangers_are_read_however_many_there_are(tmp_path):
    """Of 40 networks with 160 blocks of one shape one is a collage of two others; the rest agree by chance alone."""
    states = {f"s{seed}": network(seed) for seed in range(40)}
    states["child"] = tuned(put_together([(states["s0"], 0), (states["s1"], 1)]), 100)
    found = surveyed(states, tmp_path)
    assert nearest(found, "child") | {"stem": None} == {
        "stem": None,
        "blocks.0": ("s0", "blocks.0"),
        "blocks.1": ("s1", "blocks.1"),
    }
    strangers = [one for name, blocks in found.items() for block in blocks for one in block.matches]
    assert len(strangers) < 0.3 * sum(len(blocks) for blocks in found.values())
