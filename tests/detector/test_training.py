"""A tiny training, from made-up families: it learns, it resumes to the same bytes, and its card says what it is."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from detector.made_up import noise_zoo
from lineage_graph.detector import card, dataset
from lineage_graph.detector.augment import augmented
from lineage_graph.detector.card import Card
from lineage_graph.detector.dataset import ask, draw
from lineage_graph.detector.evaluation import measure
from lineage_graph.detector.images import gather
from lineage_graph.detector.neural import training
from lineage_graph.detector.neural.training import TrainingSettings, train
from lineage_graph.detector.score import TrainedDetector
from lineage_graph.detector.zoos import split
from lineage_graph.store import Store

PARENTS = (None, None, 0, 0, 1, 1, 2, 2, 3, 4, 5, 5)
GENERATIONS = (1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3)
SETTINGS = TrainingSettings(steps=40, batch=8, most=6, every=10, watched=40, rate=3e-3)


def made_up_zoo(seed, drift=0.1):
    return noise_zoo(seed, PARENTS, GENERATIONS, drift=drift)


@pytest.fixture(scope="module")
def zoos():
    return [made_up_zoo(seed, drift) for seed, drift in enumerate((0.05, 0.1, 0.2, 0.3, 0.1, 0.2))]


@pytest.fixture(scope="module")
def trained(zoos, tmp_path_factory):
    lines = []
    network = train(SETTINGS, zoos[:4], zoos[4:5], Store(tmp_path_factory.mktemp("store")), lines.append)
    return network, lines


def test_it_is_better_than_chance_on_zoos_that_it_has_not_seen(trained, zoos):
    network, lines = trained
    found = measure(TrainedDetector(network, Card(shape={})), zoos[5:])
    closed = [question for _, _, question in dataset.closed(zoos[5])]
    chance = np.mean([1 / len(question.candidates) for question in closed])
    assert found.closed > (1 + chance) / 2
    assert found.strangers == len(PARENTS)
    assert found.questions == len(closed) + 10 + 12 + 10
    assert lines[-1].startswith("step 40 of 40: loss ")
    assert len(lines) == 4


def test_a_training_that_was_stopped_ends_in_the_same_bytes(trained, zoos, tmp_path):
    class StoppedError(Exception):
        pass

    def stop(line):
        if line.startswith("step 20 "):
            raise StoppedError

    store, lines = Store(tmp_path), []
    with pytest.raises(StoppedError):
        train(SETTINGS, zoos[:4], zoos[4:5], store, stop)
    again = train(SETTINGS, zoos[:4], zoos[4:5], store, lines.append)
    assert [line.split(":")[0] for line in lines] == ["step 30 of 40", "step 40 of 40"]
    assert card.to_bytes(again, Card(shape={})) == card.to_bytes(trained[0], Card(shape={}))


def test_it_stops_early(zoos, tmp_path, monkeypatch):
    losses = iter([3.0, 1.0, 2.0, 2.0, 2.0])
    monkeypatch.setattr(training, "examine", lambda *_: (next(losses), 0.5))
    lines = []
    settings = TrainingSettings(steps=1000, batch=1, most=2, every=1, watched=1, patience=2)
    train(settings, zoos[:2], zoos[4:5], Store(tmp_path), lines.append)
    assert len(lines) == 5


def test_what_training_has_shown(zoos):
    ranges = training.shown(replace(SETTINGS, steps=5), zoos[:2])
    assert set(ranges) == {"weights", "features"}
    assert all(low <= high for kind in ranges.values() for low, high in kind.values())
    assert ranges["weights"]["drift"][0] < np.log(0.1)


def test_the_answer_is_the_nearest_ancestor_that_is_there(zoos):
    zoo = zoos[0]
    assert ask(zoo, 6, [3, 2, 0]).target == 1
    assert ask(zoo, 6, [3, 0]).target == 1
    assert ask(zoo, 6, [3, 7, 1]).target == 3
    assert ask(zoo, 0, [2, 6]).target == 2


def test_exams_ask_what_they_say(zoos):
    zoo = zoos[0]
    asked = [(old, young, len(q.candidates), q.target) for old, young, q in dataset.closed(zoo)]
    assert all(
        (old, count) in ((1, 2), (2, 4)) and young > old and target < count for old, young, count, target in asked
    )
    assert len(asked) == 4 + 6 + 6
    assert all(question.target == len(question.candidates) > 0 for question in dataset.strangers(zoo))
    for child, question in zip(range(2, 12), dataset.orphans(zoo), strict=True):
        gone = {child, *zoo.ancestors(child), *(model for model in range(12) if child in zoo.ancestors(model))}
        assert question.target == len(question.candidates) == 12 - len(gone)
    for child, question in zip(range(2, 12), dataset.opened(zoo), strict=True):
        assert question.candidates[question.target] is zoo.portraits[PARENTS[child]]
        below = [model for model in range(12) if child in zoo.ancestors(model)]
        assert len(question.candidates) == 11 - len(below)


def test_drawn_questions_are_of_every_kind(zoos):
    drawn = [draw(zoos, np.random.default_rng(seed), 6) for seed in range(200)]
    assert {len(question.candidates) for question in drawn} == set(range(1, 7))
    nobody = sum(question.target == len(question.candidates) for question in drawn)
    assert 40 < nobody < 120
    assert all(question.child not in question.candidates for question in drawn)


def test_parent_and_grandparent_are_often_side_by_side(zoos):
    zoo = zoos[0]
    both = [q for q in (draw([zoo], np.random.default_rng(seed), 6) for seed in range(300)) if _shows_both(zoo, q)]
    assert len(both) > 20
    assert all(zoo.portraits[PARENTS[_number(zoo, q.child)]] is q.candidates[q.target] for q in both)


def _number(zoo, portrait):
    return next(number for number, one in enumerate(zoo.portraits) if one is portrait)


def _shows_both(zoo, question):
    line = list(zoo.ancestors(_number(zoo, question.child)))
    shown = {_number(zoo, one) for one in question.candidates}
    return len(line) > 1 and shown.issuperset(line[:2])


def test_augmentation_leaves_the_nearest_candidate_the_nearest(zoos):
    question = ask(zoos[0], 6, [3, 2, 0, 1, 5])
    layers = gather(question.child, question.candidates)
    kinds = set()
    for seed in range(60):
        made = augmented(layers, question.target, np.random.default_rng(seed))
        kinds.add((len(made), made[0].child.shape))
        for one in made:
            distances = np.linalg.norm(one.parents - one.child, axis=(1, 2))
            assert np.argmin(distances) == question.target
    assert len(kinds) > 10


@pytest.mark.parametrize(("count", "parts"), [(3, (1, 1, 1)), (10, (7, 1, 2)), (30, (21, 3, 6))])
def test_no_zoo_is_on_two_sides(count, parts):
    numbers = list(range(count))
    found = split(numbers)
    assert tuple(map(len, found)) == parts
    assert list(itertools.chain(*found)) == numbers


def test_two_zoos_cannot_be_split():
    with pytest.raises(ValueError, match="2 zoos"):
        split([1, 2])
