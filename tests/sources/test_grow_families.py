"""The recipe ``families``: one architecture and one pace a zoo, strangers of one shape, four generations."""

from collections import Counter

import pytest

from lineage_graph.errors import ManifestError
from lineage_graph.executors import SerialExecutor
from lineage_graph.sources.grow import families, grow
from lineage_graph.sources.grow.families import ARCHITECTURES, MIN_MODELS, PACES, architecture, plan


def test_generations_descend_from_all_roots_but_the_last():
    zoo = plan(28, 1000)
    assert Counter(model.generation for model in zoo) == {1: 3, 2: 5, 3: 8, 4: 12}
    by_name = {model.name: model for model in zoo}
    assert all(by_name[m.parent].generation == m.generation - 1 for m in zoo if m.parent)
    assert zoo[2].name not in {model.parent for model in zoo}
    assert {model.architecture for model in zoo} == {architecture(1000)}
    assert len({model.seed for model in zoo}) == 28


def test_consecutive_seeds_cover_every_architecture_at_every_pace():
    covered = set()
    for seed in range(1000, 1000 + len(ARCHITECTURES) * len(PACES)):
        rates = [m.learning_rate for m in plan(28, seed) if m.parent and m.optimizer == "sgd"]
        pace = [number for number, pace in enumerate(PACES) if pace["sgd"][0] <= min(rates) <= max(rates)]
        fits = [number for number in pace if max(rates) <= PACES[number]["sgd"][1]]
        covered |= {(architecture(seed), number) for number in fits}
    assert len(covered) == len(ARCHITECTURES) * len(PACES)
    assert plan(28, 1000) == plan(28, 1000) != plan(28, 1018)


@pytest.mark.parametrize("models", [0, MIN_MODELS - 1, 1001])
def test_impossible_numbers_of_models(models):
    with pytest.raises(ManifestError, match="is not between 6 and 1000"):
        plan(models, 1000)


@pytest.mark.parametrize("number", range(len(ARCHITECTURES)))
def test_every_architecture_grows(number, monkeypatch, tmp_path):
    monkeypatch.setattr(families, "ROOT_STEPS", 2)
    monkeypatch.setattr(families, "STEPS", (1,))
    zoo = grow("families", MIN_MODELS, number, tmp_path, SerialExecutor())
    assert len(zoo.models) == MIN_MODELS
    assert {model.arch for model in zoo.models} == {list(ARCHITECTURES)[number]}
