"""Whole builds of small zoos in which odd things were done to checkpoints: whatever they are, a build ends."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from lineage_graph.build import BuildSettings, build
from lineage_graph.manifest import Manifest, PathEntry


def network(dice):
    width, depth = int(dice.choice([8, 16, 40])), int(dice.integers(1, 5))
    weights = {f"b.{i}.weight": dice.standard_normal((width, width)) for i in range(depth)}
    return weights | {f"b.{i}.bias": dice.standard_normal(width) for i in range(depth)}


def replaced(change):
    """One matrix is changed, the others stay."""

    def apply(dice, state, _):
        name = dice.choice([name for name in state if name.endswith("weight")])
        return {**state, name: change(state[name])}

    return apply


def everywhere(change):
    return lambda dice, state, _: {name: change(dice, values) for name, values in state.items()}


def biases(dice, state, _):
    return {name: dice.standard_normal(w.shape) if name.endswith("bias") else w for name, w in state.items()}


def reordered(dice, values):
    return values[dice.permutation(len(values))][:, dice.permutation(len(values))] if values.ndim == 2 else values


DONE = {
    "biases": biases,
    "zeros": replaced(np.zeros_like),
    "constant": replaced(lambda w: np.full_like(w, 0.5)),
    "one weight": replaced(lambda w: w + np.eye(*w.shape) * (np.arange(len(w)) == 0)),
    "turned": replaced(np.transpose),
    "copy": everywhere(lambda _, w: w),
    "reordered": everywhere(reordered),
    "scaled": everywhere(lambda _, w: 3 * w),
    "tiny": everywhere(lambda _, w: 1e-30 * w),
    "rounded": everywhere(lambda _, w: w.astype(np.float16)),
    "tuned": everywhere(lambda dice, w: w + 0.1 * dice.standard_normal(w.shape)),
    "fresh": everywhere(lambda dice, w: dice.standard_normal(w.shape)),
    "averaged": lambda _, state, other: {name: (w + other[name]) / 2 for name, w in state.items()},
}


def zoo(seed):
    dice = np.random.default_rng(seed)
    states = [network(dice)]
    for _ in range(dice.integers(3, 9)):
        of, other = (states[dice.integers(len(states))] for _ in range(2))
        states.append(DONE[dice.choice(list(DONE))](dice, of, other))
    return states


@pytest.mark.parametrize("seed", range(24))
def test_a_build_ends_and_gives_the_same_again(tmp_path, seed):
    states = zoo(seed)
    for number, state in enumerate(states):
        kept = {
            n: np.ascontiguousarray(w, np.float16 if w.dtype == np.float16 else np.float32) for n, w in state.items()
        }
        save_file(kept, tmp_path / f"m{number}.safetensors")
    entries = tuple(PathEntry(path=str(tmp_path / f"m{number}.safetensors")) for number in range(len(states)))
    settings = BuildSettings(metadata=False, features=False, detector=False, jobs=1, cache=tmp_path / "cache")
    manifest = Manifest(name="odd", root=tmp_path, entries=entries)
    found = [build(manifest, tmp_path / out, settings) for out in ("first", "again")]
    assert found[0].lineage.graph.number_of_nodes() >= len(states)
    assert found[0].run.counts["failed"] == 0
    first, again = ((tmp_path / out / "lineage.json").read_bytes() for out in ("first", "again"))
    assert first == again
