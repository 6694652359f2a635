"""The zoo of four generations: its plan, and a toy of it that is really grown."""

import itertools
from collections import Counter

import pytest
import yaml
from safetensors.numpy import load_file

from lineage_graph.errors import ManifestError
from lineage_graph.executors import SerialExecutor
from lineage_graph.sources.grow import generations, grow
from lineage_graph.sources.grow.generations import plan


@pytest.mark.parametrize(
    ("models", "sizes"), [(68, [1, 5, 12, 20, 30]), (5, [1, 1, 1, 1, 1]), (27, [1, 1, 4, 7, 14]), (500, None)]
)
@pytest.mark.parametrize("seed", [0, 1])
def test_a_plan_is_four_generations_below_one_origin(models, sizes, seed):
    zoo = plan(models, seed)
    assert sorted(model.name for model in zoo) == [f"m{n:0{max(2, len(str(models)))}}" for n in range(1, models + 1)]
    counts = Counter(model.generation for model in zoo)
    assert sizes is None or [counts[number] for number in range(5)] == sizes
    seen = {}
    for model in zoo:
        parent = seen.get(model.parent)
        assert model.generation == (0 if parent is None else parent.generation + 1)
        assert parent is None or model.task != parent.task
        seen[model.name] = model
    assert [model.parent for model in zoo].count(None) == 1
    assert len({model.seed for model in zoo}) == models


def test_the_plan_follows_from_the_count_and_the_seed():
    assert plan(68, 0) == plan(68, 0)
    assert len({tuple((m.parent, m.name) for m in plan(68, seed)) for seed in range(4)}) == 4


def test_children_are_trained_in_mixed_ways_but_about_equally_far():
    children = [model for model in plan(68, 0) if model.parent]
    assert {model.optimizer for model in children} == {"sgd", "adamw"}
    assert len({model.task for model in children}) == 8
    for optimizer in ("sgd", "adamw"):
        rates = [model.learning_rate for model in children if model.optimizer == optimizer]
        assert max(rates) <= 2 * min(rates)


@pytest.mark.parametrize("models", [0, 4, 1001])
def test_impossible_numbers_of_models(models):
    with pytest.raises(ManifestError, match=rf"models: {models} is not between 5 and 1000"):
        plan(models, 0)


def test_a_toy_is_grown_with_its_truth(monkeypatch, tmp_path):
    monkeypatch.setattr(generations, "ORIGIN_STEPS", 3)
    monkeypatch.setattr(generations, "STEPS", (2,))
    zoo = grow("generations", 5, 0, tmp_path, SerialExecutor())
    chain = [f"generations-0/{model.name}" for model in plan(5, 0)]
    edges = yaml.safe_load(zoo.truth.read_text())["edges"]
    assert {(edge["parent"], edge["child"]) for edge in edges} == set(itertools.pairwise(chain))
    weights = {model.id: load_file(model.path)["layer2.0.conv1.weight"] for model in zoo.models}
    steps = [abs(weights[a] - weights[b]).mean() for a, b in itertools.pairwise(chain)]
    assert all(0 < step < abs(weights[chain[0]]).mean() for step in steps)
