"""Models with fewer units are proposed to those that they could be cut from, and aligned with them."""

from itertools import pairwise

import numpy as np
import pytest

from fingerprints import fingerprint, model
from lineage_graph import evidence
from lineage_graph.candidates import CandidateSettings, propose
from lineage_graph.narrowed import align, narrower

WIDTHS = (12, 40, 40, 32, 6)
ONLY_WIDER = CandidateSettings(alike=0, wider=2)


def net(seed, widths=WIDTHS):
    """Weights of another tail in every network, as training leaves them; the last layer is the head."""
    generator = np.random.default_rng(seed)
    state = {}
    for number, (inputs, units) in enumerate(pairwise(widths)):
        name = "head" if number == len(widths) - 2 else f"layers.{number}"
        state[f"{name}.weight"] = generator.standard_t(generator.uniform(4, 20), (units, inputs))
        state[f"{name}.bias"] = generator.standard_normal(units)
    return state


def cut(state, share=0.7, seed=5):
    generator = np.random.default_rng(seed)
    left, inputs = {}, np.arange(WIDTHS[0])
    for name in [name.removesuffix(".weight") for name in state if name.endswith("weight")]:
        units = len(state[f"{name}.bias"])
        kept = np.arange(units) if name == "head" else np.sort(generator.permutation(units)[: round(share * units)])
        left[f"{name}.weight"], left[f"{name}.bias"] = (
            state[f"{name}.weight"][kept][:, inputs],
            state[f"{name}.bias"][kept],
        )
        inputs = kept
    return left


def test_only_what_fits_into_the_other_is_aligned():
    wide = net(0)
    narrow = cut(wide)
    found = align(fingerprint(wide), fingerprint(narrow))
    assert found.narrowed
    assert found.coverage == 1
    assert [(a.spec.name, b.spec.name) for a, b in found.pairs] == [
        (name, name) for name in narrow if "head" not in name
    ]
    assert align(fingerprint(narrow), fingerprint(wide)).coverage == 1
    assert align(fingerprint(wide), fingerprint(net(1))) is None
    mixed = narrow | {
        "layers.1.weight": np.random.default_rng(0).standard_normal((50, 28)),
        "layers.1.bias": np.ones(50),
    }
    assert align(fingerprint(wide), fingerprint(mixed)) is None
    deeper = narrow | {"layers.9.weight": np.random.default_rng(0).standard_normal((20, 20))}
    assert 0.8 < align(fingerprint(wide), fingerprint(deeper)).coverage < 1


@pytest.mark.parametrize("shape", [(60, 12), (40, 20)], ids=["vocabulary", "inputs"])
def test_what_was_lost_on_one_side_of_a_layer_only_is_no_hidden_unit(shape):
    wide = net(0) | {"layers.0.weight": np.random.default_rng(1).standard_normal(shape)}
    assert align(fingerprint(wide), fingerprint(net(0))) is None


def test_the_alignment_that_covers_more_counts():
    wide = net(0)
    assert evidence.align(fingerprint(wide), fingerprint(cut(wide))).narrowed
    assert not evidence.align(fingerprint(wide), fingerprint(net(1))).narrowed


def test_a_narrowed_model_is_proposed_to_its_origin_whatever_the_order():
    wide = [model(f"wide{seed}", net(seed)) for seed in range(6)]
    narrow = [model(f"narrow{seed}", cut(net(seed), seed=seed)) for seed in (1, 4)]
    others = [model("other", net(8, (12, 64, 20, 32, 6))), model("nothing", {"bias": np.ones(4)})]
    pairs = {frozenset((pair.a, pair.b)) for pair in propose([*wide, *narrow, *others], ONLY_WIDER)}
    assert {frozenset(("wide1", "narrow1")), frozenset(("wide4", "narrow4"))} <= pairs
    assert max(sum(name in pair for pair in pairs) for name in ("narrow1", "narrow4", "other")) <= 2
    turned = propose([*others, *reversed(wide), *narrow], ONLY_WIDER)
    assert {frozenset((pair.a, pair.b)) for pair in turned} == pairs
    assert not propose(wide + narrow, CandidateSettings(alike=0, wider=0))


def test_known_pairs_are_not_proposed_again():
    models = [model("wide", net(0)), model("narrow", cut(net(0)))]
    assert list(narrower(models, set(), 3)) == [(0, 1)]
    assert list(narrower(models, {(0, 1)}, 3)) == []
