"""Doubtful pairs: relatives are compared whole, strangers no more after a look at a few matrices."""

import numpy as np
import pytest

from hybrids import read
from lineage_graph import recognition
from lineage_graph.cached import Workshop
from lineage_graph.executors import make_executor
from lineage_graph.store import Store
from lineage_graph.types import CandidatePair, silent

SHAPES = {"a.weight": (48, 40), "b.weight": (40, 40), "c.weight": (32, 40)}


def net(seed):
    dice = np.random.default_rng(seed)
    return {name: dice.standard_normal(shape).astype(np.float32) for name, shape in SHAPES.items()}


def reordered(state):
    dice = np.random.default_rng(100)
    return {name: w[dice.permutation(len(w))][:, dice.permutation(w.shape[1])] for name, w in state.items()}


def moved(state, step):
    dice = np.random.default_rng(101)
    return {name: w + step * dice.standard_normal(w.shape).astype(np.float32) for name, w in state.items()}


@pytest.fixture
def worth(tmp_path):
    """The partners of ``one`` that are worth comparing."""

    def look(states, similarity=0.0, gone=(), done=None):
        models = read(states, tmp_path)
        for name in gone:
            (tmp_path / f"{name}.safetensors").unlink()
        pairs = [CandidatePair("one", name, similarity, invariant=not similarity) for name in states if name != "one"]
        progress = silent if done is None else (lambda _, count, of: done.append((count, of)))
        with make_executor(1) as executor:
            shop = Workshop(executor, Store(tmp_path / "store"), progress)
            return {pair.b for pair in recognition.worth_comparing(models, pairs, shop)}

    return look


def test_copies_stay_and_strangers_go(worth):
    one = net(0)
    half = {**net(2), "b.weight": reordered(one)["b.weight"]}
    turned = {**net(3), "b.weight": np.ascontiguousarray(one["b.weight"].T)}
    states = {"one": one, "same": moved(one, 0.1), "units": moved(reordered(one), 0.1), "half": half, "turned": turned}
    strangers = {f"stranger{seed}": net(seed) for seed in range(10, 20)}
    assert worth(states | strangers) == states.keys() - {"one"}


def test_of_pairs_whose_sketches_agree_a_little_relatives_stay(worth):
    one = net(0)
    part = {**net(2), "c.weight": moved(one, 0.3)["c.weight"]}
    states = {"one": one, "far": moved(one, 1.5), "part": part, "units": moved(reordered(one), 0.1)}
    strangers = {f"stranger{seed}": net(seed) for seed in range(10, 20)}
    assert worth(states | strangers, similarity=0.15) == states.keys() - {"one"}


def test_what_has_more_to_speak_for_it_is_not_asked(worth):
    assert worth({"one": net(0), "stranger": net(1)}, similarity=0.31) == {"stranger"}


def test_a_pair_of_other_shapes_is_asked_by_what_it_shares(worth):
    one = net(0)
    longer = {**moved(one, 0.3), "d.weight": net(5)["b.weight"]}
    other = {**net(3), "d.weight": net(6)["b.weight"]}
    assert worth({"one": one, "longer": longer, "other": other}, similarity=0.2) == {"longer"}


def test_what_cannot_be_told_stays(worth):
    narrow = {name: w[:, :20] for name, w in net(1).items()}
    assert worth({"one": net(0), "narrow": narrow, "gone": net(2), "stranger": net(3)}, gone=["gone"]) == {
        "narrow",
        "gone",
    }


def test_an_answer_is_kept(worth):
    states = {"one": net(0), "units": reordered(net(0)), "stranger": net(1)}
    assert worth(states) == {"units"}
    done = []
    assert worth(states, done=done) == {"units"}
    assert done == [(2, 2)]


def test_an_answer_holds_for_the_sign_that_it_was_asked_by(worth, monkeypatch):
    """What invariants say of two models is asked of other matrices than what sketches say of them."""
    monkeypatch.setattr(recognition, "LOOKED_AT", 1)
    one = net(0)
    one["c.weight"] **= 3  # of tails that adding normal values takes away
    part = {**net(2), "c.weight": moved(one, 4.0)["c.weight"]}
    assert worth({"one": one, "part": part}) == set()
    assert worth({"one": one, "part": part}, similarity=0.15) == {"part"}
    assert worth({"one": one, "part": part}) == set()


def test_answers_are_serialised():
    assert [recognition.from_bytes(recognition.to_bytes(answer)) for answer in (True, False)] == [True, False]
    with pytest.raises(ValueError, match="no answer"):
        recognition.from_bytes(b"perhaps")
