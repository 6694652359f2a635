import numpy as np
import pytest
from scipy import stats

from lineage_graph.moments import SAMPLED_BLOCKS, Moments
from lineage_graph.sketch import BLOCK


def of(values):
    values = np.asarray(values, dtype=np.float32)
    moments = Moments(values.size)
    moments.add(values)
    return moments


@pytest.mark.parametrize("offset", [0.0, 1.0, 100.0])
@pytest.mark.parametrize("size", [5, 1000, 100_000])
def test_moments_agree_with_scipy_in_float64(size, offset):
    values = (np.random.default_rng(size).standard_t(8, size) + offset).astype(np.float32)
    exact = values.astype(np.float64)
    moments = of(values)
    assert moments.finite
    assert moments.mean == pytest.approx(exact.mean(), rel=1e-5, abs=1e-6)
    assert moments.std == pytest.approx(exact.std(), rel=1e-4)
    assert moments.squares == pytest.approx(np.sum(exact**2), rel=1e-5)
    assert moments.kurtosis == pytest.approx(stats.kurtosis(exact, fisher=False), rel=1e-3)


def test_large_tensors_are_sampled_for_their_shape_but_not_for_their_norm():
    values = np.random.default_rng(0).standard_normal(40 * SAMPLED_BLOCKS * BLOCK // 4).astype(np.float32)
    values[::4] = 0
    moments = of(values)
    assert moments.squares == pytest.approx(np.sum(values.astype(np.float64) ** 2), rel=1e-5)
    assert moments.std == pytest.approx(values.std(), rel=0.01)
    assert moments.zeros == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize("value", [0.0, 1.0, 0.1, 1e-8, -3.3e7])
def test_equal_values_have_no_spread(value):
    moments = of(np.full(100_000, value))
    assert (moments.std, moments.kurtosis, moments.finite) == (0.0, 0.0, True)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_damage_is_noticed(bad):
    values = np.ones(1000, dtype=np.float32)
    values[777] = bad
    assert not of(values).finite


def test_an_attention_mask_is_no_damage():
    assert of(np.where(np.tri(40).ravel() > 0, 0, -np.inf)).finite


def test_huge_finite_weights_are_no_damage():
    moments = of(np.array([3e38, -3e38, 2e38] * 40))
    assert moments.finite
    assert moments.mean == pytest.approx(2e38 / 3, rel=1e-6)
    assert np.isfinite([moments.std, moments.kurtosis, moments.squares]).all()


@pytest.mark.parametrize("values", [np.tri(70), np.where(np.tri(70) > 0, 3.0, -9.0), np.eye(90)])
def test_two_values_are_known_by_their_moments(values):
    assert of(values.ravel()).two_valued


def test_weights_are_not_two_valued():
    generator = np.random.default_rng(0)
    signs = generator.choice([-1, 1], 5000)
    assert not of(signs + 0.05 * generator.standard_normal(5000)).two_valued
    assert not of(generator.standard_normal(5000)).two_valued
    assert not of(np.zeros(50)).two_valued


def test_a_mask_is_told_from_damage():
    assert of(np.where(np.tri(40).ravel() > 0, 0, -np.inf)).masked
    assert not of(np.arange(5)).masked
