"""What a few slices of weights tell: relatives are found, strangers are not, and the blind spots are known as such."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from lineage_graph import slices
from lineage_graph.checkpoints import open_checkpoint
from lineage_graph.slices import LENGTH, SLICES, Sample, akin, take
from lineage_graph.types import FloatArray, TensorSpec

Weights = Mapping[str, FloatArray]


def network(seed: int, width: int = 64, layers: int = 8) -> dict[str, FloatArray]:
    generator = np.random.default_rng(seed)
    shapes = {f"blocks.{number}.weight": (width, width) for number in range(layers)}
    shapes |= {f"blocks.{number}.bias": (width,) for number in range(layers)}
    return {name: generator.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}


def child(parent: Weights, seed: int, strength: float = 0.5) -> dict[str, FloatArray]:
    generator = np.random.default_rng(seed)
    return {name: w + strength * generator.standard_normal(w.shape).astype(np.float32) for name, w in parent.items()}


def sampled(weights: Weights, form: str = "safetensors", dtype: str = "float32") -> Sample:
    specs = [TensorSpec(name, values.shape, dtype) for name, values in weights.items()]
    return take(specs, form, "", {}, lambda name, start, count: weights[name].reshape(-1)[start : start + count])


def relatives(*samples: Sample) -> list[bool]:
    return akin(samples, [f"digest {number}" for number in range(len(samples))])


def test_a_sample_is_the_same_whether_it_is_read_from_a_file_or_from_parts(tmp_path: Path) -> None:
    weights = {"big.weight": np.random.default_rng(0).standard_normal((1200, 1000)).astype(np.float32), **network(1)}
    save_file(weights, tmp_path / "model.safetensors")
    with open_checkpoint(tmp_path / "model.safetensors") as reader:
        read = take(reader.tensors, reader.format, "", {}, slices.slicer(reader))
    whole = sampled(weights)
    assert len(whole.keys) == SLICES
    assert read.keys == whole.keys
    assert np.array_equal(read.slices, whole.slices)
    assert np.array_equal(read.quantiles, whole.quantiles)
    assert slices.to_bytes(slices.from_bytes(slices.to_bytes(read))) == slices.to_bytes(read)
    with pytest.raises(ValueError, match="no sample"):
        slices.from_bytes(b"{}")


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.0, 2.0))
def test_a_child_is_akin_to_its_parent_and_strangers_are_to_nobody(seed: int, strength: float) -> None:
    parent, stranger = network(seed), network(seed + 1)
    assert relatives(sampled(parent), sampled(stranger), sampled(child(parent, seed + 2, strength))) == [
        True,
        False,
        True,
    ]


def test_equal_bytes_are_one_model_and_need_no_reading() -> None:
    one, other = sampled(network(0)), sampled(network(1))
    assert akin([one, one, other], ["same", "same", "other"]) == [False, False, False]
    assert akin([one, one, sampled(child(network(0), 2))], ["same", "same", "other"]) == [True, True, True]


def test_half_of_the_layers_are_enough() -> None:
    parent, other = network(0), network(1)
    spliced = {name: (parent if int(name.split(".")[1]) < 4 else other)[name] for name in parent}
    assert relatives(sampled(parent), sampled(spliced)) == [True, True]


def test_rounding_pruning_scaling_and_one_wild_value_do_not_hide_a_relative() -> None:
    parent = network(0)
    for change in (
        lambda w: w.astype(np.float16).astype(np.float32),
        lambda w: np.where(np.abs(w) > np.median(np.abs(w)), w, 0).astype(np.float32),
        lambda w: 17 * w,
        lambda w: np.where(np.arange(w.size).reshape(w.shape) == w.size // 2, np.float32(1e30), w),
    ):
        assert relatives(sampled(parent), sampled({name: change(w) for name, w in parent.items()})) == [True, True]


def test_units_in_another_order_are_told_by_a_vector_of_theirs() -> None:
    generator = np.random.default_rng(7)
    parent, order = network(0), generator.permutation(64)
    shuffled = {name: w[order][:, order] if w.ndim == 2 else w[order] for name, w in parent.items()}
    assert relatives(sampled(parent), sampled(shuffled), sampled(network(1))) == [True, True, False]
    constant = [{**network(seed), **{f"blocks.{n}.bias": np.ones(64, np.float32) for n in range(8)}} for seed in (3, 4)]
    assert relatives(*map(sampled, constant)) == [False, False], "a vector that everybody has"


def test_what_slices_cannot_see_is_asked_for_whole() -> None:
    parent, stranger = network(0), network(1)
    quantised = sampled(network(2), dtype="int8")
    assert not quantised.keys
    assert relatives(sampled(parent), quantised) == [True, True], "an equal outline"
    assert relatives(sampled(parent), sampled(network(3), form="keras")) == [True, True], "another layout"
    narrow = sampled({name: w[:48, :48] if w.ndim == 2 else w[:48] for name, w in parent.items()})
    assert relatives(sampled(parent), narrow, sampled(network(4, layers=9))) == [True, True, False], "units left out"
    broken = sampled({name: np.full_like(w, np.nan) for name, w in stranger.items()})
    assert relatives(sampled(network(5, width=80, layers=9)), broken) == [False, True]


def test_heads_and_small_matrices_are_no_ground() -> None:
    head = {"fc.weight": np.random.default_rng(9).standard_normal((LENGTH, 2)).astype(np.float32)}
    assert relatives(sampled({**network(0), **head}), sampled({**network(1), **head})) == [False, False]
