"""Fits on made-up edges whose reliability is known."""

import math
import random

import numpy as np
import pytest

from lineage_graph.calibration import group
from lineage_graph.fitting.cues import LEAST_EDGES, TrueEdge, reliabilities
from lineage_graph.fitting.edges import Drawn, confidences, direction
from lineage_graph.fitting.regression import probability, slope
from lineage_graph.scoring import CUES


def test_a_slope_gives_the_share_of_right_answers():
    values = np.array([1.0] * 900 + [-1.0] * 100)
    assert 1 / (1 + math.exp(-slope(values))) == pytest.approx(0.9, abs=0.01)


def test_a_slope_stays_finite_where_all_are_right_and_0_where_half_are():
    assert 0 < slope(np.ones(20)) < 10
    assert slope(np.array([1.0, -1.0] * 50)) == pytest.approx(0.0, abs=1e-6)


def test_answers_that_are_all_alike_give_their_share():
    assert probability([{"score": 1.0}] * 8, [True] * 8)({"score": -5.0}) == pytest.approx(0.9)


def test_a_cue_is_worth_as_much_as_it_is_right():
    edges = [TrueEdge("f", "finetune", {"counter.epoch": 1.0 if i % 10 else -1.0}) for i in range(400)]
    found = reliabilities(edges)["counter.epoch"]
    assert (found.right, found.wrong, found.sign_prior) == (360, 40, 1.0)
    assert found.log_odds == pytest.approx(math.log(9), abs=0.1)


def test_a_rare_cue_keeps_its_prior():
    assert reliabilities([TrueEdge("f", "finetune", {"counter.epoch": 1.0})] * (LEAST_EDGES - 1)) == {}


def test_a_sign_that_differs_between_families_is_worth_what_it_is_within_one():
    """Half of the families go one way, half the other, each with every edge: nothing beforehand, much together."""
    edges = [
        TrueEdge(f"f{i}", "finetune", {"norm_growth": 1.0 if i % 2 else -1.0}) for i in range(20) for _ in range(6)
    ]
    found = reliabilities(edges)["norm_growth"]
    assert found.sign_prior == pytest.approx(0.5)
    assert found.log_odds > 2


def test_confidence_follows_what_was_right():
    """Edges with a margin are right, those without by half: the fitted probability says so."""
    generator = random.Random(0)
    edges = []
    for _ in range(600):
        margin = generator.choice([0.0, 3.0])
        linked = generator.random() < (0.98 if margin else 0.5)
        edges.append(Drawn("finetune", 0.9, 0.8, {"margin": margin}, linked, linked or None))
    fitted = confidences(edges)[group("finetune")]
    assert fitted({"score": math.log(9), "margin": 3.0}) == pytest.approx(0.98, abs=0.03)
    assert fitted({"score": math.log(9), "margin": 0.0}) == pytest.approx(0.5, abs=0.08)


def test_directions_that_claim_too_much_are_believed_less():
    edges = [Drawn("finetune", 1.0, 0.99, {}, True, index % 5 != 0) for index in range(400)]
    factor = direction(edges)
    assert 1 / (1 + math.exp(-factor * math.log(99))) == pytest.approx(0.8, abs=0.02)


def test_a_cue_that_was_never_wrong_keeps_its_prior():
    found = reliabilities([TrueEdge("f", "quantize", {"lattice_loss": 1.0})] * LEAST_EDGES)
    assert found["lattice_loss"].log_odds == CUES["lattice_loss"].log_odds


def test_counters_of_one_run_are_fitted_apart():
    name = "counter.num_batches_tracked"
    runs = [TrueEdge("f", "snapshot", {name: 1.0})] * 40
    others = [TrueEdge("g", "finetune", {name: 1.0 if i % 2 else -1.0}) for i in range(40)]
    found = reliabilities([*runs, *others])
    assert found[f"{name}@snapshot"].log_odds > 3 > 2 > found[name].log_odds
