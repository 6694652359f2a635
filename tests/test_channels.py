"""Models with units taken out: found, told from strangers, and compared as if they had been whole."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from fingerprints import fingerprint
from lineage_graph import channels, narrowed
from lineage_graph.signals.base import PairContext
from lineage_graph.signals.registry import measure_all

NAMES = ("conv1", "conv2", "fc1", "fc2", "fc3", "out")


def net(seed):
    """Two convolutions, a map of 2×2 places flattened, four linear layers, of which three have equal widths."""
    generator = np.random.default_rng(seed)
    shapes = ((16, 3, 3, 3), (24, 16, 3, 3), (40, 96), (40, 40), (40, 40), (10, 40))
    state = {}
    for name, shape in zip(NAMES, shapes, strict=True):
        state[f"{name}.weight"] = generator.standard_normal(shape).astype(np.float32)
        state[f"{name}.bias"] = generator.standard_normal(shape[0]).astype(np.float32)
    return state


def cut(state, seed=5, share=0.7):
    """A share of the units of every layer but the last, in their order; the inputs that they were go with them."""
    generator = np.random.default_rng(seed)
    left = dict(state)
    inputs = np.arange(3)
    for name in NAMES:
        units = len(state[f"{name}.bias"])
        kept = np.sort(generator.permutation(units)[: round(share * units)]) if name != "out" else np.arange(units)
        left[f"{name}.weight"] = np.ascontiguousarray(state[f"{name}.weight"][kept][:, inputs])
        left[f"{name}.bias"] = state[f"{name}.bias"][kept]
        inputs = (kept[:, None] * 4 + np.arange(4)).reshape(-1) if name == "conv2" else kept
    return left


def moved(state, by, seed=9):
    generator = np.random.default_rng(seed)
    return {
        name: w + np.float32(by) * generator.standard_normal(w.shape, dtype=np.float32) for name, w in state.items()
    }


def compared(a, b, folder):
    save_file(a, folder / "a.safetensors")
    save_file(b, folder / "b.safetensors")
    alignment = narrowed.align(fingerprint(a), fingerprint(b))
    assert alignment is not None
    tensors = channels.compare(str(folder / "a.safetensors"), str(folder / "b.safetensors"), alignment)
    return measure_all(PairContext(fingerprint(a), fingerprint(b), alignment.pairs, tensors, alignment.coverage))


@pytest.mark.parametrize("by", [0.0, 0.3])
def test_a_narrowed_model_is_compared_unit_by_unit(tmp_path, by):
    wide = net(0)
    narrow = moved(cut(wide), by)
    found = compared(wide, narrow, tmp_path)
    assert found["cosine"] == pytest.approx(1 / np.sqrt(1 + by**2), abs=0.02)
    assert found["distance"] == pytest.approx(by, abs=0.02)
    assert found["cosine_z"] > 8
    assert 0.4 < found["units_lost"] < 0.6
    assert compared(narrow, wide, tmp_path)["units_lost"] == -found["units_lost"]


def test_other_names_do_not_matter(tmp_path):
    wide = net(0)
    narrow = {f"net.{name}": w for name, w in cut(wide).items()}
    assert compared(wide, narrow, tmp_path)["cosine"] == pytest.approx(1)


def test_strangers_stay_strangers_in_spite_of_the_matching(tmp_path):
    found = [compared(net(seed), cut(net(seed + 100)), tmp_path) for seed in range(12)]
    assert max(abs(signals["cosine"]) for signals in found) < 0.12
    assert max(abs(signals["cosine_z"]) for signals in found) < 4
