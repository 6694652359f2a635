"""Columns against the fingerprints that they sum up."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fingerprints import model
from lineage_graph.grain import crowding
from lineage_graph.scale.population import crowdings, load
from lineage_graph.signals.lattice import digits
from lineage_graph.types import TensorFingerprint, TensorSpec
from scale_zoos import family, weights


def test_columns_sum_up_the_backbone(indexed):
    models = family("abcdefg", 0)
    rounded = {name: np.round(values * 4) / 4 for name, values in weights(np.random.default_rng(5)).items()}
    pruned = {
        name: np.where(np.abs(values) < 0.5, 0, values) for name, values in weights(np.random.default_rng(6)).items()
    }
    models += [model("rounded", rounded), model("pruned", pruned)]
    population = load([indexed(models)])
    by_id = {one.id: one for one in models}
    ids = population.facts.column("id", np.arange(len(models)))
    assert ids == [one.id for one in sorted(models, key=lambda one: (one.fingerprint.digest, one.id))]
    for row, name in enumerate(ids):
        matrices = [tensor for tensor in by_id[name].fingerprint.backbone if tensor.is_matrix]
        size = sum(tensor.spec.size for tensor in matrices)
        assert population.elements[row] == size
        assert population.squared_norm[row] == pytest.approx(sum(tensor.norm**2 for tensor in matrices))
        assert population.kurtosis[row] == pytest.approx(np.mean([tensor.kurtosis for tensor in matrices]))
        assert population.zeros[row] == pytest.approx(sum(t.spec.size * t.zeros for t in matrices) / size)
        assert population.digits[row] == pytest.approx(sum(t.spec.size * digits(t) for t in matrices) / size)
        counted = by_id[name].fingerprint.counters.get("num_batches_tracked", np.nan)
        assert population.counters["num_batches_tracked"][row] == pytest.approx(counted, nan_ok=True)
        assert population.sketches.take(np.array([row]))[0].tolist() == by_id[name].fingerprint.sketch.tolist()
    same = {name: population.content[row] for row, name in enumerate(ids)}
    assert same["a"] == same["f"]
    assert len(set(same.values())) == len(ids) - 1


def test_several_indexes_are_one_population(indexed):
    models = family("abcdefg", 0)
    whole = load([indexed(models, "whole")])
    parts = load([indexed(models[::2], "one"), indexed(models[1::2], "other")])
    rows = np.arange(len(models))
    assert parts.facts.column("id", rows) == whole.facts.column("id", rows)
    assert np.array_equal(parts.sketches.take(rows[::-1]), whole.sketches.take(rows[::-1]))
    assert parts.group.tolist() == whole.group.tolist()


@given(st.integers(16, 10**7), st.floats(0, 1), st.integers(0, 4096))
def test_crowding_is_that_of_one_tensor(size, zeros, levels):
    one = TensorFingerprint(TensorSpec("w", (size,), "float32"), "", 0, 1, 1, 3, zeros, True, np.zeros(0), 24, levels)
    found = crowdings(np.array([float(size)]), np.array([zeros]), np.array([float(levels)]))
    assert found[0] == pytest.approx(crowding(one))
