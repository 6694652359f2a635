import numpy as np
import pytest

from lineage_graph import sketch


def project(values, mean=0.0):
    projection = sketch.Projection()
    projection.add(np.asarray(values, dtype=np.float32).reshape(-1))
    return projection.centred(mean)


@pytest.mark.parametrize("size", [700, 20_000, 200_000])
def test_squared_distances_of_sketches_estimate_those_of_the_weights(size):
    generator = np.random.default_rng(0)
    ratios = []
    for _ in range(50):
        a = generator.standard_normal(size)
        b = a + 0.3 * generator.standard_normal(size)
        ratios.append(np.sum((project(a) - project(b)) ** 2) / np.sum((a - b) ** 2))
    # A count sketch of 512 buckets has a relative standard deviation of √(2/512) = 0.0625; the mean of 50 has 0.009.
    assert np.mean(ratios) == pytest.approx(1, abs=0.04)
    assert np.std(ratios) < 0.0625 * 1.5


def test_small_tensors_are_kept_exactly():
    values = np.random.default_rng(1).standard_normal(60)
    assert np.sum(project(values) ** 2) == pytest.approx(np.sum(values**2), rel=1e-5)
    assert np.sum(sketch.narrow(project(values)) ** 2) == pytest.approx(np.sum(values**2), rel=1e-5)


def test_columns_that_hold_all_the_energy_spread_over_the_buckets():
    generator = np.random.default_rng(2)
    cosines = []
    for _ in range(40):
        a, b = (generator.standard_normal((400, 512)) * (np.arange(512) < 2) for _ in range(2))
        cosines.append(project(a) @ project(b) / np.linalg.norm(a) / np.linalg.norm(b))
    # Without the shift the two columns would fall into two buckets: a spread of 0.7.
    assert np.std(cosines) < 0.25


def test_the_mean_is_taken_out_whatever_the_length():
    values = np.random.default_rng(3).standard_normal(sketch.BLOCK + 321) + 5
    exact = project(values - values.mean())
    assert np.allclose(project(values, float(values.mean())), exact, atol=0.2)


def test_pieces_add_up_to_the_whole():
    values = np.random.default_rng(4).standard_normal(3 * sketch.BLOCK + 5).astype(np.float32)
    pieces = sketch.Projection()
    for start in range(0, values.size, sketch.BLOCK):
        pieces.add(values[start : start + sketch.BLOCK])
    assert np.array_equal(pieces.centred(0.0), project(values))
