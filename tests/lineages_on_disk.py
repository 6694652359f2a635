"""Small checkpoints of random weights with a known lineage, for tests that build many zoos."""

import numpy as np
from safetensors.numpy import save_file

SHAPES = {"a.weight": (32, 32), "b.weight": (48, 32), "c.weight": (32, 48)}


def root(seed):
    """Weights of a stranger to all others."""
    generator = np.random.default_rng(seed)
    return {name: generator.standard_normal(shape).astype(np.float32) for name, shape in SHAPES.items()}


def child(parent, seed, step=0.2):
    """Weights a random step away from ``parent``."""
    generator = np.random.default_rng(1000 + seed)
    moved = {name: step * generator.standard_normal(w.shape).astype(np.float32) for name, w in parent.items()}
    return {name: w + moved[name] for name, w in parent.items()}


def merged(one, other):
    """The mean of two."""
    return {name: ((one[name] + other[name]) / 2).astype(np.float32) for name in one}


def states():
    """Two families, one of them with a merge and a copy, and a stranger: by name, 12 in all."""
    made = {"r0": root(0), "r1": root(1), "alone": root(2)}
    for number, (name, parent) in enumerate(
        [("a", "r0"), ("b", "r0"), ("c", "a"), ("d", "a"), ("e", "r1"), ("f", "r1"), ("g", "e")]
    ):
        made[name] = child(made[parent], number)
    made["merge"] = merged(made["b"], made["c"])
    made["copy"] = made["f"]
    return made


def save(state, path):
    """Write one checkpoint; the name is part of nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(state, path)
