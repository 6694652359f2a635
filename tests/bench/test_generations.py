"""The closed-set protocol on toys: what is measured, how it is counted, and that nothing is measured twice."""

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch

from lineage_graph.bench import closed_set, generations
from lineage_graph.bench.closed_set import COMBINED, WEIGHTS_L1, WEIGHTS_L2, ScoreTask
from lineage_graph.bench.compared import DETECTOR
from lineage_graph.cached import Workshop
from lineage_graph.detector import stage
from lineage_graph.executors import SerialExecutor
from lineage_graph.features.folding import folded
from lineage_graph.features.models import load_network
from lineage_graph.features.probes import built_in
from lineage_graph.features.settings import ProbeSettings
from lineage_graph.features.similarity import SIMILARITIES
from lineage_graph.sources.grow import generations as recipe
from lineage_graph.store import Store
from lineage_graph.types import silent

METHODS = 2 * len(SIMILARITIES) + 1 + 3


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def toy(monkeypatch, cache):
    """Two roots and two models of each later generation, after a few steps, in this process."""
    monkeypatch.setattr(recipe, "PROPORTIONS", (2, 2, 2, 2))
    monkeypatch.setattr(recipe, "ORIGIN_STEPS", 4)
    monkeypatch.setattr(recipe, "STEPS", (3,))
    monkeypatch.setattr(generations, "MODELS", 9)
    monkeypatch.setattr(generations, "SEEDS", (0, 1))
    monkeypatch.setattr(generations, "FRESH", (1,))
    monkeypatch.setattr(generations, "PROBES", ProbeSettings(count=6))
    monkeypatch.setattr(generations, "default_cache", lambda: cache)
    monkeypatch.setattr(generations, "make_executor", SerialExecutor)


@pytest.fixture
def zoo(cache):
    return generations.grown(0, Workshop(SerialExecutor(), Store(cache), silent))


def rows(text):
    return [line for line in text.splitlines() if line.startswith("| ") and "---" not in line]


def test_a_run_tells_every_method_and_a_second_run_measures_nothing(monkeypatch, tmp_path):
    reports = []
    text = generations.run(tmp_path, lambda *report: reports.append(report))
    assert len(rows(text)) == 1 + 1 + METHODS + len(DETECTOR) + 1 + len(generations.PAPER)
    assert "| chance | 50.0 | 50.0 | 50.0 | 50.0 | 50.0 | 50.0 |" in text
    assert ("grow", 9, 9) in reports
    assert ("closed-set-scores", 6, 6) in reports

    def fail(task):
        raise AssertionError(task)

    monkeypatch.setattr(closed_set, "measure", fail)
    monkeypatch.setattr(stage, "ask", fail)
    assert generations.run(tmp_path, silent) == text


def test_every_later_model_has_one_ancestor_in_each_earlier_generation(zoo):
    assert [len(zoo.members(number)) for number in range(5)] == [1, 2, 2, 2, 2]
    for name in zoo.members(4):
        line = [zoo.ancestor(name, number) for number in range(5)]
        assert [zoo.generation[one] for one in line] == [0, 1, 2, 3, 4]
        assert all(zoo.parents[child] == parent for parent, child in itertools.pairwise(line))


def test_right_picks_are_counted(zoo):
    """A measure that knows the truth is always right, its negative never where there are two candidates."""
    later = [
        (one, child) for one in zoo.files for child in zoo.files if zoo.generation[child] > zoo.generation[one] > 0
    ]
    truth = {(one, child): float(zoo.ancestor(child, zoo.generation[one]) == one) for one, child in later}
    found = {pair: {"knows": value, "lies": -value} for pair, value in truth.items()}
    assert generations.accuracies(zoo, found) == {"knows": [100.0] * 6, "lies": [0.0] * 6}


def test_the_aims_are_counted_from_means_over_the_zoos():
    better = {"l1, without": [50.0] * 6, "l1, with": [60.0] * 5 + [50.0], "cka, without": [0.0] * 6}
    better["detector"] = [99.0] * 2 + [20.0] * 4
    result = {**better, "cka, with": [10.0] * 6, COMBINED: [99.0, 99.0, 59.0, 70.0, 70.0, 70.0]}
    text = generations.report([result, result], (2, 2, 2, 2))
    assert "l1 is better in 5 of 6 cells" in text
    assert "at least as good as the best single method in 5 cells, and" in text
    assert "the detector finds 99.0 % or more in 2." in text
    assert "+10.0 here, +8.5 there (90.5 → 98.9)" in text


def task(zoo, candidate, children):
    files = tuple(zoo.files[child] for child in children)
    return ScoreTask(zoo.files[candidate], files, recipe.ARCHITECTURE, ProbeSettings(count=6), 16)


def test_a_model_is_most_like_itself_by_every_measure(zoo):
    (root, other), child = zoo.members(1), zoo.members(4)[0]
    scores = closed_set.measure(task(zoo, root, [root, other, child]))
    assert len(scores) == METHODS
    for name, (itself, *others) in scores.items():
        assert itself >= max(others), name
    assert scores["l1, without"][0] == pytest.approx(0, abs=1e-7)
    assert scores[WEIGHTS_L1][0] == scores[WEIGHTS_L2][0] == 0


def test_weight_distances_are_of_the_body(zoo):
    a, b = (load_network(Path(zoo.files[name]), recipe.ARCHITECTURE) for name in zoo.members(1))
    gaps = np.concatenate([(a.parameters[name] - b.parameters[name]).flatten() for name in a.parameters])
    scores = closed_set.measure(task(zoo, zoo.members(1)[0], zoo.members(1)[1:]))
    assert scores[WEIGHTS_L1][0] == pytest.approx(-np.abs(gaps).mean(), rel=1e-5)
    assert scores[WEIGHTS_L2][0] == pytest.approx(-(gaps**2).mean(), rel=1e-5)
    assert not any(name.startswith("fc") for name in a.parameters)


def test_folding_keeps_the_function_and_empties_the_statistics(zoo):
    network = load_network(Path(zoo.files[zoo.members(2)[0]]), recipe.ARCHITECTURE)
    straight = folded(network)
    layer, probes = network.layer(1.0), built_in(4, (3, 16, 16))
    with torch.no_grad():
        before = network.features(layer, probes)(network.parameters)
        after = straight.features(layer, probes)(straight.parameters)
    torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-5)
    means = [values for name, values in straight.constants.items() if name.endswith("running_mean")]
    assert means
    assert not any(values.any() for values in means)


def test_the_likelihood_is_the_normal_one_at_its_best_variance():
    deviations = np.random.default_rng(0).normal(scale=0.3, size=50)
    scales = np.linspace(0.05, 2, 20_000)
    best = np.max(-25 * np.log(2 * np.pi * scales**2) - np.square(deviations).sum() / (2 * scales**2))
    ours = closed_set.likelihood(float(np.square(deviations).mean()), 50)
    assert ours - 25 * (1 + np.log(2 * np.pi)) == pytest.approx(best, abs=1e-3)
    assert closed_set.likelihood(0.0, 50) > ours
