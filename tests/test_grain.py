import numpy as np
import pytest

from fingerprints import tensor
from lineage_graph.grain import QUANTILES, crowding, row_length


def of(values, name="w"):
    return tensor(name, values)[0]


@pytest.fixture
def weights():
    return np.random.default_rng(0).standard_normal((120, 200)).astype(np.float32) * np.float32(0.05)


def bfloat16(values):
    """Rounded to nearest by the usual trick on the bits."""
    bits = values.view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) & np.uint32(0xFFFF0000)).view(np.float32)


def test_bits_are_the_digits_that_the_values_use(weights):
    assert of(weights).bits == 24
    assert of(weights.astype(np.float16)).bits == 11
    assert of(bfloat16(weights)).bits == 8
    integers = np.round(weights / np.abs(weights).max() * 127)
    assert of(integers).bits == of(integers / 64).bits == 7
    assert of(np.sign(weights)).bits == of(np.zeros((4, 9))).bits == 1


def test_levels_are_few_on_a_lattice_and_as_many_as_values_otherwise(weights):
    assert crowding(of(weights)) < 1.01
    step = np.abs(weights).max() / 127
    assert 50 < of(np.round(weights / step) * step).levels <= 255
    rows = np.abs(weights).max(axis=1, keepdims=True) / 127
    assert crowding(of(np.round(weights / rows) * rows)) > 1.5


def test_zeros_are_no_level(weights):
    pruned = np.where(np.abs(weights) < 0.08, 0, weights)
    assert of(pruned).zeros > 0.8
    assert crowding(of(pruned)) < 1.05
    assert of(np.zeros((4, 9))).levels == 0
    assert crowding(of(np.zeros((4, 9)))) == 1


def test_a_profile_outlives_permutation_scaling_and_zero_units(weights):
    generator = np.random.default_rng(1)
    plain = of(weights).profile
    assert plain.shape == (QUANTILES,)
    assert np.all(np.diff(plain) >= 0)
    scaled = weights * np.exp(generator.standard_normal((120, 1))).astype(np.float32)
    shuffled = scaled[generator.permutation(120)][:, generator.permutation(200)]
    assert np.allclose(of(shuffled).profile, plain, rtol=1e-5)
    assert np.allclose(of(np.vstack([shuffled, np.zeros((9, 200))])).profile, plain, rtol=1e-5)
    other = np.random.default_rng(2).standard_t(5, (120, 200))
    assert not np.allclose(of(other).profile, plain, rtol=0.01)


@pytest.mark.parametrize("shape", [(3, 300_000), (1000, 700), (1, 2048, 9, 16)])
def test_a_sample_of_a_large_matrix_comes_near_the_whole(shape):
    values = np.random.default_rng(3).standard_normal(shape).astype(np.float32)
    rows = values.reshape(-1, row_length(shape))
    rows = np.sort(np.abs(rows / np.sqrt(np.mean(rows**2, axis=1, keepdims=True))).ravel())
    exact = rows[((np.arange(QUANTILES) + 0.5) / QUANTILES * rows.size).astype(int)]
    assert np.allclose(of(values * np.float32(7)).profile, exact, rtol=0.03, atol=0.005)


def test_what_is_no_weight_matrix_has_no_profile(weights):
    assert of(weights[0]).profile.size == 0
    assert of(weights, "bn.running_mean").profile.size == 0
