"""A small family of random weights, its root copied, and a stranger."""

import numpy as np

from fingerprints import model

SHAPES = {"a.weight": (24, 40), "b.weight": (32, 30), "b.bias": (32,), "head.weight": (10, 32)}


def weights(generator):
    return {name: generator.normal(0, 1, shape).astype(np.float32) for name, shape in SHAPES.items()}


def tuned(state, generator, length, scale=1.0):
    return {
        name: (scale * values + length * generator.normal(0, 1, values.shape)).astype(np.float32)
        for name, values in state.items()
    }


def family(names, seed):
    """A root with three children, the first of which has one, too; a copy of the root; a stranger."""
    generator = np.random.default_rng(seed)
    root = weights(generator)
    states = [root, *(tuned(root, generator, length) for length in (0.2, 0.3, 0.25))]
    states += [tuned(states[1], generator, 0.2), dict(root), weights(generator)]
    counters = [100.0, 200.0, 300.0, 150.0, 400.0, 100.0, 50.0]
    return [
        model(name, state, {"num_batches_tracked": count})
        for name, state, count in zip(names, states, counters, strict=True)
    ]
