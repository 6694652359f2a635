"""Images and scalars of a question: free of scale, sign and order, with the tree's geometry in the numbers."""

import dataclasses

import numpy as np
import pytest

from detector.made_up import portrait
from lineage_graph.detector.images import FEATURES, FLOOR, LARGEST, SCALARS, WEIGHTS, gather, plane


def planes_of(child, candidates):
    return [plane(layer) for layer in gather(child, candidates)]


def scalar(one, name):
    return one.scalars[:, SCALARS.index(name)]


def scaled(model, factor):
    """The same model in other units."""
    return portrait([factor * t.values for t in (*model.weights, *model.features)])


def exploded(model):
    """The same model with values that float32 holds, but not their squares."""

    def each(thumbnails):
        return tuple(dataclasses.replace(t, values=t.values * np.float32(1e25), rms=1e25 * t.rms) for t in thumbnails)

    return dataclasses.replace(model, weights=each(model.weights), features=each(model.features))


def test_shapes(family):
    planes = planes_of(*family)
    assert [one.kind for one in planes] == [WEIGHTS] * 3 + [FEATURES]
    assert [one.images.shape for one in planes] == [
        (5, 2, 16, 14),
        (5, 2, 16, 16),
        (5, 2, 8, 16),
        (5, 2, 16, 16),
    ]
    assert all(one.scalars.shape == (5, len(SCALARS)) for one in planes)


def test_scale_makes_no_difference(family):
    child, candidates = family
    plain = planes_of(child, candidates)
    large = planes_of(scaled(child, 1000.0), [scaled(one, 1000.0) for one in candidates])
    for one, other in zip(plain, large, strict=True):
        np.testing.assert_allclose(one.images, other.images, atol=1e-4)
        np.testing.assert_allclose(one.scalars, other.scalars, atol=1e-3)


@pytest.mark.parametrize("drift", [0.01, 0.1, 0.5])
def test_a_parent_looks_alike_however_far_the_child_drifted(drift):
    generator = np.random.default_rng(1)
    parents = [[generator.standard_normal((32, 32))] * 2 for _ in range(3)]
    child = [parents[0][0] + drift * generator.standard_normal((32, 32))] * 2
    one = planes_of(portrait(child), [portrait(values) for values in parents])[0]
    assert np.sqrt(np.mean(np.expm1(np.abs(one.images[0, 0])) ** 2)) == pytest.approx(1, abs=0.1)
    assert scalar(one, "excess")[0] == pytest.approx(0, abs=1e-6)
    assert scalar(one, "excess")[1:].min() > 0.3
    assert scalar(one, "drift")[0] == pytest.approx(np.log(drift / np.sqrt(1 + drift**2)), abs=0.1)


def test_the_order_of_candidates_is_kept_and_makes_no_difference(family):
    child, candidates = family
    order = [3, 0, 4, 2, 1]
    for one, other in zip(planes_of(child, candidates), planes_of(child, [candidates[i] for i in order]), strict=True):
        np.testing.assert_allclose(one.images[order], other.images, atol=1e-6)
        np.testing.assert_allclose(one.scalars[order], other.scalars, atol=1e-4)


def test_the_trees_geometry_tells_parents_from_siblings():
    generator = np.random.default_rng(2)

    def step(values, size):
        return values + size * generator.standard_normal(values.shape)

    grandparent = generator.standard_normal((32, 32))
    parent = step(grandparent, 0.2)
    child, sibling, grandchild = step(parent, 0.2), step(parent, 0.2), None
    grandchild = step(child, 0.2)
    models = [portrait([values, values]) for values in (grandparent, parent, sibling, grandchild)]
    one = planes_of(portrait([child, child]), models)[0]
    assert np.abs(scalar(one, "between")[1]) < 0.2
    assert scalar(one, "farthest beyond")[1] == pytest.approx(1, abs=0.1)
    assert scalar(one, "nearest beyond")[3] == pytest.approx(1, abs=0.1)
    without = planes_of(portrait([child, child]), [models[0], models[2]])[0]
    assert scalar(without, "beyond")[1] == pytest.approx(0.5, abs=0.1)
    assert scalar(without, "between")[1] > 0.8


def test_layers_that_only_some_candidates_have(family):
    child, candidates = family
    short = dataclasses.replace(candidates[1], weights=candidates[1].weights[:1])
    other = dataclasses.replace(
        candidates[2], weights=tuple(dataclasses.replace(t, shape=(9, 9)) for t in candidates[2].weights), features=()
    )
    planes = planes_of(child, [candidates[0], short, other])
    assert [one.present.tolist() for one in planes] == [[True, True, False]] + [[True, False, False]] * 2 + [
        [True, True, False]
    ]
    assert all(not np.any(one.scalars[~one.present]) and np.isfinite(one.scalars).all() for one in planes)
    assert gather(child, [other]) == []


def test_twins_frozen_layers_and_a_single_candidate(family):
    child, candidates = family
    for one in planes_of(child, [child, candidates[0]]):
        assert np.isfinite(one.images).all()
        assert scalar(one, "drift")[0] == pytest.approx(max(-LARGEST, np.log(FLOOR)))
    for one in planes_of(child, candidates[:1]):
        assert not np.any(one.scalars[:, -4:])


@pytest.mark.filterwarnings("error")
def test_layers_too_large_to_be_squared_are_left_out(family):
    child, candidates = family
    whole = len(gather(child, candidates))
    assert gather(exploded(child), candidates) == []
    layers = gather(child, [exploded(candidates[0]), *candidates[1:]])
    assert len(layers) == whole
    assert all(not layer.present[0] and np.isfinite(plane(layer).scalars).all() for layer in layers)
