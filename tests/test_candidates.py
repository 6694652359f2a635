import dataclasses

import numpy as np
import pytest

from fingerprints import model
from lineage_graph.candidates import CandidateSettings, nearest, propose, shortlists
from lineage_graph.types import LinearizedFeatures


def family(seed, size, shapes=((32, 16), (32, 32), (8, 32)), drift=0.3):
    """A root and its children, as arrays by name."""
    generator = np.random.default_rng(seed)
    root = {f"l{i}.weight": generator.standard_normal(shape) for i, shape in enumerate(shapes)}
    yield root
    for _ in range(size - 1):
        yield {name: w + drift * generator.standard_normal(w.shape) for name, w in root.items()}


def zoo(families=4, size=5):
    return [model(f"f{f}-{i}", state) for f in range(families) for i, state in enumerate(family(f, size))]


SKETCHES = CandidateSettings(alike=0)


def found(models, settings=SKETCHES):
    return {frozenset((p.a, p.b)) for p in propose(models, settings)}


def test_relatives_are_proposed_and_strangers_are_not():
    proposed = found(zoo())
    within = {frozenset((f"f{f}-{i}", f"f{f}-{j}")) for f in range(4) for i in range(5) for j in range(i)}
    assert within <= proposed
    assert len(proposed - within) <= 0.02 * 4 * 5 * 15  # 0.12 is 2.7 standard deviations of a stranger's sketch


def test_a_backbone_under_another_prefix_with_other_layers_is_found():
    (root, *_), (other, *_) = list(family(0, 1)), list(family(1, 1))
    transplanted = {f"body.{name}": w for name, w in root.items()} | {
        "neck.weight": np.random.default_rng(5).standard_normal((40, 24))
    }
    models = [model("root", root), model("stranger", other), model("child", transplanted)]
    assert found(models) == {frozenset(("root", "child"))}


def test_the_order_of_the_models_does_not_matter():
    models = zoo()
    expected = sorted(propose(models), key=lambda p: (p.a, p.b))
    assert sorted(propose(models[::-1]), key=lambda p: (p.a, p.b)) == expected


def test_an_unrelated_model_changes_no_other_pair():
    models = zoo()
    stranger = model("stranger", next(family(99, 1)))
    with_stranger = {p for p in propose([*models, stranger], SKETCHES) if "stranger" not in (p.a, p.b)}
    assert with_stranger == set(propose(models, SKETCHES))


def test_models_without_matrices_are_never_proposed():
    models = [model(name, {"b": np.arange(5.0) + i}) for i, name in enumerate("ab")]
    assert propose(models) == ()


@pytest.mark.parametrize("count", [0, 1])
def test_nothing_to_pair(count):
    assert propose(zoo()[:count]) == ()


def test_approximate_search_finds_what_exact_search_finds():
    generator = np.random.default_rng(0)
    centres = generator.standard_normal((60, 64))
    vectors = np.repeat(centres, 10, axis=0) + 0.4 * generator.standard_normal((600, 64))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    exact = CandidateSettings(neighbours=5)
    approximate = dataclasses.replace(exact, exact_below=1)
    truth = {(i, j) for i, j, _ in nearest(vectors, exact)}
    recall = len(truth & {(i, j) for i, j, _ in nearest(vectors, approximate)}) / len(truth)
    assert recall >= 0.95


def with_features(models, group="net 3x8x8", seed=0):
    """Features that tell more than weights do: models whose weights are equally far apart lie on a line."""
    generator = np.random.default_rng(seed)
    start, step = generator.standard_normal((2, 32))
    features = [(start + 0.1 * place * step).astype(np.float32) for place in range(len(models))]
    return [
        dataclasses.replace(one, features=LinearizedFeatures(group, "", values / norm, values / norm))
        for one, values in zip(models, features, strict=True)
        for norm in [np.float32(np.linalg.norm(values))]
    ]


def test_of_models_equally_near_by_weights_features_choose():
    models = with_features([model(f"m{i}", state) for i, state in enumerate(list(family(0, 13))[1:])])
    settings = CandidateSettings(neighbours=1, alike=0)
    line = {frozenset((f"m{i}", f"m{i + 1}")) for i in range(11)}
    by_weights = found([dataclasses.replace(one, features=None) for one in models], settings)
    assert len(found(models, settings) & line) > len(by_weights & line)
    assert found(models, settings) <= line


def test_features_make_no_relatives_of_strangers():
    strangers = with_features([model(f"s{i}", next(family(i, 1))) for i in range(6)])
    assert found(strangers) == found([dataclasses.replace(one, features=None) for one in strangers])


def test_a_model_without_features_is_found_by_its_weights():
    models = [model(f"m{i}", state) for i, state in enumerate(family(0, 4))]
    mixed = [*with_features(models[:3]), dataclasses.replace(models[3], features=LinearizedFeatures("", "no network"))]
    assert found(mixed) == found(models)


def test_features_of_different_inputs_are_not_compared():
    models = [model(f"m{i}", state) for i, state in enumerate(family(0, 4))]
    mixed = [*with_features(models[:2], "net 3x8x8"), *with_features(models[2:], "net 3x9x9")]
    assert found(mixed) == found(models)


def test_equal_features_leave_the_choice_to_the_weights():
    """A frozen backbone: the distance in function space is 0 for all, and must not drown the other."""
    models = [model(f"m{i}", state) for i, state in enumerate(family(0, 8))]
    values = np.ones(32, dtype=np.float32) / np.float32(np.sqrt(32))
    frozen = [dataclasses.replace(one, features=LinearizedFeatures("net", "", values, values)) for one in models]
    settings = CandidateSettings(neighbours=2, alike=0)
    assert found(frozen, settings) == found(models, settings)


def test_a_shortlist_is_of_ones_own_nearest_the_nearest_first():
    models = with_features([model(f"m{i}", state) for i, state in enumerate(list(family(0, 6))[1:])])
    found = shortlists(models, CandidateSettings(neighbours=2, alike=0))
    assert found["m0"] == ["m1", "m2"]
    assert found["m4"] == ["m3", "m2"]
    assert shortlists([model("alone", next(family(0, 1)))]) == {"alone": []}
