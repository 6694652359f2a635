"""The comparison of two files, as a worker makes it."""

import math

import numpy as np
import pytest
from safetensors.numpy import save_file

from lineage_graph import evidence, fingerprint
from lineage_graph.alignment import align
from lineage_graph.held import Side


@pytest.fixture
def compared(tmp_path):
    """Compare two state dicts through files; comparisons by the name in a."""

    def compare(a, b):
        paths = [tmp_path / f"{name}.safetensors" for name in "ab"]
        prints = []
        for path, state in zip(paths, (a, b), strict=True):
            save_file({name: np.ascontiguousarray(w, dtype=np.float32) for name, w in state.items()}, path)
            prints.append(fingerprint.compute(fingerprint.FingerprintTask(str(path), path.stem)))
        task = evidence.plan(*(Side(str(path)) for path in paths), align(*prints))
        tensors = evidence.compare(task)
        assert str(evidence.from_bytes(evidence.to_bytes(tensors))) == str(tensors)
        return {tensor.name_a: tensor for tensor in tensors}

    return compare


def test_what_was_weighed_is_read_back():
    found = evidence.Weighed(0.5, True, 3, {"cosine": 0.1, "tail": math.nan})
    again = evidence.weighed_from_bytes(evidence.weighed_to_bytes(found))
    assert str(again) == str(found)
    for damaged in (b"{}", b"[1]"):
        with pytest.raises(ValueError, match="no signals"):
            evidence.weighed_from_bytes(damaged)


@pytest.fixture
def generator():
    return np.random.default_rng(0)


def test_a_merged_adapter_leaves_no_tail_and_noise_leaves_one(compared, generator):
    w = generator.standard_normal((128, 64))
    adapter = generator.standard_normal((128, 2)) @ generator.standard_normal((2, 64))
    a = {"low.weight": w, "noise.weight": w, "far.weight": w, "bias": w[0]}
    b = {
        "low.weight": w + 0.1 * adapter,
        "noise.weight": w + 0.1 * generator.standard_normal(w.shape),
        "far.weight": generator.standard_normal(w.shape),
        "bias": w[0] + 0.1,
    }
    tensors = compared(a, b)
    assert tensors["low.weight"].tail < 1e-6
    assert tensors["noise.weight"].tail > 0.1
    assert math.isnan(tensors["far.weight"].tail)  # strangers: nothing lies between them
    assert math.isnan(tensors["bias"].tail)


def test_weights_of_another_framework_are_the_same_weights(compared, generator):
    a = {
        "linear.weight": generator.standard_normal((24, 40)),
        "conv.weight": generator.standard_normal((16, 8, 3, 3)),
        "square.weight": generator.standard_normal((24, 24)),
        "bias": generator.standard_normal(24),
    }
    b = {
        "dense/kernel:0": a["linear.weight"].T,
        "conv2d/kernel:0": a["conv.weight"].transpose(2, 3, 1, 0),
        "dense_1/kernel:0": a["square.weight"].T,
        "dense/bias:0": a["bias"],
    }
    tensors = compared(a, b)
    assert {name: t.layout for name, t in tensors.items()} == {
        "linear.weight": "transposed",
        "conv.weight": "hwio to oihw",
        "square.weight": "transposed",
        "bias": "",
    }
    assert all(t.identical and t.squared_distance == 0 for t in tensors.values())


def test_gates_are_reordered_in_matrices_and_biases(compared, generator):
    def reordered(values):
        return np.concatenate([np.split(values, 4)[gate] for gate in (0, 2, 1, 3)])

    a = {"w_ih": generator.standard_normal((64, 12)), "w_hh": generator.standard_normal((64, 16))}
    a["bias"] = np.repeat([0.0, 1.0, 0.0, 0.0], 16) + 0.1 * generator.standard_normal(64)
    tensors = compared(a, {name: reordered(w) for name, w in a.items()})
    assert {t.layout for t in tensors.values()} == {"gates 0213 of rows"}
    assert all(t.identical for t in tensors.values())


def test_hidden_units_in_another_order_are_matched(compared, generator):
    a = {"up.weight": generator.standard_normal((48, 24)), "up.bias": generator.standard_normal(48)}
    a |= {"down.weight": generator.standard_normal((24, 48)), "down.bias": generator.standard_normal(24)}
    order = generator.permutation(48)
    b = a | {
        "up.weight": a["up.weight"][order],
        "up.bias": a["up.bias"][order],
        "down.weight": a["down.weight"][:, order],
    }
    tensors = compared(a, b)
    assert all(t.identical for t in tensors.values())
    assert {name for name, t in tensors.items() if t.layout == "units"} == a.keys() - {"down.bias"}
